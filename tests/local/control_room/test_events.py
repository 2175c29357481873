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
    fields_of,
    of_command,
    of_line,
    of_mip_call,
    of_request,
)


def told_by(function: str, line: str) -> Event | None:
    return of_line(function, line, fields_of(line))


def logged(message: str, **fields: Any) -> str:
    return json.dumps(
        {"level": "INFO", "message": message, "timestamp": "now", "service": "it"} | fields
    )


READER, WORKER = "ReaderFunction", "WorkerFunction"
QUEUED = logged("rebuild queued", dataset="programs", reason="miss", message_id="1")
GIVEN_UP = logged("message dead-lettered", error_type="E", problem="why", level="WARNING")
UNKNOWN = logged("something new", level="WARNING", problem="p", key="k")
TIMED_OUT = "RequestId: 1 Error: Task timed out after 3.00 seconds Sandbox.Timedout"
STARTED = "START RequestId: 1 Version: $LATEST"


@pytest.mark.parametrize(
    ("function", "line", "text", "passes", "level"),
    [
        (READER, QUEUED, "asked for a rebuild of programs (miss)", "reader-queue", "info"),
        (WORKER, GIVEN_UP, "gave a message up: E: why", "worker-dead_letters", "error"),
        (WORKER, logged("entry rebuilt"), "stored ?", "worker-cache", "good"),
        (WORKER, UNKNOWN, "something new: problem p, key k", "worker", "warning"),
        (WORKER, logged("quiet"), "quiet", "worker", "info"),
        (WORKER, TIMED_OUT, TIMED_OUT, "worker", "error"),
        (READER, "[ERROR] 1 KeyError: x", "[ERROR] 1 KeyError: x", "reader", "error"),
        (WORKER, STARTED, "takes a batch of messages", "queue-worker", "info"),
    ],
)
def test_a_line_is_told_in_words(
    function: str, line: str, text: str, passes: str, level: str
) -> None:
    told = told_by(function, line)
    assert told
    assert (told.text, told.passes, told.level) == (text, (passes,), level)
    assert told.listed


def test_the_start_of_a_reader_lights_up_without_a_line_in_the_log() -> None:
    told = told_by(READER, STARTED)
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
        "[" * 50_000,
        # Told with payload and result, see below.
        logged("admin command", command="Purge"),
        logged("admin command done", summary="1 entry deleted"),
        "[ERROR] InvalidCommandError: dataset must be …",
    ],
)
def test_what_is_no_news_is_not_told(line: str) -> None:
    assert told_by("AdminFunction", line) is None


def test_a_long_text_is_cut() -> None:
    told = told_by(WORKER, logged("x" * 10_000))
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


@pytest.mark.parametrize(
    ("payload", "text", "passes"),
    [
        ({"action": "purge"}, "purge all", ("admin-cache",)),
        (
            {"action": "purge", "dataset": "programs", "soft": True},
            "soft purge programs",
            ("admin-cache",),
        ),
        (
            {"action": "refresh", "dataset": "balances", "from": "2026-11-01", "to": "2026-11-26"},
            "refresh balances 2026-11-01 to 2026-11-26",
            ("admin-queue",),
        ),
        ({"action": "discard", "message_id": "7"}, "discard letter 7", ("admin-dead_letters",)),
        ({"action": "discard", "all": True}, "discard all", ("admin-dead_letters",)),
    ],
)
def test_a_command_is_told_with_what_it_is_about_and_its_result(
    payload: dict[str, Any], text: str, passes: tuple[str, ...]
) -> None:
    told = of_command(json.dumps(payload), '{"summary": "that is done"}', failed=False)
    assert told == Event("admin", f"{text}: that is done", passes)


@pytest.mark.parametrize("payload", [{"action": "status"}, {"action": "dead_letters"}, {}, [], 7])
def test_a_command_that_only_looks_is_told_if_it_fails(payload: Any) -> None:
    assert of_command(json.dumps(payload), "[]", failed=False) is None
    error = '{"errorType": "InvalidCommandError", "errorMessage": "why"}'
    told = of_command(json.dumps(payload), error, failed=True)
    assert told
    assert told.text.endswith(": InvalidCommandError: why")
    assert (told.level, told.passes) == ("error", ("admin",))


def test_the_log_keeps_the_last_events_of_each_source_in_their_order() -> None:
    log = EventLog(lambda: datetime(2026, 11, 26, tzinfo=UTC))
    for number in range(1, KEPT + 4):
        log.add(Event("admin" if number == 2 else "api", f"number {number}", ()), rebuild=3)
    assert [event["text"] for event in log.after(KEPT + 2)] == [f"number {KEPT + 3}"]
    assert [event["number"] for event in log.after(0)] == [2, *range(4, KEPT + 4)]
    assert log.after(0)[-1]["rebuild"] == 3
    assert log.after(0)[0]["at"] == "2026-11-26T00:00:00.000+00:00"
