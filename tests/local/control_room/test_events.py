"""What lines, requests and calls are told as, and where they light up."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.control_room.events import (
    KEPT,
    LONGEST_TEXT,
    Event,
    EventLog,
    of_line,
    of_mip_call,
    of_request,
)


def logged(message: str, **fields: Any) -> str:
    return json.dumps(
        {"level": "INFO", "message": message, "timestamp": "now", "service": "it"} | fields
    )


@pytest.mark.parametrize(
    ("function", "line", "text", "passes", "level"),
    [
        (
            "ReaderFunction",
            logged("rebuild queued", dataset="programs", reason="miss", message_id="1"),
            "asked for a rebuild of programs (miss)",
            ("reader-queue",),
            "info",
        ),
        (
            "WorkerFunction",
            logged("message dead-lettered", error_type="E", problem="why", level="WARNING"),
            "gave a message up: E: why",
            ("worker-dead_letters",),
            "error",
        ),
        ("WorkerFunction", logged("entry rebuilt"), "stored ?", ("worker-cache",), "good"),
        (
            "WorkerFunction",
            logged("something new", level="WARNING", problem="p", key="k"),
            "something new: problem p, key k",
            ("worker",),
            "warning",
        ),
        ("WorkerFunction", logged("quiet"), "quiet", ("worker",), "info"),
        (
            "AdminFunction",
            logged("admin command", command="Purge"),
            "was told to purge",
            ("admin-cache",),
            "info",
        ),
        (
            "WorkerFunction",
            "RequestId: 1 Error: Task timed out after 3.00 seconds Sandbox.Timedout",
            "RequestId: 1 Error: Task timed out after 3.00 seconds Sandbox.Timedout",
            ("worker",),
            "error",
        ),
        ("AdminFunction", "[ERROR] 1 KeyError: x", "[ERROR] 1 KeyError: x", ("admin",), "error"),
        (
            "WorkerFunction",
            "START RequestId: 1 Version: $LATEST",
            "takes a batch of messages",
            ("queue-worker",),
            "info",
        ),
    ],
)
def test_a_line_is_told_in_words(
    function: str, line: str, text: str, passes: tuple[str, ...], level: str
) -> None:
    told = of_line(function, line)
    assert told
    assert (told.text, told.passes, told.level) == (text, passes, level)
    assert told.listed


def test_the_start_of_a_reader_lights_up_without_a_line_in_the_log() -> None:
    told = of_line("ReaderFunction", "START RequestId: 1 Version: $LATEST")
    assert told
    assert (told.passes, told.listed) == (("reader",), False)


@pytest.mark.parametrize(
    "line",
    [
        "END RequestId: 1",
        "REPORT RequestId: 1 Duration: 1.00 ms",
        "  File x, line 1, in y",
        '{"_aws": {}, "message": "metrics"}',
        '{"no": "message"}',
        "[1, 2]",
        "7",
        logged("admin command", command="ListDeadLetters"),
        logged("admin command", command="Status"),
        logged("admin command done", summary="1 entry deleted"),
    ],
)
def test_what_is_no_news_is_not_told(line: str) -> None:
    assert of_line("AdminFunction", line) is None


def test_a_long_text_is_cut() -> None:
    told = of_line("WorkerFunction", logged("x" * 10_000))
    assert told
    assert len(told.text) == LONGEST_TEXT


@pytest.mark.parametrize(("status", "level"), [(200, "good"), (404, "warning"), (503, "error")])
def test_a_request_is_told_with_what_the_cache_did(status: int, level: str) -> None:
    told = of_request("GET", "/tags", status, "mips-cache; hit; ttl=5", 0.0123)
    assert told.text == f"GET /tags → {status} (hit; ttl=5) in 12 ms"
    assert (told.level, told.passes[-1]) == (level, "reader-cache")


def test_a_request_that_never_got_to_the_cache_lights_no_way_to_it() -> None:
    told = of_request("GET", "/tags", 400, "", 0.001)
    assert told.text == "GET /tags → 400 (not from the cache) in 1 ms"
    assert "reader-cache" not in told.passes


@pytest.mark.parametrize(
    ("status", "fault", "text", "level"),
    [
        (200, None, "answered accounts", "info"),
        (500, "status", "answered 500 at accounts (fault: status)", "error"),
        (200, "refuse", "cut the connection at accounts (fault: refuse)", "error"),
        (401, None, "answered 401 at accounts", "error"),
    ],
)
def test_a_call_of_mip_is_told_with_what_was_wrong(
    status: int, fault: str | None, text: str, level: str
) -> None:
    told = of_mip_call("accounts", status, fault)
    assert (told.text, told.level, told.passes) == (text, level, ("worker-mip",))


def test_the_log_keeps_the_last_events_and_hands_out_those_after_a_number() -> None:
    log = EventLog(lambda: datetime(2026, 11, 26, tzinfo=UTC))
    for number in range(1, KEPT + 2):
        log.add(Event("api", f"number {number}", ()))
    assert [event["text"] for event in log.after(KEPT)] == [f"number {KEPT + 1}"]
    assert [event["number"] for event in log.after(0)] == list(range(2, KEPT + 2))
