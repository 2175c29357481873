"""MIP's stand-in from outside: its state, and the calls that it has answered."""

import time
from typing import Any

from local.control_room.chronicle import Chronicle
from local.control_room.doors import Doors
from local.control_room.happenings import of_mip_calls
from local.control_room.mip_disturbances import active

# Looks come twice a second; after so long without one, nobody was watching.
REST_SECONDS = 5.0


class MipView:
    """Looks at the stand-in, and chronicles what it has answered since the last look."""

    def __init__(self, doors: Doors, chronicle: Chronicle) -> None:
        self._doors = doors
        self._chronicle = chronicle
        self._answered = 0
        self._known: set[int] | None = None
        self._looked_at = 0.0

    def look(self) -> dict[str, Any] | None:
        """Its state with the disturbances that are on; None where MIP Cloud runs elsewhere.

        Raises DoorClosedError.
        """
        if self._doors.where.mip_url is None:
            return None
        state = self._doors.mip("GET", "state")
        called = sum(state["counters"]["calls"].values())
        self._begin_anew_after_a_rest()
        if called < self._answered:
            self._answered, self._known = 0, set()  # it was reset, and counts anew
        if called > self._answered or self._known is None:
            self._read_journal()
        under_way = max(0, called - self._answered)
        return {**state, "active": active(state), "calls_under_way": under_way}

    def _begin_anew_after_a_rest(self) -> None:
        """What happened while nobody watched is no news, and it may have been reset meanwhile."""
        now = time.monotonic()
        if now > self._looked_at + REST_SECONDS:
            self._known = None
        self._looked_at = now

    def _read_journal(self) -> None:
        journal = self._doors.mip("GET", "journal")
        if self._known is not None:
            news = [entry for entry in journal if entry["number"] not in self._known]
            for happening in of_mip_calls(news):
                self._chronicle.add(happening)
        self._known = {entry["number"] for entry in journal}
        # The journal forgets its oldest entries: what is older was answered, too.
        self._answered = min(self._known, default=1) - 1 + len(self._known)
