"""`schedule`, and `logs` on AWS and on the local stack."""

import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from tests.tools.admin.command_line import NAME, RULE, CommandLine
from tools.admin.target import Target

LOCAL = Target(NAME, "us-east-1", "http://127.0.0.1:4566")


def line(service: str, message: str, second: int = 0, **fields: str) -> str:
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}:{second:02},123+0000"
    told = {"level": "INFO", "message": message, "timestamp": at, "service": service, **fields}
    return json.dumps(told)


def test_schedule_is_shown_and_switched(admin: CommandLine) -> None:
    events = boto3.client("events")
    assert admin("schedule").out == "The schedule is on: rate(6 hours).\n"
    assert "The schedule is off" in admin("schedule", "off").out
    assert events.describe_rule(Name=RULE)["State"] == "DISABLED"
    admin("schedule", "on")
    assert events.describe_rule(Name=RULE)["State"] == "ENABLED"


def test_local_schedule_says_that_its_clock_goes_on(admin: CommandLine) -> None:
    admin.target = LOCAL
    assert "it fires until `make local` ends" in admin("schedule", "off").out


@pytest.fixture
def logged(admin: CommandLine) -> None:
    logs = boto3.client("logs")
    now = int(datetime.now(UTC).timestamp() * 1000)
    for role in ("reader", "worker", "admin"):
        logs.create_log_group(logGroupName=f"/aws/lambda/{NAME}-{role}")
    for number, (role, message) in enumerate(
        [
            ("worker", line("w", "entry rebuilt", 1, correlation_id="id-1", dataset="programs")),
            ("reader", line("r", "rebuild queued", 0, correlation_id="id-1")),
            ("worker", line("w", "session closed", 2, correlation_id="id-2")),
            ("worker", "START RequestId: 1 Version: $LATEST"),
            ("worker", '{"_aws": {}, "Rebuilds": 1}'),
            ("admin", "Task timed out after 120.00 seconds"),
        ]
    ):
        stream = {"logGroupName": f"/aws/lambda/{NAME}-{role}", "logStreamName": f"{number}"}
        logs.create_log_stream(**stream)
        event = {"timestamp": now + 60_000 + number, "message": message}
        logs.put_log_events(**stream, logEvents=[event])


def test_logs_of_all_functions_come_in_order_without_what_tells_nothing(
    admin: CommandLine, logged: None
) -> None:
    assert [found["message"] for found in admin("logs", "--json").json] == [
        "rebuild queued",
        "entry rebuilt",
        "session closed",
        "Task timed out after 120.00 seconds",
    ]


def test_logs_of_one_rebuild_tell_its_story(admin: CommandLine, logged: None) -> None:
    out = admin("logs", "--correlation-id", "id-1").out.splitlines()
    told = [" ".join(found.split()[2:5]) for found in out[1:]]
    assert told == ["r INFO rebuild", "w INFO entry"]
    assert "dataset=programs" in out[2]
    assert "id-1" not in out[2]


def test_logs_of_the_local_stack_are_its_files(admin: CommandLine, tmp_path: Path) -> None:
    admin.target = LOCAL
    (tmp_path / "WorkerFunction.log").write_text(
        "START RequestId: 1\n" + line("w", "session opened", correlation_id="id-1") + "\nend\n"
    )
    (tmp_path / "ReaderFunction.log").write_text(line("r", "other") + "\n")
    shown = admin("logs", "--files", str(tmp_path), "--correlation-id", "id-1", "--json").json
    assert [found["message"] for found in shown] == ["session opened"]
    assert len(admin("logs", "--files", str(tmp_path), "--json").json) == 3


def test_last_lines_are_shown_and_their_number_is_told(admin: CommandLine, tmp_path: Path) -> None:
    admin.target = LOCAL
    lines = [line("w", f"event {number}", number) for number in range(5)]
    (tmp_path / "WorkerFunction.log").write_text("\n".join(lines))
    out = admin("logs", "--files", str(tmp_path), "--limit", "2").out.splitlines()
    assert [found.split()[-1] for found in out[1:3]] == ["3", "4"]
    assert out[3] == "The last 2 lines of 5; --limit shows more."


def test_local_stack_without_log_files_says_how_to_have_them(
    admin: CommandLine, tmp_path: Path
) -> None:
    admin.target = LOCAL
    result = admin("logs", "--files", str(tmp_path))
    assert result.status == 1
    assert "has no CloudWatch Logs" in result.err
    assert "--logs" in result.err
