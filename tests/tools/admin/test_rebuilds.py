"""`refresh` and `purge`."""

import io
import sys
from typing import Any

import pytest

from tests.tools.admin.command_line import (
    CommandLine,
    TerminalFile,
    entry,
    failure,
    letter,
    letters,
    status,
)

ID = "0b6e7f2c"
PROGRAMS = {"dataset": "programs"}
OCTOBER = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}
SEPTEMBER = {"dataset": "balances", "from": "2026-09-01", "to": "2026-09-30"}
PERIOD = ("--from", "2026-10-01", "--to", "2026-10-31")
OLD, NEW = entry(age_seconds=90), entry(age_seconds=0)


def queued(*messages: dict[str, str]) -> dict[str, Any]:
    return {
        "summary": f"{len(messages)} rebuilds queued",
        "count": len(messages),
        "queued": [{**message, "message_id": "message-1"} for message in messages],
        "correlation_id": ID,
    }


def planned(*keys: str) -> dict[str, Any]:
    return {"summary": "so many entries", "count": len(keys), "keys": keys, "failure_records": 0}


def failed(correlation_id: str) -> dict[str, Any]:
    """October's balances, which could not be rebuilt."""
    error = failure(dead_lettered=True, correlation_id=correlation_id)
    return entry(**OCTOBER, last_error=error)


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ([], {"dataset": "all"}),
        (["programs"], PROGRAMS),
        (["balances", *PERIOD], OCTOBER),
        ([*PERIOD], OCTOBER),
        (["programs", "--accept-shrink"], {**PROGRAMS, "accept_shrink": True}),
    ],
)
def test_refresh_asks_the_admin_function(
    admin: CommandLine, command: list[str], payload: dict[str, Any]
) -> None:
    admin.answers["refresh"] = [queued(PROGRAMS)]
    result = admin("refresh", *command)
    assert admin.payloads == [{"action": "refresh", **payload}]
    assert (result.status, f"correlation id {ID}" in result.out) == (0, True)


@pytest.mark.parametrize(
    ("asked_for", "answers"),
    [
        # SQS counts approximately: the message may not be counted yet.
        ([PROGRAMS], [status(OLD), status(OLD, queue=(0, 1)), status(NEW)]),
        (
            [OCTOBER, SEPTEMBER],
            [status(NEW | OCTOBER, OLD | SEPTEMBER), status(NEW | OCTOBER, NEW | SEPTEMBER)],
        ),
        # Balances are still at work behind the programs.
        (
            [{"dataset": "all"}],
            [status(NEW, queue=(0, 1)), status(NEW, session_open=True), status(NEW)],
        ),
    ],
)
def test_refresh_waits_for_a_younger_entry_of_each_that_was_asked_for(
    admin: CommandLine, asked_for: list[dict[str, str]], answers: list[dict[str, Any]]
) -> None:
    admin.answers |= {"refresh": [queued(*asked_for)], "status": list(answers)}
    result = admin("refresh", "--wait")
    assert (result.status, result.out.splitlines()[0]) == (0, "Rebuilt.")
    assert admin.times_asked == len(answers)


@pytest.mark.parametrize(
    ("ours", "found", "ended", "told"),
    [
        (ID, [OLD], 1, "UpstreamDataError: the list of programs shrank"),
        (ID, [NEW, failed(ID)], 1, "balances 2026-10-01 2026-10-31 UpstreamDataError"),
        ("another", [NEW, failed("another")], 0, "Rebuilt."),
    ],
)
def test_refresh_that_waits_fails_for_its_own_failures_only_and_tells_why(
    admin: CommandLine, ours: str, found: list[dict[str, Any]], ended: int, told: str
) -> None:
    body = f'{{"dataset": "programs", "correlation_id": "{ours}"}}'
    admin.answers |= {
        "refresh": [queued(PROGRAMS)],
        "status": [status(*found, dead_letters=2)],
        "dead_letters": [letters(letter(), letter(body=body))],
    }
    result = admin("refresh", "--wait")
    assert (result.status, told in result.out) == (ended, True)


@pytest.mark.parametrize(("answer", "ended", "purges"), [("y\n", 0, 1), ("\n", 1, 0), ("", 1, 0)])
def test_purge_asks(
    admin: CommandLine, monkeypatch: pytest.MonkeyPatch, answer: str, ended: int, purges: int
) -> None:
    monkeypatch.setattr(sys, "stdin", TerminalFile(answer))
    admin.answers["purge"] = [planned("cache/v1/programs.json")]
    assert admin("purge", "programs", "--soft").status == ended
    done = [payload for payload in admin.payloads if "dry_run" not in payload]
    assert done == [{"action": "purge", **PROGRAMS, "soft": True}] * purges


def test_purge_that_nobody_confirms_only_looks(
    admin: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    admin.answers["purge"] = [planned("cache/v1/programs.json")]
    result = admin("purge")
    assert (result.status, "--yes" in result.err) == (2, True)
    assert "cache/v1/programs.json" in result.err
    assert [payload.get("dry_run") for payload in admin.payloads] == [True]


def test_purge_does_not_ask_with_yes(admin: CommandLine) -> None:
    admin.answers["purge"] = [planned("cache/v1/programs.json")]
    assert admin("purge", "--yes").out == "so many entries\n  cache/v1/programs.json\n"
    assert admin.payloads[-1] == {"action": "purge", "dataset": "all"}


def test_purge_of_nothing_asks_nothing(admin: CommandLine) -> None:
    admin.answers["purge"] = [planned()]
    assert admin("purge").out == "There is nothing to purge.\n"
