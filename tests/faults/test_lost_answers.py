"""AWS requests that took effect although their answer got lost."""

from collections import Counter
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

from core.adapters import aws
from tests.handlers.conftest import Service


class _Raw:
    def stream(self, **_: object) -> list[bytes]:
        return [b""]


class Line:
    """What lies between the functions and AWS; it can lose the answers to requests."""

    def __init__(self) -> None:
        self.sent = Counter[str]()
        self._to_lose = Counter[str]()

    def lose(self, operation: str, times: int = 1) -> None:
        """Drop the answers to an operation's next requests, which have had their effect."""
        self._to_lose[operation] = times

    def watch(self, client: Any) -> Any:
        client.meta.events.register_first("before-send", self._before_send)
        return client

    def _before_send(self, event_name: str, **_: object) -> AWSResponse | None:
        """The emulator is asked all the same, but the first answer is what counts."""
        return self.lost(event_name.rsplit(".", 1)[-1])

    def lost(self, operation: str) -> AWSResponse | None:
        """Note that an operation was asked for; return what comes instead of its answer."""
        self.sent[operation] += 1
        if not self._to_lose[operation]:
            return None
        self._to_lose[operation] -= 1
        return AWSResponse("https://aws", 500, {}, _Raw())


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    built, make = Line(), aws.client

    def watched(*arguments: Any) -> Any:
        return built.watch(make(*arguments))

    send = URLLib3Session.send

    def sent_by_reader(session: URLLib3Session, request: Any) -> Any:
        answer = send(session, request)
        operation = request.headers.get("X-Amz-Target", "S3.GetObject").rpartition(".")[2]
        return built.lost(operation) or answer

    monkeypatch.setattr("handlers.wiring.worker.client", watched)
    monkeypatch.setattr(URLLib3Session, "send", sent_by_reader)
    # Both pause between their tries.
    monkeypatch.setattr("random.random", lambda: 0.0)
    return built


def ask(service: Service, reason: str) -> list[str]:
    service.send({"dataset": "programs", "reason": reason})
    return service.poll()


@pytest.mark.parametrize("is_first", [True, False], ids=["first rebuild", "later rebuild"])
def test_write_whose_answer_is_lost_is_in_place_and_satisfies_the_next_delivery(
    line: Line, service: Service, is_first: bool
) -> None:
    """The SDK repeats the write and meets its own: a conflict, which nobody has to wait out."""
    if not is_first:
        ask(service, "before")
    service.send({"dataset": "programs", "reason": "lost"})
    # The first rebuild writes a tombstone before it logs in.
    for _ in range(2 if is_first else 1):
        line.lose("PutObject")
        assert len(service.poll()) == 1
        assert service.stored("v1/failures/programs.json") is None
    assert service.poll() == []
    assert service.get("/accounts")["statusCode"] == 200
    assert service.mip.counters.login_attempts == (1 if is_first else 2)
    [entry] = service.steer({"action": "status"})["entries"]
    assert (entry["state"], entry["last_error"]) == ("fresh", None)


def test_note_that_was_written_although_no_try_was_answered_is_closed(
    line: Line, service: Service
) -> None:
    line.lose("PutParameter", times=3)
    assert len(ask(service, "lost")) == 1
    assert service.mip.open_sessions == 0
    assert not service.steer({"action": "status"})["session_open"]
    assert service.mip.counters.lockouts == 0


def test_dead_letter_whose_answer_is_lost_is_there_once(line: Line, service: Service) -> None:
    line.lose("SendMessage")
    service.send("poison")
    assert service.poll() == []
    assert service.dead_letter_bodies() == ["poison"]
    assert line.sent["SendMessage"] == 2


def test_rebuild_whose_answer_is_lost_is_queued_once(line: Line, service: Service) -> None:
    line.lose("SendMessage")
    assert service.get("/accounts")["statusCode"] == 503
    assert len(service.queued()) == 1
