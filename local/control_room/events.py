"""What happens in the stack, in words, and which lines of the picture it passes through.

Sources: the functions' log lines, the requests at the API, the calls of MIP's stand-in, and the
admin's commands with their results.
"""

import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal

Level = Literal["info", "good", "warning", "error"]

LONGEST_TEXT = 300
KEPT = 200
"""Events of each source: one that has much to say pushes no other's out."""
# The runtime's own lines that tell of a failure; a traceback's other lines are in the log file.
RUNTIME_FAILURE = re.compile(r"\[ERROR\] |.*(Task timed out|Runtime exited)")


_MIP = "worker-mip"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `passes` names lines of the picture, or a single part of it."""

    source: str
    text: str
    passes: tuple[str, ...]
    level: Level = "info"
    listed: bool = True
    """Whether the log shows it; what does not only lights up in the picture."""


# By the event that a function logs: words with the line's own fields, where it passes, and how
# grave it is.
_WORDS: dict[str, tuple[str, str, Level]] = {
    "rebuild queued": ("asked for a rebuild of {dataset} ({reason})", "reader-queue", "info"),
    "entry rebuilt": ("stored {dataset}", "worker-cache", "good"),
    "rebuild failed": ("could not rebuild {dataset}: {error_type}: {problem}", _MIP, "error"),
    "session opened": ("logged in to MIP Cloud", _MIP, "info"),
    "session closed": ("logged out of MIP Cloud", _MIP, "info"),
    "session recovered": ("logged out a session that had been left open", _MIP, "warning"),
    "call retried": ("tries {call} once more: {problem}", _MIP, "warning"),
    "message retried": (
        "gives the message back for {delay_seconds} s: {error_type}",
        "queue-worker",
        "warning",
    ),
    "message dead-lettered": (
        "gave a message up: {error_type}: {problem}",
        "worker-dead_letters",
        "error",
    ),
}
_COMMANDS = {
    "purge": ("admin-cache",),
    "refresh": ("admin-queue",),
    "redrive": ("admin-dead_letters", "admin-queue"),
    "discard": ("admin-dead_letters",),
}
"""Commands that change something."""
# Who sees an invocation's payload and result, as `of_command` does, learns nothing from these.
_TOLD_BY_RESULT = ("admin command", "admin command done")
_STARTS = {"worker": ("takes a batch of messages", ("queue-worker",)), "reader": ("", ("reader",))}
_LEVELS: dict[str, Level] = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
# What every line holds, and says nothing of the event.
_IN_EVERY_LINE = {"level", "location", "message", "timestamp", "service", "xray_trace_id"} | {
    "function_request_id",
    "correlation_id",
}


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


def fields_of(line: str) -> Mapping[str, Any] | None:
    """The fields of a line that is a JSON object; None for any other line."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def of_line(function: str, line: str, fields: Mapping[str, Any] | None) -> Event | None:
    """What a line of a function's log tells, given its fields; None where it tells nothing new.

    `function` is the logical id.
    """
    source = function.removesuffix("Function").lower()
    if line.startswith("START "):
        return _start(source)
    if RUNTIME_FAILURE.match(line) and source != "admin":
        return Event(source, line[:LONGEST_TEXT], (source,), "error")
    if fields is None or "_aws" in fields or "message" not in fields:
        return None
    return _of_fields(source, fields)


def of_command(payload: str, result: str, *, failed: bool) -> Event | None:
    """What the admin was told to do, and what came of it; both are JSON texts.

    None for a command that only looks, unless it failed.
    """
    command, told = json.loads(payload), json.loads(result)
    given = command if isinstance(command, dict) else {}
    action = str(given.get("action", "a command"))
    words = f"{'soft ' if given.get('soft') else ''}{action}{_subject(given)}"
    if failed:
        text = f"{words}: {told.get('errorType')}: {told.get('errorMessage')}"
        return Event("admin", text[:LONGEST_TEXT], ("admin",), "error")
    if action not in _COMMANDS:
        return None
    return Event("admin", f"{words}: {told.get('summary')}"[:LONGEST_TEXT], _COMMANDS[action])


def of_request(method: str, path: str, status: int, cache_status: str, seconds: float) -> Event:
    """A request that the API has answered."""
    passes = ["client-api", "api-reader"]
    if cache_status:
        passes.append("reader-cache")
    cache = cache_status.removeprefix("mips-cache; ") or "not from the cache"
    text = f"{method} {path} → {status} ({cache}) in {1000 * seconds:.0f} ms"
    return Event("api", text[:LONGEST_TEXT], tuple(passes), _level_of_status(status))


def of_mip_call(call: str, status: int, fault: str | None) -> Event:
    """A call that MIP's stand-in has answered, and the fault that was in it, if there was one."""
    if not fault and status < 400:
        return Event("mip", f"answered {call}", (_MIP,))
    answer = "cut the connection" if fault in ("refuse", "timeout") else f"answered {status}"
    why = f" (fault: {fault})" if fault else ""
    return Event("mip", f"{answer} at {call}{why}", (_MIP,), "error")


def _start(source: str) -> Event | None:
    if source not in _STARTS:
        return None
    text, passes = _STARTS[source]
    return Event(source, text, passes, listed=bool(text))


def _of_fields(source: str, fields: Mapping[str, Any]) -> Event | None:
    name = str(fields["message"])
    if name in _TOLD_BY_RESULT:
        return None
    if name in _WORDS:
        words, passes, level = _WORDS[name]
        return Event(source, words.format_map(_Fields(fields))[:LONGEST_TEXT], (passes,), level)
    more = ", ".join(f"{field} {fields[field]}" for field in fields if field not in _IN_EVERY_LINE)
    text = f"{name}: {more}" if more else name
    level = _LEVELS.get(str(fields.get("level")), "info")
    return Event(source, text[:LONGEST_TEXT], (source,), level)


def _subject(given: Mapping[str, Any]) -> str:
    """What a command is about, with a space before it; empty where it names nothing."""
    if "message_id" in given:
        return f" letter {given['message_id']}"
    if given.get("action") not in ("purge", "refresh"):
        return " all" if given.get("all") else ""
    dataset = given.get("dataset", "all")
    return f" {dataset} {given['from']} to {given.get('to')}" if "from" in given else f" {dataset}"


def _level_of_status(status: int) -> Level:
    if status >= 500:
        return "error"
    return "warning" if status >= 400 else "good"


class EventLog:
    """The last events of each source, numbered. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._last = 0

    def add(self, event: Event, rebuild: int | None = None) -> None:
        """Number an event and keep it, with the number of the rebuild that it is a part of."""
        with self._lock:
            self._last += 1
            at = self._now().isoformat(timespec="milliseconds")
            told = {"number": self._last, "at": at, "rebuild": rebuild, **asdict(event)}
            self._kept[event.source].append(told)

    def after(self, number: int) -> list[dict[str, Any]]:
        """The kept events with a higher number, the oldest first."""
        with self._lock:
            found = [
                event for kept in self._kept.values() for event in kept if event["number"] > number
            ]
        return sorted(found, key=itemgetter("number"))
