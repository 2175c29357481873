"""`refresh` and `purge`."""

import io
import sys
from typing import Any

import pytest

from tests.tools.admin.desk import Desk, TerminalFile, entry, failure, letter, letters, status

ID = "0b6e7f2c"
MONTH = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}
PERIOD = ("--from", "2026-10-01", "--to", "2026-10-31")


def queued(*messages: dict[str, str]) -> dict[str, Any]:
    return {
        "summary": f"{len(messages)} rebuilds queued",
        "count": len(messages),
        "queued": [{**message, "message_id": "message-1"} for message in messages],
        "correlation_id": ID,
    }


def planned(*keys: str) -> dict[str, Any]:
    return {"summary": "so many entries", "count": len(keys), "keys": keys, "failure_records": 0}


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ([], {"dataset": "all"}),
        (["programs"], {"dataset": "programs"}),
        (["balances", *PERIOD], MONTH),
        ([*PERIOD], MONTH),
        (["programs", "--accept-shrink"], {"dataset": "programs", "accept_shrink": True}),
    ],
)
def test_refresh_asks_the_admin_function(
    desk: Desk, command: list[str], payload: dict[str, Any]
) -> None:
    desk.function.answers["refresh"] = [queued({"dataset": "programs"})]
    result = desk("refresh", *command)
    assert desk.function.payloads == [{"action": "refresh", **payload}]
    assert (result.status, f"correlation id {ID}" in result.out) == (0, True)


def test_refresh_that_waits_does_not_trust_an_empty_queue_but_a_younger_entry(desk: Desk) -> None:
    """SQS counts approximately: the message may not be counted yet."""
    desk.function.answers["refresh"] = [queued({"dataset": "programs"})]
    old, new = entry(age_seconds=90), entry(age_seconds=0)
    desk.function.answers["status"] = [status(old), status(old, queue=(0, 1)), status(new)]
    result = desk("refresh", "programs", "--wait")
    assert (result.status, result.out.splitlines()[0]) == (0, "Rebuilt.")
    assert [payload["action"] for payload in desk.function.payloads].count("status") == 3


def test_refresh_that_waits_waits_for_each_period(desk: Desk) -> None:
    other = {"dataset": "balances", "from": "2026-09-01", "to": "2026-09-30"}
    desk.function.answers["refresh"] = [queued(MONTH, other)]
    half = status(entry(**MONTH, age_seconds=0), entry(**other, age_seconds=90))
    whole = status(entry(**MONTH, age_seconds=0), entry(**other, age_seconds=0))
    desk.function.answers["status"] = [half, whole]
    desk("refresh", "balances", "--wait")
    assert [payload["action"] for payload in desk.function.payloads].count("status") == 2


def test_refresh_of_all_waits_for_what_is_still_at_work_behind_the_programs(desk: Desk) -> None:
    desk.function.answers["refresh"] = [queued({"dataset": "all"})]
    built = entry(age_seconds=0)
    desk.function.answers["status"] = [
        status(built, queue=(0, 1)),
        status(built, session_open=True),
        status(built),
    ]
    assert desk("refresh", "--wait").status == 0
    assert [payload["action"] for payload in desk.function.payloads].count("status") == 3


def test_refresh_that_failed_for_good_tells_why(desk: Desk) -> None:
    desk.function.answers["refresh"] = [queued({"dataset": "programs"})]
    desk.function.answers["status"] = [status(entry(age_seconds=90), dead_letters=2)]
    ours = letter(body=f'{{"dataset": "programs", "correlation_id": "{ID}"}}')
    desk.function.answers["dead_letters"] = [letters(letter(), ours)]
    result = desk("refresh", "programs", "--wait")
    assert result.status == 1
    assert "UpstreamDataError: the list of programs shrank" in result.out


def test_refresh_of_all_fails_if_only_the_balances_do(desk: Desk) -> None:
    desk.function.answers["refresh"] = [queued({"dataset": "all"})]
    failed = failure(dead_lettered=True, correlation_id=ID)
    desk.function.answers["status"] = [
        status(entry(age_seconds=0), entry(**MONTH, last_error=failed))
    ]
    result = desk("refresh", "--wait")
    assert result.status == 1
    assert "balances 2026-10-01 2026-10-31 TransientUpstreamError" in result.out


def test_failures_of_others_are_none_of_this_refresh(desk: Desk) -> None:
    desk.function.answers["refresh"] = [queued({"dataset": "programs"})]
    other = failure(dead_lettered=True, correlation_id="another")
    desk.function.answers["status"] = [
        status(entry(age_seconds=0), entry(**MONTH, last_error=other), dead_letters=1)
    ]
    desk.function.answers["dead_letters"] = [letters(letter())]
    assert desk("refresh", "programs", "--wait").status == 0


def test_purge_that_nobody_confirms_only_looks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    desk.function.answers["purge"] = [planned("cache/v1/programs.json")]
    result = desk("purge")
    assert result.status == 2
    assert "cache/v1/programs.json" in result.err
    assert "--yes" in result.err
    assert [payload.get("dry_run") for payload in desk.function.payloads] == [True]


@pytest.mark.parametrize(("answer", "ended", "purges"), [("y\n", 0, 1), ("\n", 1, 0), ("", 1, 0)])
def test_purge_asks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: str, ended: int, purges: int
) -> None:
    monkeypatch.setattr(sys, "stdin", TerminalFile(answer))
    desk.function.answers["purge"] = [planned("cache/v1/programs.json")]
    assert desk("purge", "programs", "--soft").status == ended
    done = [payload for payload in desk.function.payloads if "dry_run" not in payload]
    assert done == [{"action": "purge", "dataset": "programs", "soft": True}] * purges


def test_purge_does_not_ask_with_yes(desk: Desk) -> None:
    desk.function.answers["purge"] = [planned("cache/v1/programs.json")]
    assert desk("purge", "--yes").out.splitlines() == [
        "so many entries",
        "  cache/v1/programs.json",
    ]
    assert desk.function.payloads[-1] == {"action": "purge", "dataset": "all"}


def test_purge_of_nothing_asks_nothing(desk: Desk) -> None:
    desk.function.answers["purge"] = [planned()]
    assert desk("purge").out == "There is nothing to purge.\n"
