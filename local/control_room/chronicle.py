"""The last happenings, numbered, for those who begin to watch or come back."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from local.control_room.happenings import Happening
from local.control_room.watchers import Watchers, sent_event

KEPT = 200


class Chronicle:
    """Keeps the last happenings and passes new ones on. Safe to use from several threads."""

    def __init__(self, watchers: Watchers, now: Callable[[], datetime] | None = None) -> None:
        self._watchers = watchers
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._last = 0

    def add(self, happening: Happening) -> None:
        """Number a happening, keep it if the log shows it, and tell who watches."""
        with self._lock:
            self._last += 1
            event = sent_event("happening", self._json(happening))
            if happening.listed:
                self._kept.append(event)
            self._watchers.tell(event)

    def kept(self) -> list[bytes]:
        """What is kept, the oldest first, as it was sent."""
        with self._lock:
            return list(self._kept)

    def _json(self, happening: Happening) -> dict[str, Any]:
        at = self._now().isoformat(timespec="milliseconds")
        return {"number": self._last, "at": at, **asdict(happening)}
