"""API Gateway's proxy events, in and out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.proxy import ProxyRequest, parse_request, problem, response


def test_parse_request_reads_what_the_reader_needs() -> None:
    event = {
        "httpMethod": "GET",
        "path": "/mips/tags/",
        "resource": "/tags",
        "requestContext": {"requestId": "r-1", "requestTimeEpoch": 1795435200000},
        "queryStringParameters": {"limit": "2"},
        "multiValueQueryStringParameters": {"limit": ["2"]},
        "headers": {"If-None-Match": '"x"'},
        "multiValueHeaders": {"If-None-Match": ['"x"']},
    }
    assert parse_request(event, "i-1") == ProxyRequest(
        method="GET",
        resource="/tags",
        request_id="r-1",
        taken_at_ms=1795435200000,
        parameters={"limit": "2"},
        headers={"if-none-match": '"x"'},
    )


@pytest.mark.parametrize("absent", [{}, {"queryStringParameters": None, "headers": None}])
def test_parse_request_without_parameters_or_headers_has_none(absent: dict[str, Any]) -> None:
    request = parse_request({"httpMethod": "GET", "resource": "/", **absent}, "i-1")
    assert (request.parameters, request.headers) == ({}, {})


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"httpMethod": None, "resource": None},
        {"httpMethod": 5, "resource": ["/tags"]},
        {"key1": "value1"},
    ],
)
def test_parse_request_of_no_proxy_event_has_no_method_and_resource(event: dict[str, Any]) -> None:
    request = parse_request(event, "i-1")
    assert (request.method, request.resource) == (None, None)


@pytest.mark.parametrize("context", [None, {}, {"requestId": None}, "x", {"requestId": 5}])
def test_parse_request_without_a_request_id_takes_the_invocations(context: Any) -> None:
    assert parse_request({"requestContext": context}, "i-1").request_id == "i-1"


@pytest.mark.parametrize("context", [None, {}, {"requestTimeEpoch": "1795435200000"}])
def test_parse_request_without_a_time_has_none(context: Any) -> None:
    assert parse_request({"requestContext": context}, "i-1").taken_at_ms is None


def test_parse_request_repeated_parameter_the_last_one_counts() -> None:
    event = {
        "queryStringParameters": {"limit": "1"},
        "multiValueQueryStringParameters": {"limit": ["5", "1", "3"]},
    }
    assert parse_request(event, "i-1").parameters == {"limit": "3"}


def test_parse_request_single_values_alone_are_enough() -> None:
    event = {"queryStringParameters": {"limit": "1"}, "headers": {"Prefer": "wait=0"}}
    request = parse_request(event, "i-1")
    assert request.parameters == {"limit": "1"}
    assert request.headers == {"prefer": "wait=0"}


def test_parse_request_empty_value_is_kept() -> None:
    event = {"multiValueQueryStringParameters": {"show_other_code": [""]}}
    assert parse_request(event, "i-1").parameters == {"show_other_code": ""}


def test_parse_request_repeated_header_is_joined() -> None:
    event = {"multiValueHeaders": {"Prefer": ["respond-async", "wait=3"]}}
    assert parse_request(event, "i-1").headers == {"prefer": "respond-async, wait=3"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "httpMethod",
            "resource",
            "requestContext",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "headers",
            "multiValueHeaders",
        ),
        JSON,
    ),
)


@given(EVENTS)
def test_parse_request_never_breaks_on_an_event(event: dict[str, Any]) -> None:
    request = parse_request(event, "i-1")
    values = [*request.parameters.values(), *request.headers.values()]
    assert all(isinstance(value, str) for value in values)


def test_response_is_what_api_gateway_takes() -> None:
    assert response(200, {"A": "b"}, "body") == {
        "statusCode": 200,
        "headers": {"A": "b"},
        "body": "body",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("status", "title"), [(400, "Bad Request"), (404, "Not Found"), (503, "Service Unavailable")]
)
def test_problem_is_a_problem_document(status: int, title: str) -> None:
    answer = problem(status, "What is wrong.", {})
    assert answer["statusCode"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "What is wrong.",
    }


def test_problem_is_never_stored() -> None:
    assert problem(404, "x", {})["headers"]["Cache-Control"] == "no-store"


def test_problem_further_headers_are_added() -> None:
    assert problem(405, "x", {"Allow": "GET"})["headers"]["Allow"] == "GET"
