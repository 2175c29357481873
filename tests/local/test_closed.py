"""No web page can use the stack: not by any request that a browser allows without asking first."""

import json
from collections.abc import Iterator

import pytest

from local.loopback.guard import refusal
from local.mip import MipCloud
from local.stack import LocalStack
from tests.local.toy_stack import toy_stack
from tests.local.wire import request

EVIL = "http://evil.example"
MIP = MipCloud()


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    MIP.set_latency(1, "logout")  # which a reset would undo
    with toy_stack(mip=MIP) as running:
        yield running


SSM = json.dumps({"Name": "/toy/secret/pass", "WithDecryption": True})
ATTEMPTS = [
    ("api_url", "GET", "/things", ""),
    ("api_url", "POST", "/_local/actions/fault", '{"name": "down"}'),
    ("aws_url", "POST", "/", SSM),
    ("aws_url", "POST", "/2015-03-31/functions/AdminFunction/invocations", '{"do": "pid"}'),
    ("mip_url", "POST", "/_control/reset", ""),
]
# What a browser sends for a foreign page: a form or a fetch without preflight, an image or a link,
# a page whose name leads to this machine (DNS rebinding), a page of another port.
DISGUISES = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1", "Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil.example", "Origin": EVIL, "Sec_Fetch_Site": "same-origin"},
    {"Host": "[bad"},
]
PREFLIGHT = {"Origin": EVIL, "Access_Control_Request_Method": "POST"}


@pytest.mark.parametrize(
    ("server", "method", "path", "body", "disguise"),
    [(*attempt, disguise) for attempt in ATTEMPTS for disguise in DISGUISES]
    + [(server, "OPTIONS", path, "", PREFLIGHT) for server, _, path, _ in ATTEMPTS],
)
def test_a_foreign_page_is_refused_and_told_nothing_and_nothing_is_done(
    stack: LocalStack, server: str, method: str, path: str, body: str, disguise: dict[str, str]
) -> None:
    before = MIP.state()
    headers = {"Content_Type": "text/plain", "X_Amz_Target": "AmazonSSM.GetParameter"} | disguise
    response, told = request(getattr(stack, server), method, path, body.encode(), **headers)
    assert response.status == 403
    assert b"must not use this server" in told or b"under the names" in told
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert MIP.state() == before


def test_moto_itself_allows_no_other_origin(stack: LocalStack) -> None:
    response, _ = request(stack.aws_url, "GET", "/", Origin=stack.aws_url)
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:4566"},
        {"Host": "localhost"},
        {"Host": "[::1]:3000"},
        # A port that is forwarded to this one; the page's own requests; an address that was typed.
        {"Host": "localhost:9999", "Origin": "http://localhost:9999"},
        {"Host": "localhost:3000", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:3000", "Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_tools_and_the_servers_own_pages_are_let_in(headers: dict[str, str]) -> None:
    assert refusal(headers.get) is None
