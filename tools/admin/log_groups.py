"""What the functions logged: CloudWatch Logs on AWS, log files on the local stack."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.admin.aws_errors import explained
from tools.admin.errors import RefusedError

MOST_LINES = 10_000
# What Lambda itself writes for each invocation.
PLATFORM = ("START ", "END ", "REPORT ", "INIT_START ", "EXTENSION", "XRAY ")


@dataclass(frozen=True)
class LogLine:
    """One line of a function. `fields` is what it tells beside the message."""

    at: datetime
    service: str
    level: str
    message: str
    fields: dict[str, Any]


class LogGroups:
    """The log groups of the functions."""

    def __init__(self, logs: Any, names: list[str]) -> None:
        self._logs = logs
        self._names = names

    def lines(self, since: datetime, text: str | None) -> list[LogLine]:
        """Return the lines since a moment, the oldest first; with `text`, those that hold it.

        Raises RefusedError if there are more than MOST_LINES.
        """
        found = []
        for name in self._names:
            for event in self._events(name, since, text):
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                line = parsed(event["message"], name.rpartition("/")[2], at)
                if line is not None:
                    found.append(line)
                if len(found) > MOST_LINES:
                    raise RefusedError(
                        f"there are more than {MOST_LINES:,} lines; narrow them with --since or "
                        "--correlation-id"
                    )
        return sorted(found, key=lambda line: line.at)

    def _events(self, name: str, since: datetime, text: str | None) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "logGroupName": name,
            "startTime": int(since.timestamp() * 1000),
        }
        if text is not None:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            request["filterPattern"] = f'"{quoted}"'
        with explained("logs:FilterLogEvents"):
            for page in self._logs.get_paginator("filter_log_events").paginate(**request):
                yield from page["events"]


def lines_of_files(folder: Path, since: datetime, text: str | None) -> list[LogLine]:
    """Return the lines of the local stack's log files, which it keeps with `--logs`.

    Raises RefusedError if there are no such files.
    """
    files = sorted(folder.glob("*Function.log"))
    if not files:
        raise RefusedError(
            f"the local stack has no CloudWatch Logs, and {folder}/ holds none of its log files: "
            f'start it with `make local ARGS="--logs {folder}"`, or name its folder with --files'
        )
    found = [line for file in files for line in _lines(file, text) if line.at >= since]
    return sorted(found, key=lambda line: line.at)


def _lines(file: Path, text: str | None) -> Iterator[LogLine]:
    at = datetime.min.replace(tzinfo=UTC)
    for raw in file.read_text("utf-8", "replace").splitlines():
        line = parsed(raw, file.stem, at)
        if line is None:
            continue
        at = line.at  # a line without a time, such as one of a traceback, has the one before
        if text is None or text in raw:
            yield line


def parsed(raw: str, service: str, at: datetime) -> LogLine | None:
    """Read one line; None for what tells nothing: the platform's frame, and metrics.

    `at` is its time unless the line tells it.
    """
    document = _object(raw)
    if document is None:
        text = raw.rstrip()
        return None if not text or text.startswith(PLATFORM) else LogLine(at, service, "", text, {})
    if "message" not in document:
        return None
    return LogLine(
        at=_time(document.pop("timestamp", None)) or at,
        service=str(document.pop("service", service)),
        level=str(document.pop("level", "")),
        message=str(document.pop("message")),
        fields=document,
    )


def _object(raw: str) -> dict[str, Any] | None:
    try:
        document = json.loads(raw)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _time(text: object) -> datetime | None:
    """Read a time as Powertools writes it, such as 2026-11-24 14:11:05,743+0000."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S,%f%z")
    except ValueError:
        return None
