"""Timelines, read from lines as the worker writes them."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local.control_room.events import fields_of
from local.control_room.rebuilds import KEPT, Rebuilds
from tests.builders import NOW
from tests.fakes import FakeClock

START = "START RequestId: 1"


class Worker:
    """Writes lines, each at its second."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rebuilds = Rebuilds(self.clock)

    def gets(self, *bodies: str, receives: int, sent_before: float) -> None:
        sent = str(round((NOW.timestamp() - sent_before) * 1000))
        attributes = {"SentTimestamp": sent, "ApproximateReceiveCount": str(receives)}
        records = [{"body": body, "attributes": attributes} for body in bodies]
        self.rebuilds.on_batch(json.dumps({"Records": records}))

    def writes(self, second: float, line: str = "", **fields: Any) -> None:
        self.clock.now = NOW + timedelta(seconds=second)
        line = line or json.dumps(fields)
        self.rebuilds.on_line(line, fields_of(line))


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_batch_is_told_from_its_waiting_to_its_end(worker: Worker) -> None:
    worker.gets('{"dataset": "programs"}', "{", receives=2, sent_before=90.5)
    worker.writes(0, START)
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
    [rebuild] = worker.rebuilds.as_json()
    steps = [(step["name"], step["seconds"]) for step in rebuild.pop("steps")]
    assert steps == [("login", 0.25), ("pause", 0.5), ("accounts", 1.0), ("store", 0.5)]
    assert rebuild == {
        "number": 1,
        "began_at": NOW.isoformat(timespec="milliseconds"),
        "asked": ["programs", "?"],
        "attempt": 2,
        "waited_seconds": 90.5,
        "errors": ["LockedOutError"],
        "seconds": 5.0,
    }


def test_an_invocation_by_hand_waited_for_nothing_and_the_last_ones_are_kept(
    worker: Worker,
) -> None:
    for _ in range(KEPT + 1):
        worker.writes(0, START)
    kept = worker.rebuilds.as_json()
    assert [rebuild["number"] for rebuild in kept] == [*range(KEPT + 1, 1, -1)]
    assert (kept[0]["asked"], kept[0]["waited_seconds"]) == ([], 0)


@pytest.mark.parametrize("line", ["END RequestId: 1", '{"MipSeconds": [1]}', "{"])
def test_a_line_before_any_start_is_no_ones(worker: Worker, line: str) -> None:
    worker.writes(0, line)
    assert worker.rebuilds.as_json() == []
