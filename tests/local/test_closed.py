"""No web page can use the stack: not by any request that a browser allows without asking first."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local.loopback import refusal
from local.stack import LocalStack
from tests.local.control_room.watching import Watching

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, poll=False) as running:
        yield running


def send(
    url: str, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body.encode(), named)
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    connection.close()
    return response.status, {k.lower(): v for k, v in response.getheaders()}, text


SSM = json.dumps({"Name": "/lambda/mipsSecret/pass", "WithDecryption": True})
PURGE = json.dumps({"action": "purge"})
ATTEMPTS = [
    ("api_url", "GET", "/balances", ""),
    ("api_url", "GET", "/_local/state", ""),
    ("api_url", "POST", "/_local/actions/purge", "{}"),
    ("aws_url", "POST", "/", SSM),
    ("aws_url", "POST", "/2015-03-31/functions/AdminFunction/invocations", PURGE),
    ("aws_url", "GET", "/moto-api/data.json", ""),
    ("mip_url", "POST", "/_control/reset", ""),
    ("mip_url", "GET", "/_control/state", ""),
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


@pytest.mark.parametrize(("server", "method", "path", "body"), ATTEMPTS)
@pytest.mark.parametrize("disguise", DISGUISES, ids=str)
def test_a_foreign_page_is_refused_and_told_nothing(
    stack: LocalStack, server: str, method: str, path: str, body: str, disguise: dict[str, str]
) -> None:
    headers = {"Content_Type": "text/plain", "X_Amz_Target": "AmazonSSM.GetParameter"} | disguise
    status, told, text = send(getattr(stack, server), method, path, body, **headers)
    assert status == 403
    assert "must not use this server" in text or "under the names" in text
    assert not [name for name in told if name.startswith("access-control-")]


@pytest.mark.parametrize("server", ["api_url", "aws_url", "mip_url"])
def test_a_preflight_is_refused(stack: LocalStack, server: str) -> None:
    asks = {"Origin": EVIL, "Access_Control_Request_Method": "POST"}
    status, told, _ = send(getattr(stack, server), "OPTIONS", "/_local/actions/purge", **asks)
    assert status == 403
    assert not [name for name in told if name.startswith("access-control-")]


def test_moto_itself_allows_no_other_origin(stack: LocalStack) -> None:
    _, told, _ = send(stack.aws_url, "GET", "/", Origin=stack.aws_url)
    assert "access-control-allow-origin" not in told


def test_nothing_was_done_by_all_that(stack: LocalStack) -> None:
    assert stack.invoke("AdminFunction", {"action": "status"})["entries"] == []
    assert Watching(stack).look()["mip"]["counters"]["login_attempts"] == 0


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
