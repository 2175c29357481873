"""A browser's side of the control room, without a browser."""

import http.client
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from local.stack import LocalStack

# As a safety net only: what is waited for comes within a second or two.
PATIENCE_SECONDS = 20


class Watching:
    """One open stream of events. A context manager; leaving it closes the connection."""

    def __init__(self, stack: LocalStack) -> None:
        self._connection = http.client.HTTPConnection(
            urlsplit(stack.api_url).netloc, timeout=PATIENCE_SECONDS
        )
        self._connection.request("GET", "/_local/events")
        self.response = self._connection.getresponse()
        self._state: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self.response.close()
        self._connection.close()

    def line(self) -> str:
        """The next line; an empty one after the stream's end."""
        return self.response.readline().decode()

    def next(self) -> tuple[str, Any] | None:
        """The next event with its value; None after the stream's end."""
        kind = ""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and (line := self.line()):
            if line.startswith("event: "):
                kind = line.removeprefix("event: ").rstrip("\n")
            if line.startswith("data: "):
                return kind, json.loads(line.removeprefix("data: "))
        return None

    def until(self, kind: str, holds: Callable[[Any], Any] = lambda _: True) -> Any:
        """The value of the next event of that kind for which something holds.

        The state that was told last counts, too: it holds until another one is told.
        """
        if kind == "state" and self._state and holds(self._state):
            return self._state
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and (event := self.next()):
            if event[0] == "state":
                self._state = event[1]
            if event[0] == kind and holds(event[1]):
                return event[1]
        raise AssertionError(f"the awaited {kind} did not come; the last state: {self._state}")


def request(
    stack: LocalStack, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request; names of headers have underscores for hyphens."""
    connection = http.client.HTTPConnection(
        urlsplit(stack.api_url).netloc, timeout=PATIENCE_SECONDS
    )
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def act(stack: LocalStack, name: str, /, **arguments: Any) -> tuple[int, Any]:
    """Press a button; the status and what came of it."""
    response, body = request(
        stack,
        "POST",
        f"/_local/actions/{name}",
        json.dumps(arguments).encode(),
        Content_Type="application/json",
    )
    return response.status, json.loads(body)
