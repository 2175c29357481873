"""The control room's pages: complete, strict, and nobody else's."""

import json
import re

import pytest

from core.model.datasets import KINDS
from local.control_room.pages import FOLDER
from local.mip import MipCloud
from local.stack import LocalStack
from tests.local.control_room.watching import Watching, request

OWN_SCHEME_NAMES = {"http://www.w3.org/2000/svg"}
FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())


def test_the_front_page_is_served_under_a_strict_policy(toys: LocalStack) -> None:
    response, body = request(toys, "GET", "/_local/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert b"<h1>Control room</h1>" in body


def test_a_head_of_a_page_has_no_body_and_its_address_needs_no_slash(toys: LocalStack) -> None:
    response, body = request(toys, "HEAD", "/_local/style.css")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 1000
    response, _ = request(toys, "GET", "/_local")
    assert (response.status, response.headers["Location"]) == (308, "/_local/")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_a_file_refers_to_is_served(toys: LocalStack, path) -> None:
    text = path.read_text("utf-8")
    references = re.findall(r'(?:src|href)="([^"#]+)"|from "\./([^"]+)"', text)
    for name in {first or second for first, second in references}:
        assert request(toys, "GET", f"/_local/{name}")[0].status == 200, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_refers_to_another_host_or_holds_what_the_policy_forbids(path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"')]+", text)) <= OWN_SCHEME_NAMES
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_the_api_keeps_every_other_path(toys: LocalStack) -> None:
    response, body = request(toys, "GET", "/things")
    assert json.loads(body)["path"] == "/things"
    response, _ = request(toys, "GET", "/_locale")
    assert (response.status, response.headers["x-amzn-RequestId"] is None) == (403, False)


@pytest.mark.parametrize("name", ["room.py", "../room.py", "%2e%2e/room.py", "static"])
def test_a_page_that_does_not_exist_is_a_404(toys: LocalStack, name: str) -> None:
    response, body = request(toys, "GET", f"/_local/{name}")
    assert response.status == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["status"] == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/_local/", "GET, HEAD"),
        ("DELETE", "/_local/state", "GET, HEAD"),
        ("GET", "/_local/actions/read", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    toys: LocalStack, method: str, path: str, allowed: str
) -> None:
    response, _ = request(toys, method, path)
    assert (response.status, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_could_send_does_nothing(toys: LocalStack, content_type: str) -> None:
    response, _ = request(toys, "POST", "/_local/actions/poison", b"{}", Content_Type=content_type)
    assert response.status == 415


def test_a_body_that_is_far_too_long_is_refused(toys: LocalStack) -> None:
    response, _ = request(
        toys, "POST", "/_local/actions/read", b" " * 70_000, Content_Type="application/json"
    )
    assert response.status == 413


@pytest.mark.parametrize("after", ["x", "-1", ""])
def test_an_event_that_has_no_number_is_a_400(toys: LocalStack, after: str) -> None:
    expected = 200 if after == "" else 400
    assert request(toys, "GET", f"/_local/state?after={after}")[0].status == expected


def test_the_state_tells_the_setting_and_what_happened_since(toys: LocalStack) -> None:
    watching = Watching(toys)
    setting = watching.look()["setting"]
    assert setting["api_url"] == toys.api_url
    assert {"path": "/secret", "signed": True} in setting["routes"]
    assert setting["datasets"] == ["all", *KINDS]
    request(toys, "GET", "/things")
    told = watching.until_event("GET /things")
    assert told["passes"] == ["client-api", "api-reader"]
    assert watching.look()["events"] == []


def test_a_call_that_has_no_answer_yet_is_under_way(toys: LocalStack) -> None:
    assert isinstance(toys.mip, MipCloud)
    seen = []
    toys.mip.on_call = lambda _: seen.append(Watching(toys).look()["mip"]["calls_under_way"])
    toys.mip.call("logout")
    toys.mip.on_call = None
    assert seen == [1]
    assert Watching(toys).look()["mip"]["calls_under_way"] == 0
