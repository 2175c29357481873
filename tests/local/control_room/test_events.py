"""What lines, requests and calls are told as, and where they light up."""

import json
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
from tests.builders import NOW
from tests.fakes import FakeClock


def shown(event: Event | None) -> str | None:
    """An event as one text: its level, where it passes, what it says."""
    return f"{event.level} at {' and '.join(event.passes)}: {event.text}" if event else None


def logged(message: str, **fields: Any) -> str:
    return json.dumps(
        {"level": "INFO", "message": message, "timestamp": "now", "service": "it"} | fields
    )


TIMED_OUT = "RequestId: 1 Error: Task timed out after 3.00 seconds Sandbox.Timedout"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            logged("rebuild queued", dataset="programs", reason="miss", message_id="1"),
            "info at reader-queue: asked for a rebuild of programs (miss)",
        ),
        (
            logged("message dead-lettered", error_type="E", problem="why", level="WARNING"),
            "error at worker-dead_letters: gave a message up: E: why",
        ),
        (logged("entry rebuilt"), "good at worker-cache: stored ?"),
        (
            logged("something new", level="WARNING", problem="p", key="k"),
            "warning at worker: something new: problem p, key k",
        ),
        (logged("quiet"), "info at worker: quiet"),
        (TIMED_OUT, f"error at worker: {TIMED_OUT}"),
        ("[ERROR] 1 KeyError: x", "error at worker: [ERROR] 1 KeyError: x"),
        ("START RequestId: 1 Version: 1", "info at queue-worker: takes a batch of messages"),
    ],
)
def test_a_line_is_told_in_words(line: str, told: str) -> None:
    event = of_line("WorkerFunction", line, fields_of(line))
    assert event
    assert (shown(event), event.listed) == (told, True)


def test_the_start_of_a_reader_lights_up_without_a_line_in_the_log() -> None:
    assert of_line("ReaderFunction", "START RequestId: 1 Version: $LATEST", None) == Event(
        "reader", "", ("reader",), listed=False
    )


@pytest.mark.parametrize(
    "line",
    [
        "END RequestId: 1",
        "  File x, line 1, in y",
        '{"_aws": {}, "message": "metrics"}',
        '{"no": "message"}',
        "[1, 2]",
        "[" * 50_000,
        # Told with payload and result, see below.
        logged("admin command", command="Purge"),
        logged("admin command done", summary="1 entry deleted"),
        "[ERROR] InvalidCommandError: dataset must be …",
    ],
)
def test_what_is_no_news_is_not_told(line: str) -> None:
    assert of_line("AdminFunction", line, fields_of(line)) is None


def test_a_long_text_is_cut() -> None:
    told = of_line("WorkerFunction", "", {"message": "x" * 10_000})
    assert told
    assert len(told.text) == LONGEST_TEXT


WAY = "client-api and api-reader"
CACHED = f"{WAY} and reader-cache"


@pytest.mark.parametrize(
    ("status", "cache_status", "told"),
    [
        (200, "mips-cache; hit; ttl=5", f"good at {CACHED}: GET /tags → 200 (hit; ttl=5) in 12 ms"),
        (503, "mips-cache; fwd=miss", f"error at {CACHED}: GET /tags → 503 (fwd=miss) in 12 ms"),
        (400, "", f"warning at {WAY}: GET /tags → 400 (not from the cache) in 12 ms"),
    ],
)
def test_a_request_is_told_with_what_the_cache_did(
    status: int, cache_status: str, told: str
) -> None:
    assert shown(of_request("GET", "/tags", status, cache_status, 0.0123)) == told


@pytest.mark.parametrize(
    ("status", "fault", "told"),
    [
        (200, None, "info at worker-mip: answered accounts"),
        (500, "status", "error at worker-mip: answered 500 at accounts (fault: status)"),
        (200, "refuse", "error at worker-mip: cut the connection at accounts (fault: refuse)"),
        (401, None, "error at worker-mip: answered 401 at accounts"),
    ],
)
def test_a_call_of_mip_is_told_with_what_was_wrong(
    status: int, fault: str | None, told: str
) -> None:
    assert shown(of_mip_call("accounts", status, fault)) == told


NOVEMBER = {"dataset": "balances", "from": "2026-11-01", "to": "2026-11-26"}


@pytest.mark.parametrize(
    ("action", "arguments", "told"),
    [
        ("purge", {}, "admin-cache: purge all"),
        ("purge", {"dataset": "x", "soft": True}, "admin-cache: soft purge x"),
        ("refresh", NOVEMBER, "admin-queue: refresh balances 2026-11-01 to 2026-11-26"),
        ("discard", {"message_id": "7"}, "admin-dead_letters: discard letter 7"),
        ("discard", {"all": True}, "admin-dead_letters: discard all"),
    ],
)
def test_a_command_is_told_with_what_it_is_about_and_its_result(
    action: str, arguments: dict[str, Any], told: str
) -> None:
    payload = json.dumps({"action": action} | arguments)
    event = of_command(payload, '{"summary": "that is done"}', failed=False)
    assert shown(event) == f"info at {told}: that is done"


@pytest.mark.parametrize("payload", [{"action": "status"}, {}, []])
def test_a_command_that_only_looks_is_told_if_it_fails(payload: Any) -> None:
    assert of_command(json.dumps(payload), "[]", failed=False) is None
    error = '{"errorType": "InvalidCommandError", "errorMessage": "why"}'
    told = of_command(json.dumps(payload), error, failed=True)
    assert told
    assert told.text.endswith(": InvalidCommandError: why")
    assert (told.level, told.passes) == ("error", ("admin",))


def test_the_log_keeps_the_last_events_of_each_source_in_their_order() -> None:
    log = EventLog(FakeClock())
    log.add(Event("admin", "rare", ()))
    for number in range(2, KEPT + 3):
        log.add(Event("api", f"number {number}", ()), rebuild=3)
    assert [event["text"] for event in log.after(KEPT + 1)] == [f"number {KEPT + 2}"]
    assert [event["number"] for event in log.after(0)] == [1, *range(3, KEPT + 3)]
    assert log.after(0)[-1]["rebuild"] == 3
    assert log.after(0)[0]["at"] == NOW.isoformat(timespec="milliseconds")
