"""Routes, their authorization, throttling, and what API Gateway answers by itself."""

import json
import re

import pytest

from handlers.routes import ROUTES
from tests.template.stack import methods, stack

# Status and Retry-After of what API Gateway answers by itself; None: each error keeps its own.
GATEWAY_RESPONSES = {
    "ACCESS_DENIED": (403, None),
    "MISSING_AUTHENTICATION_TOKEN": (403, None),
    "THROTTLED": (429, "'1'"),
    "DEFAULT_4XX": (None, None),
    # Also what a caller gets whose reader Lambda refuses to start, for its reserved concurrency.
    "DEFAULT_5XX": (None, "'10'"),
}


def gateway_response(name):
    return stack().properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"][name]


def test_api_routes_every_path_and_method_to_the_reader():
    found = {
        (path, method): operation["x-amazon-apigateway-integration"]["uri"]
        for path, method, operation in methods(stack())
    }
    known = {(path, method) for path in ROUTES for method in ("get", "any")}
    assert set(found) == known | {("/{proxy+}", "any")}
    assert all("${ReaderFunction.Arn}" in uri for uri in found.values())


def test_balances_and_nothing_else_need_a_signature_whatever_the_method():
    """The function is not called as the caller, who would need a right to it."""
    body = stack().properties("Api")["Body"]
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    for path, _, operation in methods(stack()):
        is_signed = path in ROUTES and not ROUTES[path].is_public
        assert operation.get("security") == ([{"AWS_IAM": []}] if is_signed else None)
        assert "credentials" not in operation["x-amazon-apigateway-integration"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_stage_throttles_every_method_as_the_parameters_say():
    stage = stack(ThrottleRate="7", ThrottleBurst="9").properties("ApiProdStage")
    [settings] = stage["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("7", "9")


def test_access_log_is_off_unless_asked_for():
    assert "AccessLogSetting" not in stack().properties("ApiProdStage")
    assert "ApiAccessLogGroup" not in stack().resources


def test_access_log_leaves_out_query_strings_and_headers():
    logged = stack(ApiAccessLogs="true")
    setting = logged.properties("ApiProdStage")["AccessLogSetting"]
    assert setting["DestinationArn"] == "${ApiAccessLogGroup.Arn}"
    assert not re.search("query|header|userAgent", setting["Format"], re.IGNORECASE)
    assert json.loads(re.sub(r"(?<!\")\$context\.\w+", "0", setting["Format"]))
    # The role for it is the whole account's.
    assert logged.of_type("AWS::ApiGateway::Account") == {}


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_gateway_error_is_a_problem_document_of_fixed_text_that_says_when_to_come_back(name):
    response = gateway_response(name)
    [body] = response["responseTemplates"].values()
    problem = json.loads(body)
    headers = response["responseParameters"]
    status, retry_after = GATEWAY_RESPONSES[name]
    assert "$" not in body.replace("$context.apiId", "").replace("${AWS::", "")
    assert set(problem) - {"status"} == {"type", "title", "detail"}
    assert problem.get("status") == status
    assert "statusCode" not in response
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"
    assert headers.get("gatewayresponse.header.Retry-After") == retry_after


def test_unsigned_request_for_balances_is_told_where_and_how_to_ask():
    [body] = gateway_response("MISSING_AUTHENTICATION_TOKEN")["responseTemplates"].values()
    detail = json.loads(body)["detail"]
    assert "Signature Version 4" in detail
    assert "https://$context.apiId.execute-api." in detail
    assert detail.endswith("/Prod/balances.")
