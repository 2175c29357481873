"""Admin payloads, read into typed commands: nothing is changed before a command is understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.errors import InvalidCommandError
from core.model.datasets import ALL
from core.model.selection import Selection, parse_selection

MOST_DEAD_LETTERS = 1000

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "status": (),
    "purge": ("dataset", "from", "to", "soft", "dry_run"),
    "refresh": ("dataset", "from", "to", "accept_shrink"),
    "dead_letters": ("limit",),
    "redrive": ("message_id", "all", "dry_run"),
    "discard": ("message_id", "all", "dry_run"),
}
"""Every action, and the arguments that it takes."""


@dataclass(frozen=True, slots=True)
class Status:
    """Report what is cached, queued and failing."""


@dataclass(frozen=True, slots=True)
class Purge:
    """Put tombstones in the place of entries, or (soft) mark the entries stale."""

    selection: Selection
    soft: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Refresh:
    """Queue rebuilds; readers are served the old entries meanwhile."""

    selection: Selection
    accept_shrink: bool


@dataclass(frozen=True, slots=True)
class ListDeadLetters:
    """List dead letters, the oldest first."""

    limit: int


@dataclass(frozen=True, slots=True)
class Redrive:
    """Send dead letters back; `message_id` None means all of them."""

    message_id: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Discard:
    """Delete dead letters; `message_id` None means all of them."""

    message_id: str | None
    dry_run: bool


Command = Status | Purge | Refresh | ListDeadLetters | Redrive | Discard


def parse_command(payload: object, today: date) -> Command:
    """Read an admin payload.

    Raises InvalidCommandError, which names the choices.
    """
    if not isinstance(payload, dict):
        raise InvalidCommandError('the payload must be a JSON object such as {"action": "status"}')
    action = payload.get("action")
    if not isinstance(action, str) or action not in ARGUMENTS:
        raise InvalidCommandError(f"action must be one of {', '.join(ARGUMENTS)}")
    arguments = {name: value for name, value in payload.items() if name != "action"}
    allowed = ARGUMENTS[action]
    unknown = sorted(str(name)[:40] for name in arguments.keys() - set(allowed))
    if unknown:
        choices = ", ".join(allowed) or "no arguments"
        raise InvalidCommandError(f"{action} takes {choices}; not {', '.join(unknown)}")
    return _command(action, arguments, today)


def _command(action: str, arguments: Mapping[str, Any], today: date) -> Command:
    match action:
        case "purge":
            return Purge(
                _selection(arguments, today), _flag(arguments, "soft"), _flag(arguments, "dry_run")
            )
        case "refresh":
            return Refresh(_selection(arguments, today), _flag(arguments, "accept_shrink"))
        case "dead_letters":
            return ListDeadLetters(_limit(arguments))
        case "redrive":
            return Redrive(_message_id(arguments), _flag(arguments, "dry_run"))
        case "discard":
            return Discard(_message_id(arguments), _flag(arguments, "dry_run"))
        case _:
            return Status()


def _selection(arguments: Mapping[str, Any], today: date) -> Selection:
    try:
        return parse_selection({"dataset": ALL, **arguments}, today)
    except ValueError as exc:
        raise InvalidCommandError(str(exc)) from exc


def _flag(arguments: Mapping[str, Any], name: str) -> bool:
    value = arguments.get(name, False)
    if not isinstance(value, bool):
        raise InvalidCommandError(f"{name} must be true or false")
    return value


def _limit(arguments: Mapping[str, Any]) -> int:
    value = arguments.get("limit", MOST_DEAD_LETTERS)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DEAD_LETTERS:
        raise InvalidCommandError(f"limit must be a whole number from 1 to {MOST_DEAD_LETTERS}")
    return value


def _message_id(arguments: Mapping[str, Any]) -> str | None:
    if ("message_id" in arguments) == ("all" in arguments):
        raise InvalidCommandError("give either message_id, as dead_letters lists it, or all: true")
    if "all" in arguments:
        if arguments["all"] is not True:
            raise InvalidCommandError("all must be true; to choose one letter, give its message_id")
        return None
    value = arguments["message_id"]
    if not isinstance(value, str) or not value:
        raise InvalidCommandError("message_id must be a text, as dead_letters lists it")
    return value
