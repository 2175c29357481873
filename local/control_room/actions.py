"""What the buttons do: what a client or an operator could do, too, and what came of it."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from local.aws.clients import ACCESS_KEY, REGION
from local.control_room.faults import PRESETS, switch_off, switch_on
from local.control_room.pages import RefusedError
from local.control_room.services import CommandFailedError, Services
from local.loopback import Request

PREVIEW_CHARACTERS = 4000
SHOWN_HEADERS = (
    "Cache-Status",
    "Cache-Control",
    "Retry-After",
    "ETag",
    "Last-Modified",
    "Content-Type",
    "x-amzn-RequestId",
)
# The gateway looks at the form of a signature, and checks nothing that only AWS could know.
SIGNATURE = (
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/execute-api/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
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
        raise _bad(f"action must be one of {', '.join(choices)}")
    arguments = _arguments(name, body)
    try:
        return ACTIONS[name].act(services, arguments)
    except CommandFailedError as exc:
        if exc.kind == "InvalidCommandError":
            raise _bad(str(exc)) from exc
        detail = f"the admin failed: {exc.kind}: {exc}"
        raise RefusedError(HTTPStatus.BAD_GATEWAY, detail) from exc


def offered(services: Services) -> list[str]:
    """The actions that this stack has: without a stand-in, MIP Cloud is left alone."""
    return [name for name, action in ACTIONS.items() if services.mip or not action.needs_stand_in]


def _arguments(name: str, body: bytes) -> Arguments:
    try:
        arguments = json.loads(body or b"{}")
    except (ValueError, RecursionError) as exc:
        raise _bad("the body is no JSON") from exc
    if not isinstance(arguments, dict):
        raise _bad("the body must be a JSON object of arguments")
    takes = ACTIONS[name].arguments
    if unknown := sorted(str(key)[:40] for key in arguments.keys() - set(takes)):
        allowed = ", ".join(takes) or "no arguments"
        raise _bad(f"{name} takes {allowed}; not {', '.join(unknown)}")
    return arguments


def _read(services: Services, arguments: Arguments) -> Any:
    routes = services.addresses.routes
    path = _one_of("route", arguments.get("route"), routes)
    parameters = arguments.get("parameters", {})
    if not isinstance(parameters, dict) or not all(map(_is_text, parameters.values())):
        raise _bad("parameters must be an object of texts")
    query = urlencode(parameters)
    headers = [("Accept", "*/*"), ("User-Agent", "control-room")]
    if routes[path]:
        headers.append(("Authorization", SIGNATURE))
    began = time.monotonic()
    response = services.gateway.respond(Request("GET", path, query, headers))
    given = {name.lower(): value for name, value in response.headers}
    return {
        "request": f"GET {path}{'?' if query else ''}{query}",
        "signed": routes[path],
        "status": response.status,
        "seconds": round(time.monotonic() - began, 3),
        "headers": {name: given[name.lower()] for name in SHOWN_HEADERS if name.lower() in given},
        "size_bytes": len(response.body),
        "preview": response.body.decode("utf-8", "replace")[:PREVIEW_CHARACTERS],
    }


def _expire(services: Services, arguments: Arguments) -> Any:
    """A soft purge of one entry: the service's own way to let time run out at once."""
    if "dataset" not in arguments:
        raise _bad("dataset must be one of programs, balances")
    return _soft_purge(services, arguments)


def _soft_purge(services: Services, arguments: Arguments) -> Any:
    return services.command({**arguments, "action": "purge", "soft": True})


def _command(action: str) -> Callable[[Services, Arguments], Any]:
    return lambda services, arguments: services.command({**arguments, "action": action})


def _poison(services: Services, _: Arguments) -> Any:
    return {"message_id": services.send(POISON, f"poison-{uuid.uuid4()}"), "body": POISON}


def _fault(services: Services, arguments: Arguments) -> Any:
    name = _one_of("name", arguments.get("name"), PRESETS)
    if services.mip:
        switch_on(services.mip, name)
    return {"name": name}


def _heal(services: Services, arguments: Arguments) -> Any:
    name = _one_of("name", arguments["name"], PRESETS) if "name" in arguments else None
    if services.mip:
        switch_off(services.mip, name)
    return {}


def _store_credentials(services: Services, _: Arguments) -> Any:
    services.store_credentials()
    return {}


def _one_of(argument: str, value: object, choices: Mapping[str, Any]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _bad(f"{argument} must be one of {', '.join(choices)}")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


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
