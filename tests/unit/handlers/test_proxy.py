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


@pytest.mark.parametrize(
    "event", [{}, {"httpMethod": None, "resource": ["/tags"], "headers": None}]
)
def test_parse_request_of_no_proxy_event_has_nothing_but_an_id(event: dict[str, Any]) -> None:
    assert parse_request(event, "i-1") == ProxyRequest(None, None, "i-1")


@pytest.mark.parametrize(
    "context", [None, {}, "x", {"requestId": 5, "requestTimeEpoch": "1795435200000"}]
)
def test_parse_request_without_an_id_and_a_time_takes_the_invocations_and_none(
    context: Any,
) -> None:
    request = parse_request({"requestContext": context}, "i-1")
    assert (request.request_id, request.taken_at_ms) == ("i-1", None)


@pytest.mark.parametrize(
    ("single", "multi", "parameters"),
    [
        pytest.param({"limit": "1"}, {"limit": ["5", "1", "3"]}, {"limit": "3"}, id="the last one"),
        pytest.param({"limit": "1"}, None, {"limit": "1"}, id="single values alone"),
        pytest.param(None, {"limit": [""]}, {"limit": ""}, id="an empty value"),
    ],
)
def test_parse_request_of_a_repeated_parameter_the_last_one_counts(
    single: Any, multi: Any, parameters: dict[str, str]
) -> None:
    event = {"queryStringParameters": single, "multiValueQueryStringParameters": multi}
    assert parse_request(event, "i-1").parameters == parameters


def test_parse_request_repeated_header_is_joined() -> None:
    event = {
        "headers": {"Prefer": "wait=3", "Accept": "*/*"},
        "multiValueHeaders": {"Prefer": ["respond-async", "wait=3"]},
    }
    expected = {"prefer": "respond-async, wait=3", "accept": "*/*"}
    assert parse_request(event, "i-1").headers == expected


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


def test_problem_is_a_problem_document_that_is_never_stored() -> None:
    answer = problem(405, "What is wrong.", {"Allow": "GET"})
    assert answer["statusCode"] == 405
    assert answer["headers"] == {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        "Allow": "GET",
    }
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "What is wrong.",
    }
