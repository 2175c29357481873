"""Those who watch: a bounded queue each, so that nobody waits for anybody else."""

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

MOST_WATCHERS = 32
# More than this unsent, and the watcher is cut: its browser comes back and is told the state anew.
MOST_UNSENT = 512
HEARTBEAT_SECONDS = 10.0
HEARTBEAT = b": still here\n\n"


class TooManyWatchersError(RuntimeError):
    """More watchers than the stack has threads for."""


class Watcher:
    """One browser's events, in the form in which they are sent."""

    def __init__(self) -> None:
        self._unsent: queue.Queue[bytes] = queue.Queue(MOST_UNSENT)
        self._ended = threading.Event()

    def tell(self, event: bytes) -> None:
        """Have an event sent; a watcher that is too far behind is cut instead."""
        try:
            self._unsent.put_nowait(event)
        except queue.Full:
            self.end()

    def end(self) -> None:
        """Let the stream end after what is unsent."""
        self._ended.set()
        try:
            self._unsent.put_nowait(b"")  # wakes the one who waits for the next event
        except queue.Full:
            return

    def events(self) -> Iterator[bytes]:
        """What to send, and a heartbeat where there is nothing to send for a while."""
        while not (self._ended.is_set() and self._unsent.empty()):
            try:
                yield self._unsent.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                yield HEARTBEAT


class Watchers:
    """Everybody who watches now. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._watchers)

    def add(self) -> Watcher:
        """One more watcher. Raises TooManyWatchersError."""
        watcher = Watcher()
        with self._lock:
            if len(self._watchers) >= MOST_WATCHERS:
                raise TooManyWatchersError(f"{MOST_WATCHERS} are watching already")
            if self._closed:
                watcher.end()
            self._watchers.add(watcher)
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher that has gone; doing so twice is fine."""
        with self._lock:
            self._watchers.discard(watcher)

    def tell(self, event: bytes) -> None:
        """Have an event sent to everybody; blocks for nobody."""
        with self._lock:
            for watcher in self._watchers:
                watcher.tell(event)

    def close(self) -> None:
        """End every stream, and those of who comes later."""
        with self._lock:
            self._closed = True
            for watcher in self._watchers:
                watcher.end()


def sent_event(kind: str, data: Any) -> bytes:
    """A server-sent event with a JSON value."""
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
