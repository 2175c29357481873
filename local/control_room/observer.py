"""Looks at the stack again and again, as long as somebody watches."""

import threading
from collections.abc import Callable
from typing import Any

PAUSE_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.1


class Observer:
    """One thread for all who watch; it is started for the first one, and rests without any.

    `look` returns the state, `tell` is given it whenever it has changed.
    """

    def __init__(
        self,
        look: Callable[[], dict[str, Any]],
        tell: Callable[[dict[str, Any]], None],
        is_watched: Callable[[], bool],
    ) -> None:
        self._look = look
        self._tell = tell
        self._is_watched = is_watched
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._nudged = threading.Event()
        self._told: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None

    def welcome(self) -> None:
        """Somebody has begun to watch: tell the state at once, changed or not."""
        with self._lock:
            self._told = None
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="control room", daemon=True)
                self._thread.start()
        self._nudged.set()

    def nudge(self) -> None:
        """Something has happened: look soon."""
        self._nudged.set()

    def request_stop(self) -> None:
        """Look no more; what runs ends by itself."""
        with self._lock:
            self._stopping.set()
        self._nudged.set()

    def join(self) -> None:
        """Wait for the thread to end, after request_stop."""
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._is_watched():
                self._look_and_tell()
                self._nudged.wait(PAUSE_SECONDS)
                # However much happens, there is time for others between two looks.
                self._stopping.wait(SHORTEST_PAUSE_SECONDS)
            else:
                self._nudged.wait()
            self._nudged.clear()

    def _look_and_tell(self) -> None:
        with self._lock:
            anew = self._told is None
        state = self._look()
        with self._lock:
            if state == self._told:
                return
            # Who came during the look may have missed the telling: then there is another one.
            came_meanwhile = self._told is None and not anew
            self._told = None if came_meanwhile else state
        self._tell(state)
