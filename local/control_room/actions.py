"""What the buttons do. Each goes through a door that everybody has, and says what came of it."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from local.control_room.answers import RefusedError
from local.control_room.doors import CommandFailedError, DoorClosedError, Doors
from local.control_room.mip_disturbances import DISTURBANCES, disturb, heal

PREVIEW_CHARACTERS = 4000
SHOWN_HEADERS = (
    "Cache-Status",
    "Age",
    "Cache-Control",
    "Retry-After",
    "ETag",
    "Last-Modified",
    "Content-Type",
    "x-amzn-RequestId",
)
POISON = json.dumps({"dataset": "budgets", "reason": "a poison message from the control room"})

type Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One action and the arguments that it takes."""

    arguments: tuple[str, ...]
    act: Callable[[Doors, Arguments], Any]
    needs_stand_in: bool = False


def perform(doors: Doors, name: str, body: bytes) -> Any:
    """Do what an action's name and its JSON body ask for; the result is a JSON value.

    Raises RefusedError: 400 for an unknown action or argument, naming the choices, and 502 where
    a part of the stack gave no answer.
    """
    action = _action(doors, name)
    arguments = _arguments(name, action, body)
    try:
        return action.act(doors, arguments)
    except CommandFailedError as exc:
        raise _of_command(exc) from exc
    except DoorClosedError as exc:
        raise RefusedError(HTTPStatus.BAD_GATEWAY, str(exc)) from exc


def offered(doors: Doors) -> list[str]:
    """The actions that this stack has: without a stand-in, MIP Cloud is left alone."""
    return [
        name
        for name, action in ACTIONS.items()
        if doors.where.mip_url is not None or not action.needs_stand_in
    ]


def _action(doors: Doors, name: str) -> Action:
    choices = offered(doors)
    if name not in choices:
        raise _bad(f"action must be one of {', '.join(choices)}")
    return ACTIONS[name]


def _arguments(name: str, action: Action, body: bytes) -> Arguments:
    try:
        arguments = json.loads(body or b"{}")
    except (ValueError, RecursionError) as exc:
        raise _bad("the body is no JSON") from exc
    if not isinstance(arguments, dict):
        raise _bad("the body must be a JSON object of arguments")
    if unknown := sorted(str(key)[:40] for key in arguments.keys() - set(action.arguments)):
        takes = ", ".join(action.arguments) or "no arguments"
        raise _bad(f"{name} takes {takes}; not {', '.join(unknown)}")
    return arguments


def _read(doors: Doors, arguments: Arguments) -> Any:
    path = _one_of("route", arguments.get("route"), doors.where.routes)
    parameters = arguments.get("parameters", {})
    if not isinstance(parameters, dict) or not all(map(_is_text, parameters.values())):
        raise _bad("parameters must be an object of texts")
    query = f"?{urlencode(parameters)}" if parameters else ""
    began = time.monotonic()
    answer = doors.read(path + query, signed=doors.where.routes[path])
    text = answer.body.decode("utf-8", "replace")
    return {
        "request": f"GET {path}{query}",
        "signed": doors.where.routes[path],
        "status": answer.status,
        "seconds": round(time.monotonic() - began, 3),
        "headers": {name: answer.headers[name] for name in SHOWN_HEADERS if answer.headers[name]},
        "size_bytes": len(answer.body),
        "preview": text[:PREVIEW_CHARACTERS],
    }


def _expire(doors: Doors, arguments: Arguments) -> Any:
    """A soft purge of one entry: the service's own way to let time run out at once."""
    if "dataset" not in arguments:
        raise _bad("dataset must be one of programs, balances")
    return _soft_purge(doors, arguments)


def _soft_purge(doors: Doors, arguments: Arguments) -> Any:
    return doors.command({**arguments, "action": "purge", "soft": True})


def _command(action: str) -> Callable[[Doors, Arguments], Any]:
    return lambda doors, arguments: doors.command({**arguments, "action": action})


def _poison(doors: Doors, _: Arguments) -> Any:
    return {"message_id": doors.send(POISON, f"poison-{uuid.uuid4()}"), "body": POISON}


def _fault(doors: Doors, arguments: Arguments) -> Any:
    name = _one_of("name", arguments.get("name"), DISTURBANCES)
    disturb(doors, name)
    return {"name": name}


def _heal(doors: Doors, arguments: Arguments) -> Any:
    name = None
    if "name" in arguments:
        name = _one_of("name", arguments["name"], DISTURBANCES)
    heal(doors, name)
    return {}


def _store_credentials(doors: Doors, _: Arguments) -> Any:
    doors.store_credentials()
    return {}


def _one_of(argument: str, value: object, choices: Mapping[str, Any]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _bad(f"{argument} must be one of {', '.join(choices)}")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _of_command(exc: CommandFailedError) -> RefusedError:
    if exc.kind == "InvalidCommandError":
        return _bad(str(exc))
    return RefusedError(HTTPStatus.BAD_GATEWAY, f"the admin failed: {exc.kind}: {exc}")


def _bad(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, detail)


_PERIOD = ("dataset", "from", "to")
ACTIONS: dict[str, Action] = {
    "read": Action(("route", "parameters"), _read),
    "expire": Action(_PERIOD, _expire),
    "refresh": Action((*_PERIOD, "accept_shrink"), _command("refresh")),
    "purge": Action(_PERIOD, _command("purge")),
    "soft_purge": Action(_PERIOD, _soft_purge),
    "poison": Action((), _poison),
    "redrive": Action(("message_id", "all"), _command("redrive")),
    "discard": Action(("message_id", "all"), _command("discard")),
    "store_credentials": Action((), _store_credentials, needs_stand_in=True),
    "fault": Action(("name",), _fault, needs_stand_in=True),
    "heal": Action(("name",), _heal, needs_stand_in=True),
}
