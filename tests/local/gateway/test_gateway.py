"""The gateway: API Gateway's routes, events, answers and refusals."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from local.gateway.responses import INTEGRATION_TIMEOUT, MISSING_TOKEN, response_to
from local.gateway.routes import match
from local.stack import LocalStack
from local.template.stack_template import Route
from tests.local.toy_stack import toy_stack

SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=test/20261101/us-east-1/execute-api/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=abc"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with toy_stack(integration_seconds=1.0, reader_concurrency=3) as running:
        yield running


@pytest.fixture
def api(stack: LocalStack) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(stack.api_url).netloc)
    yield connection
    connection.close()


def get(
    api: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    api.request(method, path, headers={name.replace("_", "-"): headers[name] for name in headers})
    response = api.getresponse()
    return response, response.read()


def event_of(api: http.client.HTTPConnection, path: str, **more: Any) -> dict[str, Any]:
    response, body = get(api, path, **more)
    assert response.status == 200, body
    return json.loads(body)


def test_the_event_is_that_of_a_proxy_integration(api: http.client.HTTPConnection) -> None:
    event = event_of(api, "/things?a=1&b=x%20y&a=2&flag", X_Mine="yes")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/things", "/things", "GET")
    assert event["queryStringParameters"] == {"a": "2", "b": "x y", "flag": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x y"], "flag": [""]}
    assert event["headers"]["X-Mine"] == "yes"
    assert event["multiValueHeaders"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    context = event["requestContext"]
    assert (context["stage"], context["path"]) == ("Prod", "/Prod/things")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert isinstance(context["requestTimeEpoch"], int)
    plain = event_of(api, "/things")
    assert plain["queryStringParameters"] is plain["multiValueQueryStringParameters"] is None
    assert plain["pathParameters"] is plain["stageVariables"] is None


def test_a_greedy_path_gives_its_rest_and_the_body_comes_along(
    api: http.client.HTTPConnection,
) -> None:
    api.request("POST", "/files/a/b%20c", body="grüße".encode())
    event = json.loads(api.getresponse().read())
    assert event["resource"] == "/files/{proxy+}"
    assert event["pathParameters"] == {"proxy": "a/b%20c"}
    assert event["body"] == "grüße"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("POST", "/things"), ("GET", "/secret")]
)
def test_a_route_that_does_not_exist_or_wants_a_signature_is_refused_as_api_gateway_does(
    api: http.client.HTTPConnection, method: str, path: str
) -> None:
    response, body = get(api, path, method=method)
    assert response.status == 403
    assert json.loads(body) == {"message": "Missing Authentication Token"}
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["x-amz-apigw-id"]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Bearer abc", "'Bearer'"),
        ("AWS4-HMAC-SHA256 Credential=test/x", "'Signature' parameter"),
        (SIGNATURE.replace("Credential", "Creds"), "'Credential' parameter"),
    ],
)
def test_an_incomplete_signature_is_refused_with_what_it_lacks(
    api: http.client.HTTPConnection, header: str, missing: str
) -> None:
    response, body = get(api, "/secret", Authorization=header)
    assert response.status == 403
    assert response.headers["x-amzn-ErrorType"] == "IncompleteSignatureException"
    assert missing in json.loads(body)["message"]


def test_a_signed_request_gets_through_with_its_callers_key(
    api: http.client.HTTPConnection,
) -> None:
    event = event_of(api, "/secret", Authorization=SIGNATURE)
    assert event["requestContext"]["identity"]["accessKey"] == "test"


def reply(**response: Any) -> str:
    return "/things?answer=" + quote(json.dumps(response))


def test_the_answers_headers_are_merged_and_kept_apart(api: http.client.HTTPConnection) -> None:
    path = reply(
        statusCode=201,
        headers={"X-One": "1", "X-Both": "a", "Server": "mine"},
        multiValueHeaders={"X-Both": ["a", "b"], "X-Two": ["c", "d"]},
        body="done",
    )
    response, body = get(api, path)
    assert (response.status, body) == (201, b"done")
    assert response.headers.get_all("X-Both") == ["a", "b"]
    assert response.headers.get_all("X-Two") == ["c", "d"]
    assert response.headers["X-One"] == "1"
    assert response.headers["x-amzn-Remapped-Server"] == "mine"
    assert response.headers["Content-Type"] == "application/json"


def test_a_304_and_a_head_have_no_body(api: http.client.HTTPConnection) -> None:
    headers = {"ETag": '"x"', "Content-Type": "text/csv"}
    response, body = get(api, reply(statusCode=304, headers=headers, body=""))
    assert (response.status, body, response.headers["ETag"]) == (304, b"", '"x"')
    assert response.headers["Content-Type"] == "text/csv"
    response, body = get(api, "/files/x", method="HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        reply(statusCode="200", body=""),
        reply(statusCode=200, body={"a": 1}),
        reply(statusCode=200, headers={"X": "a\r\nInjected: b"}),
        reply(body="no status"),
        "/things?answer=[]",
        "/things?answer={no-json",
    ],
)
def test_a_malformed_answer_or_a_failed_function_is_a_502(
    api: http.client.HTTPConnection, path: str
) -> None:
    response, body = get(api, path)
    assert (response.status, json.loads(body)) == (502, {"message": "Internal server error"})


def test_a_slow_function_is_a_504_and_runs_on(
    api: http.client.HTTPConnection, stack: LocalStack
) -> None:
    response, body = get(api, "/things?sleep=2")
    assert (response.status, json.loads(body)) == (504, {"message": "Endpoint request timed out"})
    assert stack.functions["ReaderFunction"].running == 1
    assert get(api, "/things")[0].status == 200


ROUTES = [
    Route(path, method, f"{method} {path}", requires_iam=False)
    for path, method in [
        ("/", "any"),
        ("/a", "any"),
        ("/a", "get"),
        ("/a/{id}", "get"),
        ("/a/b", "get"),
        ("/{proxy+}", "any"),
        ("/only", "get"),
    ]
]


@pytest.mark.parametrize(
    ("method", "path", "taken", "parameters"),
    [
        ("GET", "/", "any /", {}),
        ("GET", "/a", "get /a", {}),
        ("GET", "/a/", "get /a", {}),
        ("POST", "/a", "any /a", {}),
        ("GET", "/a/b", "get /a/b", {}),
        ("GET", "/a/c", "get /a/{id}", {"id": "c"}),
        ("PUT", "/a/b/c", "any /{proxy+}", {"proxy": "a/b/c"}),
        ("GET", "/ab", "any /{proxy+}", {"proxy": "ab"}),
    ],
)
def test_the_most_specific_route_is_taken(
    method: str, path: str, taken: str, parameters: dict[str, str]
) -> None:
    found = match(ROUTES, method, path)
    assert found
    assert found.route.function == taken
    assert found.path_parameters == parameters


def test_a_specific_path_with_another_method_is_not_given_up_for_a_vaguer_one() -> None:
    assert match(ROUTES, "POST", "/only") is None


def test_the_templates_own_words_replace_api_gateways() -> None:
    responses = {
        "MISSING_AUTHENTICATION_TOKEN": {
            "statusCode": "401",
            "responseParameters": {"gatewayresponse.header.Content-Type": "'text/plain'"},
            "responseTemplates": {"application/json": "$context.error.message, $context.apiId"},
        },
        "DEFAULT_5XX": {"responseTemplates": {"application/json": "broken"}},
    }
    own = response_to(MISSING_TOKEN, responses, "api1")
    assert (own.status, own.body) == (401, b"Missing Authentication Token, api1")
    assert dict(own.headers)["Content-Type"] == "text/plain"
    default = response_to(INTEGRATION_TIMEOUT, responses, "api1")
    assert (default.status, default.body) == (504, b"broken")
