"""Requests to AWS that fail, or take effect although their answer gets lost."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from core.adapters import aws
from handlers.wiring.reader import reader as reader_services
from tests.handlers.conftest import Service

PROGRAMS = "v1/programs.json"


class _Raw:
    def stream(self, **_: object) -> list[bytes]:
        return [b""]


class Line:
    """What lies between the worker and AWS."""

    def __init__(self) -> None:
        self.broken_for: str | None = None
        self._operation, self._times = "", 0

    def lose(self, operation: str, times: int = 1) -> None:
        """Drop the answers to an operation's next requests, which have had their effect."""
        self._operation, self._times = operation, times

    def client(self, *arguments: Any) -> Any:
        made: Any = aws.client(*arguments)
        made.meta.events.register_first("before-send", self._before_send)
        return made

    def _before_send(self, event_name: str, **_: object) -> AWSResponse | None:
        """The emulator is asked even after an answer, but the first answer is what counts."""
        operation = event_name.rsplit(".", 1)[-1]
        if operation == self.broken_for:
            raise EndpointConnectionError(endpoint_url="https://aws")
        if operation != self._operation or not self._times:
            return None
        self._times -= 1
        return AWSResponse("https://aws", 500, {}, _Raw())


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    built = Line()
    monkeypatch.setattr("handlers.wiring.worker.client", built.client)
    # The SDK pauses between its tries.
    monkeypatch.setattr("random.random", lambda: 0.0)
    return built


def ask(service: Service, reason: str) -> list[str]:
    service.send({"dataset": "programs", "reason": reason})
    return service.poll()


LOGINS = {"GetParameters": 0, "GetParameter": 0, "PutParameter": 1, "GetObject": 0, "PutObject": 1}


@pytest.mark.parametrize("operation", LOGINS)
def test_worker_that_meets_an_aws_fault_keeps_the_message_and_closes_its_session(
    line: Line, warm: Service, operation: str
) -> None:
    before, stored = warm.mip.counters.login_attempts, warm.stored(PROGRAMS)
    line.broken_for = operation
    assert len(ask(warm, "broken")) == 1
    assert warm.mip.counters.login_attempts - before == LOGINS[operation]
    assert warm.mip.open_sessions == 0
    assert warm.stored(PROGRAMS) == stored
    line.broken_for = None
    warm.sqs.purge_queue(QueueUrl=warm.queue_url)
    assert ask(warm, "healed") == []
    assert warm.mip.counters.lockouts == 0


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


def test_reader_without_a_region_answers_503(
    warm: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader_services.cache_clear()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert warm.get("/accounts")["statusCode"] == 503
