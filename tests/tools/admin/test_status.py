"""`status` and `watch`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from tests.tools.admin.command_line import RULE, CommandLine, DeniedEvents, entry, failure, status
from tools.admin.status import held_back_until

NOW = datetime(2026, 10, 15, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=92)
MONTH = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}
HELD = failure(next_attempt_at="2999-01-01T10:20:30+00:00")
BUSY = {"queue": (1, 0)}


def test_status_shows_the_summary_first_then_a_row_for_each_entry(admin: CommandLine) -> None:
    failed = entry(**MONTH, state="stale", age_seconds=7300, last_error=failure())
    admin.answers["status"] = [status(entry(), failed)]
    lines = admin("status").out.splitlines()
    assert lines[:2] == ["2 entries", "Stack: the-stack, us-east-1. Schedule: on, rate(6 hours)."]
    heading, row = (" ".join(line.split()) for line in lines[3:5])
    assert heading == "dataset period state age size next attempt last error"
    assert row == "programs fresh 7 s 1.6 kB"
    assert lines[5].startswith("balances  2026-10-01/31  stale  2 h  1.6 kB  in 1 min 3")
    assert lines[5].endswith("COA_SEGID (2 attempts since 2026-10-15 12:00:00 UTC)")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (status(missing=[{**MONTH, "last_error": failure()}]), "2026-10-01/31 +missing +- +- "),
        (status(entry(last_error=HELD), queue=(2, 1)), "until 10:20:30 UTC.* 2 messages behind"),
        (status(session_open=True), "A MIP session is noted as open"),
    ],
)
def test_status_tells_what_is_missing_what_holds_up_others_and_what_nobody_uses(
    admin: CommandLine, answer: dict[str, Any], told: str
) -> None:
    admin.answers["status"] = [answer]
    assert re.search(told, admin("status").out)


def test_status_tells_of_a_schedule_that_is_off_or_must_not_be_seen(admin: CommandLine) -> None:
    boto3.client("events").disable_rule(Name=RULE)
    assert "Schedule: OFF: nothing is rebuilt by itself" in admin("status").out
    assert admin("status", "--json").json["schedule"]["on"] is False
    admin.clients["events"] = DeniedEvents()
    denied = admin("status")
    assert denied.status == 0
    assert "not known: these credentials lack the right events:DescribeRule" in denied.out


@pytest.mark.parametrize(
    ("in_flight", "record", "expected"),
    [
        (1, failure(next_attempt_at=LATER.isoformat()), LATER),
        (1, failure(next_attempt_at=NOW.isoformat()), None),
        (1, failure(next_attempt_at=LATER.isoformat(), dead_lettered=True), None),
        (0, failure(next_attempt_at=LATER.isoformat()), None),
    ],
)
def test_message_is_held_back_while_it_is_hidden_and_its_time_has_not_come(
    in_flight: int, record: dict[str, Any], expected: datetime | None
) -> None:
    answer = status(entry(last_error=record), queue=(0, in_flight))
    assert held_back_until(answer, NOW) == expected


def test_status_as_json_is_the_functions_answer_and_what_else_was_looked_at(
    admin: CommandLine,
) -> None:
    answer = status(entry(last_error=failure()), queue=(0, 1))
    admin.answers["status"] = [answer]
    shown = admin("status", "--json").json
    assert shown.items() >= answer.items()
    assert shown["held_back_until"] == answer["entries"][0]["last_error"]["next_attempt_at"]


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        # Until nothing is queued, and no session is open.
        ([status(**BUSY), status(queue=(0, 1)), status(session_open=True), status()], 4),
        # Into a pipe, without what only has become older.
        ([status(entry(), **BUSY), status(entry(age_seconds=9), **BUSY), status(entry())], 2),
    ],
)
def test_watch_until_idle_prints_what_has_changed(
    admin: CommandLine, answers: list[dict[str, Any]], shown: int
) -> None:
    admin.answers["status"] = list(answers)
    result = admin("watch", "--until", "idle")
    assert (result.status, admin.times_asked) == (0, len(answers))
    assert result.out.count("Stack: the-stack") == shown


def test_watch_ends_well_with_ctrl_c(admin: CommandLine) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    admin.pause = interrupt
    assert admin("watch").status == 0
