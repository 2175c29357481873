"""The control room's pages: complete, strict, and nobody else's."""

import json
import re
from pathlib import Path

import pytest

from core.model.datasets import KINDS
from local.control_room.pages import FOLDER
from tests.local.control_room.watching import Watching

OWN_SCHEME_NAMES = {"http://www.w3.org/2000/svg"}
FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())


def test_the_front_page_is_served_under_a_strict_policy(toys: Watching) -> None:
    response, body = toys.ask("GET", "/_local/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert b"<h1>Control room</h1>" in body
    assert toys.ask("HEAD", "/_local/")[0].status == 200


def test_the_address_without_its_slash_leads_to_the_page(toys: Watching) -> None:
    response, _ = toys.ask("GET", "/_local")
    assert (response.status, response.headers["Location"]) == (308, "/_local/")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_refers_to_what_is_served_here_and_holds_nothing_that_the_policy_forbids(
    toys: Watching, path: Path
) -> None:
    text = path.read_text("utf-8")
    references = re.findall(r'(?:src|href)="([^"#]+)"|from "\./([^"]+)"', text)
    for name in {first or second for first, second in references}:
        assert toys.ask("GET", f"/_local/{name}")[0].status == 200, name
    assert set(re.findall(r"https?://[^\s\"')]+", text)) <= OWN_SCHEME_NAMES
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_the_api_keeps_every_other_path(toys: Watching) -> None:
    _, body = toys.ask("GET", "/things")
    assert json.loads(body)["path"] == "/things"
    response, _ = toys.ask("GET", "/_locale")
    assert (response.status, response.headers["x-amzn-RequestId"] is None) == (403, False)


FORM = {"Content_Type": "application/x-www-form-urlencoded"}
JSON = {"Content_Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "allowed"),
    [
        ("GET", "nothing", {}, 404, None),
        ("GET", "../room.py", {}, 404, None),
        ("GET", "%2e%2e/room.py", {}, 404, None),
        ("POST", "", {}, 405, "GET, HEAD"),
        ("DELETE", "state", {}, 405, "GET, HEAD"),
        ("GET", "actions/read", {}, 405, "POST"),
        ("POST", "actions/read", JSON, 413, None),
        ("POST", "actions/poison", FORM, 415, None),
        ("POST", "actions/poison", {}, 415, None),
        ("GET", "state?after=x", {}, 400, None),
        ("GET", "state?after=-1", {}, 400, None),
    ],
)
def test_what_is_not_there_or_not_allowed_is_told_as_a_problem(
    toys: Watching, method: str, path: str, headers: dict[str, str], status: int, allowed: str
) -> None:
    far_too_long = b" " * 70_000
    response, body = toys.ask(method, f"/_local/{path}", far_too_long, **headers)
    assert (response.status, response.headers["Allow"]) == (status, allowed)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["status"] == status


def test_the_state_tells_the_setting_and_what_happened_since(toys: Watching) -> None:
    setting = toys.look()["setting"]
    assert setting["api_url"] == toys.stack.api_url
    assert {"path": "/secret", "signed": True} in setting["routes"]
    assert setting["datasets"] == ["all", *KINDS]
    toys.ask("GET", "/things")
    told = toys.until_event("GET /things")
    assert told["passes"] == ["client-api", "api-reader"]
    assert toys.look()["events"] == []


def test_a_call_that_has_no_answer_yet_is_under_way(toys: Watching) -> None:
    seen = []
    toys.mip.on_call = lambda _: seen.append(toys.look()["mip"]["calls_under_way"])
    toys.mip.call("logout")
    toys.mip.on_call = None
    assert seen == [1]
    assert toys.look()["mip"]["calls_under_way"] == 0
