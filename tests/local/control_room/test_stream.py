"""What those who watch are told, and that none of them is in another's way."""

import pytest

from local.control_room import watchers as watchers_module
from local.stack import LocalStack
from tests.local.control_room.watching import Watching, request
from tests.local.toy_stack import eventually

THINGS = "GET /things"


def test_a_watcher_is_told_the_setting_and_then_the_state(toys: LocalStack) -> None:
    with Watching(toys) as watching:
        assert watching.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        kind, setting = watching.next() or ("", {})
        assert kind == "setting"
        assert setting["api_url"] == toys.api_url
        assert {"path": "/secret", "signed": True} in setting["routes"]
        state = watching.until("state")
        assert state["queue"] == {"visible": 0, "in_flight": 0}
        assert state["mip"]["open_sessions"] == 0
        assert state["problems"] == []


def test_what_happens_is_told_to_everybody(toys: LocalStack) -> None:
    with Watching(toys) as one, Watching(toys) as other:
        for watching in (one, other):
            watching.until("state")
        request(toys, "GET", "/things")
        for watching in (one, other):
            told = watching.until("happening", lambda it: it["text"].startswith(THINGS))
            assert told["passes"] == ["client-api", "api-reader"]


def test_a_change_is_told_without_a_happening(toys: LocalStack) -> None:
    with Watching(toys) as watching:
        before = watching.until("state")["queue"]["visible"]
        toys.client("sqs").send_message(
            QueueUrl=toys.resources["RebuildQueue"], MessageBody="{}", MessageGroupId="toys"
        )
        watching.until("state", lambda state: state["queue"]["visible"] == before + 1)


def test_a_newcomer_is_told_what_has_happened_before(toys: LocalStack) -> None:
    request(toys, "GET", "/things")
    with Watching(toys) as watching:
        watching.until("happening", lambda it: it["text"].startswith(THINGS))


def test_a_quiet_stream_has_a_heartbeat(toys: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchers_module, "HEARTBEAT_SECONDS", 0.05)
    with Watching(toys) as watching:
        watching.until("state")
        assert any(watching.line().startswith(":") for _ in range(20))


def test_too_many_watchers_are_refused_until_one_has_gone(
    toys: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers_module, "HEARTBEAT_SECONDS", 0.05)

    def status() -> int:
        with Watching(toys) as watching:
            return watching.response.status

    # Those of the tests before are noticed to have gone at their own next heartbeat.
    assert eventually(lambda: len(toys.control_room._watchers) == 0, seconds=15)
    monkeypatch.setattr(watchers_module, "MOST_WATCHERS", 1)
    with Watching(toys) as first:
        first.until("state")
        response, _ = request(toys, "GET", "/_local/events")
        assert (response.status, response.headers["Retry-After"]) == (503, "10")
    assert eventually(lambda: status() == 200)
