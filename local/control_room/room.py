"""The control room: one document that says how the stack is, and one place for actions.

GET  /_local/                   the page and its files
GET  /_local/state?after=N      the state, with the events numbered above N
POST /_local/actions/{name}     an action, see `actions.py`

Everything else is the API's.
"""

import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from core.errors import MipsCacheError
from core.model.datasets import ALL, KINDS
from handlers.wiring.clock import utc_now
from local.control_room import actions, faults
from local.control_room.events import (
    EventLog,
    fields_of,
    of_command,
    of_line,
    of_mip_call,
    of_request,
)
from local.control_room.pages import RefusedError, document, page, problem, redirect
from local.control_room.rebuilds import Rebuilds
from local.control_room.services import Services, Status
from local.functions.functions import StoppedError
from local.functions.sandbox import Invocation, Outcome
from local.loopback.http_server import Request, Response

PREFIX = "/_local/"
LONGEST_BODY_BYTES = 64 * 2**10
WORKER = "WorkerFunction"


class ControlRoom:
    """Answers what is below `/_local/`, hands the rest to the API, and notes what happens."""

    def __init__(self, services: Services, status: Status | None) -> None:
        self._services = services
        self._status = status
        self._events = EventLog(utc_now)
        self._rebuilds = Rebuilds(utc_now)
        # By this a page notices that the stack was started anew.
        self._run = uuid.uuid4().hex
        self._stopping = False

    def respond(self, request: Request) -> Response:
        """Answer a request: with the control room's own, or with the API's response."""
        if request.path == PREFIX.rstrip("/"):
            return redirect(PREFIX)
        if not request.path.startswith(PREFIX):
            return self._services.gateway.respond(request)
        try:
            return self._respond(request, request.path.removeprefix(PREFIX))
        except RefusedError as refusal:
            return problem(refusal)

    def on_batch(self, event: str) -> None:
        """Note the event that the worker is about to be given."""
        self._rebuilds.on_batch(event)

    def on_line(self, function: str, line: str) -> None:
        """Note a line of a function's log."""
        fields = fields_of(line)
        if function == WORKER:
            self._rebuilds.on_line(line, fields)
        if event := of_line(function, line, fields):
            self._events.add(event, self._rebuilds.running if function == WORKER else None)

    def on_command(self, invocation: Invocation, outcome: Outcome) -> None:
        """Note what the admin was told, and what came of it."""
        if event := of_command(invocation.payload, outcome.payload, failed=outcome.failed):
            self._events.add(event)

    def on_request(self, request: Request, response: Response, seconds: float) -> None:
        """Note a request that the API has answered."""
        headers = {name.lower(): value for name, value in response.headers}
        cache_status = headers.get("cache-status", "")
        self._events.add(
            of_request(request.method, request.path, response.status, cache_status, seconds)
        )

    def on_mip_call(self, call: str, status: int, fault: str | None) -> None:
        """Note a call that the stand-in has answered."""
        self._events.add(of_mip_call(call, status, fault), self._rebuilds.running)

    def request_stop(self) -> None:
        """Refuse actions from now on, and say that the stack is being stopped."""
        self._stopping = True

    def state(self, after: int) -> dict[str, Any]:
        """How everything is, and the events after a number. A part out of reach is None."""
        services = self._services
        status, problems = self._look()
        mip = services.mip
        return {
            "run": self._run,
            "at": utc_now().isoformat(timespec="milliseconds"),
            "stopping": self._stopping,
            "setting": self._setting(),
            "status": status,
            "mip": mip
            and {**mip.state(), "active": faults.active(mip), "others": faults.others(mip)},
            "running": {
                name.removesuffix("Function").lower(): function.running
                for name, function in services.functions.items()
            },
            "problems": problems,
            "rebuilds": self._rebuilds.as_json(),
            "events": self._events.after(after),
        }

    def _respond(self, request: Request, name: str) -> Response:
        if name.startswith("actions/"):
            return self._act(request, name.removeprefix("actions/"))
        if request.method not in ("GET", "HEAD"):
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "allowed: GET", Allow="GET, HEAD")
        return document(self.state(_after(request))) if name == "state" else page(name)

    def _act(self, request: Request, name: str) -> Response:
        _check_action(request)
        if self._stopping:
            raise _STOPPING
        try:
            return document(actions.perform(self._services, name, request.body or b""))
        except StoppedError as exc:
            raise _STOPPING from exc
        finally:
            if self._status:
                self._status.forget()

    def _look(self) -> tuple[dict[str, Any] | None, list[str]]:
        if self._status is None:
            return None, []
        try:
            return self._status.look(), []
        except MipsCacheError as exc:
            return None, [f"The status is out of reach: {exc}."]

    def _setting(self) -> dict[str, Any]:
        """What stays as it is while the stack runs."""
        services = self._services
        return {
            "api_url": services.api_url,
            "mip_url": services.mip_url,
            "routes": [{"path": path, "signed": is_it} for path, is_it in services.routes.items()],
            "actions": actions.offered(services),
            "datasets": [ALL, *KINDS],
            "faults": [
                {"name": name, "label": preset.label, "meaning": preset.meaning}
                for name, preset in faults.PRESETS.items()
            ],
        }


_STOPPING = RefusedError(
    HTTPStatus.SERVICE_UNAVAILABLE, "the stack is being stopped", Connection="close"
)


def _check_action(request: Request) -> None:
    if request.method != "POST":
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "allowed: POST", Allow="POST")
    content_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
    if request.body is None or len(request.body) > LONGEST_BODY_BYTES:
        detail = f"a body must not exceed {LONGEST_BODY_BYTES} bytes"
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _after(request: Request) -> int:
    given = parse_qs(request.query).get("after", ["0"])[-1]
    if not (given.isascii() and given.isdigit()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "after must be the number of an event")
    return int(given[:18])
