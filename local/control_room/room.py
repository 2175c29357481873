"""The control room: what is asked of it over HTTP, and what it is told of the stack.

browser ──GET──▶ pages
        ──GET events──▶ Watchers ◀── Chronicle ◀── log lines, requests, MIP's journal
                                 ◀── Observer  ◀── S3, SQS, SSM, MIP's state
        ──POST actions──▶ Doors ──▶ API, admin, SQS, MIP's switch
"""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from local.control_room import actions
from local.control_room.answers import (
    HttpStream,
    RefusedError,
    event_stream,
    json_document,
    problem,
    redirect,
)
from local.control_room.cache_view import CacheView
from local.control_room.chronicle import Chronicle
from local.control_room.doors import DoorClosedError, Doors
from local.control_room.guard import check_json, check_source
from local.control_room.happenings import of_line, of_request
from local.control_room.letters_view import LettersView
from local.control_room.mip_view import MipView
from local.control_room.observer import Observer
from local.control_room.pages import page
from local.control_room.watchers import TooManyWatchersError, Watcher, Watchers, sent_event
from local.functions.functions import Functions
from local.gateway.proxy_event import HttpAnswer, HttpRequest

PREFIX = "/_local/"
MAX_BODY_BYTES = 64 * 2**10
# The browser asks again after this long, and finds the stack that was started anew.
RETRY_MILLISECONDS = 1000


class ControlRoom:
    """Answers everything below `/_local/`. Safe to use from several threads.

    While nobody watches it does nothing but keep the last happenings.
    """

    def __init__(self, doors: Doors, functions: Functions) -> None:
        self._doors = doors
        self._functions = functions
        self._watchers = Watchers()
        self._chronicle = Chronicle(self._watchers)
        self._cache = CacheView(doors, lambda: datetime.now(UTC))
        self._letters = LettersView(doors)
        self._mip = MipView(doors, self._chronicle)
        self._stopping = threading.Event()
        self._observer = Observer(self._look, self._tell, lambda: len(self._watchers) > 0)

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._doors.where.api_url + PREFIX

    def serves(self, path: str) -> bool:
        """Whether a path is the control room's, and not the API's."""
        return path == PREFIX.rstrip("/") or path.startswith(PREFIX)

    def respond(self, request: HttpRequest) -> HttpAnswer | HttpStream:
        """Answer a request below `/_local/`."""
        try:
            check_source(request)
            return self._answer(request)
        except RefusedError as refusal:
            return problem(refusal)

    def saw_line(self, function: str, line: str) -> None:
        """A function has written a line to its log."""
        happening = of_line(function, line)
        if happening:
            self._chronicle.add(happening)
            self._observer.nudge()

    def saw_request(self, request: HttpRequest, answer: HttpAnswer, seconds: float) -> None:
        """The API has answered a request."""
        headers = {name.lower(): value for name, value in answer.headers}
        cache_status = headers.get("cache-status", "")
        self._chronicle.add(
            of_request(request.method, request.path, answer.status, cache_status, seconds)
        )
        self._observer.nudge()

    def request_stop(self) -> None:
        """Refuse what is asked from now on, and end every stream."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._watchers.tell(sent_event("stopped", {}))
            self._watchers.close()
        self._observer.request_stop()

    def join(self) -> None:
        """Wait for the end of its thread, after request_stop."""
        self._observer.join()

    def _answer(self, request: HttpRequest) -> HttpAnswer | HttpStream:
        if not request.path.startswith(PREFIX):
            return redirect(PREFIX)
        name = request.path.removeprefix(PREFIX)
        if name.startswith("actions/"):
            return self._act(request, name.removeprefix("actions/"))
        if request.method not in ("GET", "HEAD"):
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "allowed: GET", Allow="GET, HEAD")
        return self._stream(request) if name == "events" else page(name)

    def _act(self, request: HttpRequest, name: str) -> HttpAnswer:
        if request.method != "POST":
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "allowed: POST", Allow="POST")
        check_json(request)
        if len(request.body) > MAX_BODY_BYTES:
            detail = f"a body must not exceed {MAX_BODY_BYTES} bytes"
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        self._check_running()
        try:
            return json_document(actions.perform(self._doors, name, request.body))
        except RefusedError as refusal:
            # What failed because the stack goes down is no news of the part that failed.
            if refusal.status == HTTPStatus.BAD_GATEWAY:
                self._check_running()
            raise
        finally:
            self._observer.nudge()

    def _check_running(self) -> None:
        if self._stopping.is_set():
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "the stack is being stopped", Connection="close"
            )

    def _stream(self, request: HttpRequest) -> HttpAnswer | HttpStream:
        self._check_running()
        if request.method == "HEAD":
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "allowed: GET", Allow="GET")
        try:
            watcher = self._watchers.add()
        except TooManyWatchersError as exc:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, str(exc), Retry_After="10") from exc
        return event_stream(self._events(watcher), lambda: self._watchers.remove(watcher))

    def _events(self, watcher: Watcher) -> Iterator[bytes]:
        """What one watcher is sent: what was, then the state, then whatever happens."""
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        yield sent_event("setting", self._setting())
        yield from self._chronicle.kept()
        self._observer.welcome()
        yield from watcher.events()

    def _setting(self) -> dict[str, Any]:
        """What stays as it is while the stack runs."""
        where = self._doors.where
        return {
            "api_url": where.api_url,
            "aws_url": where.aws_url,
            "mip_url": where.mip_url,
            "routes": [{"path": path, "signed": signed} for path, signed in where.routes.items()],
            "actions": actions.offered(self._doors),
        }

    def _tell(self, state: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._watchers.tell(sent_event("state", {"at": at, **state}))

    def _look(self) -> dict[str, Any]:
        """The state of every part; a part that cannot be looked at is None, and named."""
        problems: list[str] = []

        def part(look: Callable[[], Any]) -> Any:
            try:
                return look()
            except DoorClosedError as exc:
                problems.append(str(exc))
                return None

        queue_url = self._doors.where.queue_url
        state = {
            "cache": part(self._cache.look),
            "queue": part(lambda: queue_url and self._doors.depth(queue_url)),
            "dead_letters": part(self._letters.look),
            "session_noted": part(self._doors.session_is_noted),
            "mip": part(self._mip.look),
            "running": {
                name.removesuffix("Function").lower(): function.running
                for name, function in self._functions.items()
            },
        }
        return {**state, "problems": problems}
