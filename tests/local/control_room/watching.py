"""A browser's side of the control room, without a browser."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local.stack import LocalStack

# As a safety net only: what is waited for comes within a second or two.
PATIENCE_SECONDS = 20


class Watching:
    """Asks for the state again and again, as the page does."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self._after = 0
        self.events: list[Any] = []
        """What was told so far, unless a test forgets it."""

    def act(self, name: str, /, **arguments: Any) -> Any:
        """Press a button, which does what it should; return what came of it."""
        status, told = act(self.stack, name, **arguments)
        assert status == 200, told
        return told

    def look(self) -> Any:
        """The state now; keeps its events."""
        response, body = request(self.stack, "GET", f"/_local/state?after={self._after}")
        assert response.status == 200
        state = json.loads(body)
        self.events += state["events"]
        self._after = max([self._after, *(event["number"] for event in state["events"])])
        return state

    def until(self, holds: Callable[[Any], Any]) -> Any:
        """The first state for which something holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds(state := self.look()):
            assert time.monotonic() < deadline, f"it did not come; the last state: {state}"
            time.sleep(0.05)
        return state

    def until_event(self, text: str) -> Any:
        """The first event, of old or new ones, whose text begins so."""

        def found() -> Any:
            return next((event for event in self.events if event["text"].startswith(text)), None)

        self.until(lambda _: found())
        return found()


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
