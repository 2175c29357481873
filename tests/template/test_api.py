"""Routes, their authorization, throttling, and what API Gateway answers by itself."""

import json

import pytest

from tests.template.stack import methods, stack

ROUTES = {
    ("/", "get"),
    ("/", "any"),
    ("/accounts", "get"),
    ("/accounts", "any"),
    ("/tags", "get"),
    ("/tags", "any"),
    ("/balances", "get"),
    ("/balances", "any"),
    ("/{proxy+}", "any"),
}
GATEWAY_RESPONSES = {
    "ACCESS_DENIED": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "THROTTLED": 429,
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
}


def gateway_response(name):
    return stack().properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"][name]


def test_api_routes_every_path_and_method_to_the_reader():
    found = {
        (path, method): operation["x-amazon-apigateway-integration"]["uri"]
        for path, method, operation in methods(stack())
    }

    assert set(found) == ROUTES
    assert all("${ReaderFunction.Arn}" in uri for uri in found.values())


def test_balances_and_nothing_else_need_a_signature_whatever_the_method():
    """The function is not called as the caller, who would need a right to it."""
    secured = {
        (path, method)
        for path, method, operation in methods(stack())
        if operation.get("security") == [{"AWS_IAM": []}]
    }
    body = stack().properties("Api")["Body"]

    assert secured == {route for route in ROUTES if route[0] == "/balances"}
    assert [
        path
        for path, _, operation in methods(stack())
        if "credentials" in operation["x-amazon-apigateway-integration"]
    ] == []
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_stage_throttles_every_method_as_the_parameters_say():
    [settings] = stack(ThrottleRate="7", ThrottleBurst="9").properties("ApiProdStage")[
        "MethodSettings"
    ]

    assert settings == {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": "7",
        "ThrottlingBurstLimit": "9",
    }


def test_access_log_is_off_unless_asked_for():
    assert "AccessLogSetting" not in stack().properties("ApiProdStage")
    assert "ApiAccessLogGroup" not in stack().resources


def test_access_log_leaves_out_query_strings_and_headers():
    setting = stack(ApiAccessLogs="true").properties("ApiProdStage")["AccessLogSetting"]
    record = json.loads(
        setting["Format"]
        .replace("$context.status", "200")
        .replace("$context.requestTimeEpoch", "0")
    )

    kinds = {resource["Type"] for resource in stack(ApiAccessLogs="true").resources.values()}
    assert "AWS::ApiGateway::Account" not in kinds  # the role for it is the whole account's
    assert setting["DestinationArn"] == "${ApiAccessLogGroup.Arn}"
    assert not [name for name in record if "query" in name.lower() or "header" in name.lower()]
    assert "querystring" not in setting["Format"].lower()
    assert "userAgent" not in setting["Format"]


@pytest.mark.parametrize(("name", "status"), GATEWAY_RESPONSES.items())
def test_gateway_error_is_a_problem_document_of_fixed_text(name, status):
    response = gateway_response(name)
    [body] = response["responseTemplates"].values()
    problem = json.loads(body)

    assert "$" not in body.replace("$context.apiId", "").replace("${AWS::", "")
    assert set(problem) - {"status"} == {"type", "title", "detail"}
    assert problem.get("status") == status
    assert "statusCode" not in response  # so each error keeps its own
    headers = response["responseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"


def test_unsigned_request_for_balances_is_told_where_and_how_to_ask():
    [body] = gateway_response("MISSING_AUTHENTICATION_TOKEN")["responseTemplates"].values()

    assert "Signature Version 4" in json.loads(body)["detail"]
    assert "https://$context.apiId.execute-api." in json.loads(body)["detail"]
    assert json.loads(body)["detail"].endswith("/Prod/balances.")


@pytest.mark.parametrize(("name", "seconds"), [("DEFAULT_5XX", 10), ("THROTTLED", 1)])
def test_refused_caller_is_told_when_to_come_back(name, seconds):
    """Also one whose reader Lambda refuses to start, for its reserved concurrency."""
    headers = gateway_response(name)["responseParameters"]

    assert headers["gatewayresponse.header.Retry-After"] == f"'{seconds}'"
