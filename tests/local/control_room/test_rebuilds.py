"""Timelines, read from lines as the worker writes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.control_room.events import fields_of
from local.control_room.rebuilds import KEPT, Rebuilds
from tests.fakes import FakeClock

START = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Worker:
    """Writes lines, each at its second."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.rebuilds = Rebuilds(self.clock)

    def gets(self, *bodies: str, receives: int = 1, sent_before: float = 0) -> None:
        sent = str(round((START.timestamp() - sent_before) * 1000))
        attributes = {"SentTimestamp": sent, "ApproximateReceiveCount": str(receives)}
        records = [{"body": body, "attributes": attributes} for body in bodies]
        self.rebuilds.saw_batch(json.dumps({"Records": records}))

    def writes(self, second: float, line: str = "", **fields: Any) -> None:
        self.clock.now = START + timedelta(seconds=second)
        line = line or json.dumps(fields)
        self.rebuilds.saw_line(line, fields_of(line))

    @property
    def rebuild(self) -> Any:
        return self.rebuilds.as_json()[0]


def test_a_batch_is_told_from_its_waiting_to_its_end() -> None:
    worker = Worker()
    worker.gets('{"dataset": "programs"}', "{", receives=2, sent_before=90.5)
    worker.writes(0, "START RequestId: 1")
    assert worker.rebuilds.running == 1
    worker.writes(1, call="login", MipSeconds=[0.25])
    worker.writes(2, message="call retried", backoff_seconds=0.5)
    worker.writes(3, call="accounts", MipSeconds=1)
    worker.writes(3.5, message="entry rebuilt", dataset="programs", seconds=2)
    worker.writes(4, message="rebuild failed", error_type="LockedOutError")
    worker.writes(4, message="message retried", error_type="LockedOutError")
    worker.writes(5, "END RequestId: 1")
    worker.writes(6, call="late", MipSeconds=[1])
    assert worker.rebuilds.running is None
    assert worker.rebuild | {"steps": []} == {
        "number": 1,
        "began_at": "2026-11-26T12:00:00.000+00:00",
        "asked": ["programs", "?"],
        "attempt": 2,
        "waited_seconds": 90.5,
        "steps": [],
        "errors": ["LockedOutError"],
        "seconds": 5.0,
    }
    assert [(step["name"], step["seconds"]) for step in worker.rebuild["steps"]] == [
        ("login", 0.25),
        ("pause", 0.5),
        ("accounts", 1.0),
        ("store", 0.5),
    ]


def test_an_invocation_by_hand_waited_for_nothing() -> None:
    worker = Worker()
    worker.writes(0, "START RequestId: 1")
    assert (worker.rebuild["asked"], worker.rebuild["waited_seconds"]) == ([], 0)


def test_the_last_ones_are_kept() -> None:
    worker = Worker()
    for _ in range(KEPT + 1):
        worker.writes(0, "START RequestId: 1")
    assert [one["number"] for one in worker.rebuilds.as_json()] == [*range(KEPT + 1, 1, -1)]


@pytest.mark.parametrize("line", ["END RequestId: 1", '{"MipSeconds": [1]}', "{"])
def test_a_line_before_any_start_is_no_ones(line: str) -> None:
    worker = Worker()
    worker.writes(0, line)
    assert worker.rebuilds.as_json() == []
