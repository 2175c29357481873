"""What happens in the stack, in words, and which lines of the picture it passes through.

Sources: the functions' log lines, the requests at the API, and the journal of MIP's stand-in.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["info", "good", "warning", "error"]

LONGEST_TEXT = 300
# The runtime's own lines that tell of a failure; a traceback's other lines are in the log file.
RUNTIME_FAILURE = re.compile(r"\[ERROR\] |.*(Task timed out|Runtime exited)")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened. `passes` names lines of the picture, or a single part of it."""

    source: str
    text: str
    passes: tuple[str, ...]
    level: Level = "info"
    listed: bool = True
    """Whether the log shows it; what does not only lights up in the picture."""


# By the event that a function logs: words with the line's own fields, and where it passes.
_TOLD: dict[str, tuple[str, tuple[str, ...], Level]] = {
    "rebuild queued": ("asked for a rebuild of {dataset} ({reason})", ("reader-queue",), "info"),
    "entry rebuilt": ("stored {dataset}", ("worker-cache",), "good"),
    "rebuild failed": (
        "could not rebuild {dataset}: {error_type}: {problem}",
        ("worker-mip",),
        "error",
    ),
    "session opened": ("logged in to MIP Cloud", ("worker-mip",), "info"),
    "session closed": ("logged out of MIP Cloud", ("worker-mip",), "info"),
    "session recovered": (
        "logged out a session that had been left open",
        ("worker-mip",),
        "warning",
    ),
    "call retried": ("tries {call} once more: {problem}", ("worker-mip",), "warning"),
    "message retried": (
        "gives the message back for {delay_seconds} s: {error_type}",
        ("queue-worker",),
        "warning",
    ),
    "message dead-lettered": (
        "gave a message up: {error_type}: {problem}",
        ("worker-dead_letters",),
        "error",
    ),
}
_ADMIN_PASSES = {
    "Purge": ("admin-cache",),
    "Refresh": ("admin-queue",),
    "Redrive": ("admin-dead_letters", "admin-queue"),
    "Discard": ("admin-dead_letters",),
}
# Looking changes nothing.
_LOOKING = ("Status", "ListDeadLetters")
# Who gave the command is told what came of it.
_SILENT = ("admin command done",)
_STARTS = {"worker": ("takes a batch of messages", ("queue-worker",)), "reader": ("", ("reader",))}
_LEVELS: dict[str, Level] = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
# What every line holds, and says nothing of the event.
_PLUMBING = (
    "level",
    "location",
    "message",
    "timestamp",
    "service",
    "function_request_id",
    "correlation_id",
    "xray_trace_id",
)


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


def of_line(function: str, line: str) -> Happening | None:
    """What a line of a function's log tells; None where it tells nothing new.

    `function` is the logical id.
    """
    source = function.removesuffix("Function").lower()
    if line.startswith("START "):
        return _start(source)
    if RUNTIME_FAILURE.match(line):
        return Happening(source, line[:LONGEST_TEXT], (source,), "error")
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or "_aws" in fields or "message" not in fields:
        return None
    return _of_fields(source, fields)


def of_request(method: str, path: str, status: int, cache_status: str, seconds: float) -> Happening:
    """A request that the API has answered."""
    passes = ["client-api", "api-reader"]
    if cache_status:
        passes.append("reader-cache")
    told = cache_status.removeprefix("mips-cache; ") or "not from the cache"
    text = f"{method} {path} → {status} ({told}) in {1000 * seconds:.0f} ms"
    return Happening("api", text[:LONGEST_TEXT], tuple(passes), _level_of_status(status))


def of_mip_calls(calls: Sequence[Mapping[str, Any]]) -> Iterator[Happening]:
    """Calls that MIP's stand-in has answered, as its journal tells; good ones are drawn together.

    A call has a name, the answer's status, and the fault that was in it, if there was one.
    """
    for good, several in itertools.groupby(calls, lambda call: not _is_bad(call)):
        if good:
            names = ", ".join(call["call"] for call in several)
            yield Happening("mip", f"answered {names}"[:LONGEST_TEXT], ("worker-mip",))
        else:
            yield from map(_of_bad_call, several)


def _is_bad(call: Mapping[str, Any]) -> bool:
    return bool(call["fault"] or call["status"] >= 400)


def _of_bad_call(call: Mapping[str, Any]) -> Happening:
    cut = call["fault"] in ("refuse", "timeout")
    answer = "cut the connection" if cut else f"answered {call['status']}"
    why = f" (fault: {call['fault']})" if call["fault"] else ""
    return Happening("mip", f"{answer} at {call['call']}{why}", ("worker-mip",), "error")


def _start(source: str) -> Happening | None:
    if source not in _STARTS:
        return None
    text, passes = _STARTS[source]
    return Happening(source, text, passes, listed=bool(text))


def _of_fields(source: str, fields: Mapping[str, Any]) -> Happening | None:
    event = str(fields["message"])
    if event in _SILENT:
        return None
    if event == "admin command":
        return _of_command(str(fields.get("command", "?")))
    if event in _TOLD:
        words, passes, level = _TOLD[event]
        return Happening(source, words.format_map(_Fields(fields))[:LONGEST_TEXT], passes, level)
    more = ", ".join(f"{name} {fields[name]}" for name in fields if name not in _PLUMBING)
    text = f"{event}: {more}" if more else event
    level = _LEVELS.get(str(fields.get("level")), "info")
    return Happening(source, text[:LONGEST_TEXT], (source,), level)


def _of_command(command: str) -> Happening | None:
    if command in _LOOKING:
        return None
    return Happening("admin", f"was told to {command.lower()}", _ADMIN_PASSES.get(command, ()))


def _level_of_status(status: int) -> Level:
    if status >= 500:
        return "error"
    return "warning" if status >= 400 else "good"
