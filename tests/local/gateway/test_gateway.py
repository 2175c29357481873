"""The gateway: API Gateway's routes, events, answers and refusals."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from local.control_room.reading import SIGNATURE
from local.gateway.responses import INTEGRATION_TIMEOUT, MISSING_TOKEN, response_to
from local.gateway.routes import match
from local.stack import LocalStack
from local.template.stack_template import Route
from tests.local.toy_stack import toy_stack
from tests.local.wire import request


class Api:
    """A stack's API, as its clients see it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.ask = partial(request, stack.api_url)
        self.get = partial(request, stack.api_url, "GET")

    def event_of(self, path: str, method: str = "GET", *body: bytes, **headers: Any) -> Any:
        response, answer = self.ask(method, path, *body, **headers)
        assert response.status == 200, answer
        return json.loads(answer)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with toy_stack(integration_seconds=1.0, reader_concurrency=3) as running:
        yield Api(running)


def test_the_event_is_that_of_a_proxy_integration(api: Api) -> None:
    event = api.event_of("/things?a=1&b=x%20y&a=2&flag", X_Mine="yes")
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


def test_what_is_absent_is_null_in_the_event(api: Api) -> None:
    event = api.event_of("/things")
    absent = {name for name, value in event.items() if value is None}
    queries = {"queryStringParameters", "multiValueQueryStringParameters"}
    assert absent == queries | {"pathParameters", "stageVariables", "body"}


def test_a_greedy_path_gives_its_rest_and_the_body_comes_along(api: Api) -> None:
    event = api.event_of("/files/a/b%20c", "POST", "grüße".encode())
    assert (event["resource"], event["body"]) == ("/files/{proxy+}", "grüße")
    assert event["pathParameters"] == {"proxy": "a/b%20c"}


def test_a_signed_request_gets_through_with_its_callers_key(api: Api) -> None:
    event = api.event_of("/secret", Authorization=SIGNATURE)
    assert event["requestContext"]["identity"]["accessKey"] == "test"


MISSING = ("MissingAuthenticationTokenException", "Missing Authentication Token")
INCOMPLETE = "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("method", "path", "headers", "kind", "message"),
    [
        ("GET", "/nowhere", {}, *MISSING),
        ("POST", "/things", {}, *MISSING),
        ("GET", "/secret", {}, *MISSING),
        ("GET", "/secret", {"Authorization": "Bearer abc"}, INCOMPLETE, "'Bearer'"),
        ("GET", "/secret", {"Authorization": SIGNATURE[:40]}, INCOMPLETE, "'Signature' parameter"),
    ],
)
def test_what_has_no_route_or_no_whole_signature_is_refused_as_api_gateway_does(
    api: Api, method: str, path: str, headers: dict[str, Any], kind: str, message: str
) -> None:
    response, body = api.ask(method, path, **headers)
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, kind)
    assert message in json.loads(body)["message"]
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["x-amz-apigw-id"]


def reply(**response: Any) -> str:
    return "/things?answer=" + quote(json.dumps(response))


def test_the_answers_headers_are_merged_and_kept_apart(api: Api) -> None:
    path = reply(
        statusCode=201,
        headers={"X-One": "1", "X-Both": "a", "Server": "mine"},
        multiValueHeaders={"X-Both": ["a", "b"], "X-Two": ["c", "d"]},
        body="done",
    )
    response, body = api.get(path)
    assert (response.status, body) == (201, b"done")
    assert response.headers.get_all("X-Both") == ["a", "b"]
    assert response.headers.get_all("X-Two") == ["c", "d"]
    assert response.headers["X-One"] == "1"
    assert response.headers["x-amzn-Remapped-Server"] == "mine"
    assert response.headers["Content-Type"] == "application/json"


def test_a_304_and_a_head_have_no_body(api: Api) -> None:
    headers = {"ETag": '"x"', "Content-Type": "text/csv"}
    response, body = api.get(reply(statusCode=304, headers=headers, body=""))
    assert (response.status, body, response.headers["ETag"]) == (304, b"", '"x"')
    assert response.headers["Content-Type"] == "text/csv"
    response, body = api.ask("HEAD", "/files/x")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        reply(statusCode="200", body=""),
        reply(statusCode=200, body={"a": 1}),
        reply(statusCode=200, headers={"X": "a\r\nInjected: b"}),
        reply(statusCode=200, body="no base64", isBase64Encoded=True),
        "/things?answer=[]",
        "/things?answer={no-json",
    ],
)
def test_a_malformed_answer_or_a_failed_function_is_a_502(api: Api, path: str) -> None:
    response, body = api.get(path)
    assert (response.status, json.loads(body)) == (502, {"message": "Internal server error"})


def test_a_slow_function_is_a_504_and_runs_on(api: Api) -> None:
    response, body = api.get("/things?sleep=2")
    assert (response.status, json.loads(body)) == (504, {"message": "Endpoint request timed out"})
    assert api.stack.functions["ReaderFunction"].running == 1
    assert api.get("/things")[0].status == 200


ROUTES = [
    Route(path, method, f"{method} {path}", requires_iam=False)
    for method, path in [
        ("any", "/"),
        ("any", "/a"),
        ("get", "/a"),
        ("get", "/a/{id}"),
        ("get", "/a/b"),
        ("any", "/{proxy+}"),
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
    assert (found.route.function, found.path_parameters) == (taken, parameters)


def test_a_specific_path_with_another_method_is_not_given_up_for_a_vaguer_one() -> None:
    assert match(ROUTES, "POST", "/a/b") is None


def test_the_templates_own_words_replace_api_gateways() -> None:
    responses: dict[str, dict[str, Any]] = {
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
