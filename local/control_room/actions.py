"""What the buttons do: what a client or an operator could do, too, and what came of it."""

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from core.model.datasets import KINDS
from local.control_room import faults
from local.control_room.pages import RefusedError
from local.control_room.reading import header_lines, read
from local.control_room.services import Services
from local.functions.functions import FunctionFailedError

POISON = json.dumps({"dataset": "budgets", "reason": "a poison message from the control room"})

type Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One action and the arguments that it takes."""

    arguments: tuple[str, ...]
    act: Callable[[Services, Arguments], Any]
    needs_stand_in: bool = False


def perform(services: Services, name: str, body: bytes) -> Any:
    """Do what an action's name and its JSON body ask for; the result is a JSON value.

    Raises RefusedError: 400 for an unknown action or argument, naming the choices, and 502 where
    the admin fails. Raises StoppedError.
    """
    choices = offered(services)
    if name not in choices:
        raise _bad_request(f"action must be one of {', '.join(choices)}")
    arguments = _arguments(name, body)
    try:
        return ACTIONS[name].act(services, arguments)
    except FunctionFailedError as exc:
        if exc.error.get("errorType") == "InvalidCommandError":
            raise _bad_request(str(exc.error.get("errorMessage"))) from exc
        raise RefusedError(HTTPStatus.BAD_GATEWAY, f"the admin failed: {exc}") from exc


def offered(services: Services) -> list[str]:
    """The actions that this stack has: without a stand-in, MIP Cloud is left alone."""
    return [name for name, action in ACTIONS.items() if services.mip or not action.needs_stand_in]


def _arguments(name: str, body: bytes) -> Arguments:
    try:
        arguments = json.loads(body or b"{}")
    except (ValueError, RecursionError) as exc:
        raise _bad_request("the body is no JSON") from exc
    if not isinstance(arguments, dict):
        raise _bad_request("the body must be a JSON object of arguments")
    takes = ACTIONS[name].arguments
    if unknown := sorted(str(key)[:40] for key in arguments.keys() - set(takes)):
        allowed = ", ".join(takes) or "no arguments"
        raise _bad_request(f"{name} takes {allowed}; not {', '.join(unknown)}")
    return arguments


def _read(services: Services, arguments: Arguments) -> Any:
    path = _one_of("route", arguments.get("route"), services.routes)
    query = _text("query", arguments)
    try:
        headers = header_lines(_text("headers", arguments))
    except ValueError as exc:
        raise _bad_request(str(exc)) from exc
    signed = services.routes[path]
    return read(services.gateway, services.api_url, path, query, headers, signed=signed)


def _expire(services: Services, arguments: Arguments) -> Any:
    """A soft purge of one entry: the service's own way to let time run out at once."""
    _one_of("dataset", arguments.get("dataset"), KINDS)
    return _soft_purge(services, arguments)


def _soft_purge(services: Services, arguments: Arguments) -> Any:
    return _tell_admin(services, {**arguments, "action": "purge", "soft": True})


def _command(action: str) -> Callable[[Services, Arguments], Any]:
    return lambda services, arguments: _tell_admin(services, {**arguments, "action": action})


def _tell_admin(services: Services, payload: Arguments) -> Any:
    if services.admin is None:
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "this stack has no admin function")
    return services.admin.call(payload)


def _poison(services: Services, _: Arguments) -> Any:
    return {"message_id": services.send(POISON, f"poison-{uuid.uuid4()}"), "body": POISON}


def _accept_shrink(services: Services, arguments: Arguments) -> Any:
    """Ask for a rebuild that may shrink the list; a message held back would hold it up."""
    payload = {**arguments, "action": "refresh", "accept_shrink": True}
    queued = _tell_admin(services, payload)
    services.release()
    return queued


def _release(services: Services, _: Arguments) -> Any:
    return {"count": services.release()}


def _fault(services: Services, arguments: Arguments) -> Any:
    name = _one_of("name", arguments.get("name"), faults.PRESETS)
    return {"name": name, "ended": faults.switch_on(services.mip, name) if services.mip else []}


def _heal(services: Services, arguments: Arguments) -> Any:
    name = _one_of("name", arguments["name"], faults.PRESETS) if "name" in arguments else None
    if services.mip:
        faults.switch_off(services.mip, name) if name else faults.heal(services.mip)
    return {}


def _store_credentials(services: Services, _: Arguments) -> Any:
    services.store_credentials()
    return {}


def _one_of(argument: str, value: object, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _bad_request(f"{argument} must be one of {', '.join(choices)}")
    return value


def _text(argument: str, arguments: Arguments) -> str:
    value = arguments.get(argument, "")
    if not isinstance(value, str):
        raise _bad_request(f"{argument} must be a text")
    return value


def _bad_request(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, detail)


_PERIOD = ("dataset", "from", "to")
ACTIONS: dict[str, Action] = {
    "read": Action(("route", "query", "headers"), _read),
    "expire": Action(_PERIOD, _expire),
    "refresh": Action(_PERIOD, _command("refresh")),
    "accept_shrink": Action(_PERIOD, _accept_shrink),
    "release": Action((), _release),
    "purge": Action(_PERIOD, _command("purge")),
    "soft_purge": Action(_PERIOD, _soft_purge),
    "poison": Action((), _poison),
    "redrive": Action(("message_id", "all"), _command("redrive")),
    "discard": Action(("message_id", "all"), _command("discard")),
    "store_credentials": Action((), _store_credentials, needs_stand_in=True),
    "fault": Action(("name",), _fault, needs_stand_in=True),
    "heal": Action(("name",), _heal, needs_stand_in=True),
}
