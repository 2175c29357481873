"""A browser's side of the control room, without a browser."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from local.mip import MipCloud
from local.stack import LocalStack
from tests.local.wire import PATIENCE_SECONDS, request


class Watching:
    """Presses buttons, and asks for the state again and again, as the page does."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.ask = partial(request, stack.api_url)
        self._after = 0
        self.events: list[Any] = []
        """What was told so far, unless a test forgets it."""

    @property
    def mip(self) -> MipCloud:
        assert isinstance(self.stack.mip, MipCloud)
        return self.stack.mip

    def press(self, name: str, /, **arguments: Any) -> tuple[int, Any]:
        """Press a button; the status and what came of it."""
        body = json.dumps(arguments).encode()
        path = f"/_local/actions/{name}"
        response, told = self.ask("POST", path, body, Content_Type="application/json")
        return response.status, json.loads(told)

    def act(self, name: str, /, **arguments: Any) -> Any:
        """Press a button that does what it says; what came of it."""
        status, told = self.press(name, **arguments)
        assert status == 200, told
        return told

    def look(self) -> Any:
        """The state now; keeps its events."""
        response, body = self.ask("GET", f"/_local/state?after={self._after}")
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
