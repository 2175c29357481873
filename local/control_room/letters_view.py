"""The dead letters and their reasons, as the admin lists them."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from local.control_room.doors import CommandFailedError, DoorClosedError, Doors

# Listing receives the letters and lets them go again: nothing to be done twice a second.
LISTING_PAUSE_SECONDS = 2.0
MOST_SHOWN = 50


class LettersView:
    """Counts the letters at each look; lists them where their number or a log line asks for it.

    Listing takes the admin a second or more, so it is done beside the looks.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dead letters")
        self._listing: Future[Any] | None = None
        self._messages: list[dict[str, Any]] = []
        self._listed = 0
        self._changed = False
        self._pause_until = 0.0

    def changed(self) -> None:
        """Something has become of a letter: list them anew, whatever their number."""
        self._changed = True

    def look(self) -> dict[str, Any] | None:
        """Their number, and the oldest ones; None where the stack has no such queue.

        Raises DoorClosedError.
        """
        url = self._doors.where.dead_letter_queue_url
        if url is None:
            return None
        depth = self._doors.depth(url)
        count = depth["visible"] + depth["in_flight"]
        self._take_listing()
        if count == 0:
            self._messages, self._listed, self._changed = [], 0, False
        elif self._changed or (count != self._listed and time.monotonic() > self._pause_until):
            self._list()
        return {"count": count, "messages": self._messages}

    def stop(self) -> None:
        """Wait for a listing that runs, which the stack's end breaks off."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _list(self) -> None:
        if self._listing is None:
            self._changed = False
            self._pause_until = time.monotonic() + LISTING_PAUSE_SECONDS
            command = {"action": "dead_letters", "limit": MOST_SHOWN}
            self._listing = self._thread.submit(self._doors.command, command)

    def _take_listing(self) -> None:
        if self._listing is None or not self._listing.done():
            return
        done, self._listing = self._listing, None
        try:
            found = done.result()
        except CommandFailedError as exc:
            raise DoorClosedError(f"the admin cannot list the dead letters: {exc}") from exc
        self._messages, self._listed = found["messages"], found["count"]
