"""Waiting for an entry, within the time that one request may take."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.timing import Deadline

FIRST_PAUSE_SECONDS = 0.15
LONGEST_PAUSE_SECONDS = 1.0
LAST_LOOKS_SECONDS = 1.0
"""What waiting leaves of the time for calls: for the month's newest entry, a few quick reads."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The time of one request: until when it waits, and until when it may begin a call to AWS.

    A call that begins by `calls` ends before API Gateway gives up, even if it is slow.
    """

    wait: Deadline
    calls: Deadline

    def allows_a_call(self) -> bool:
        """Tell whether another call may begin."""
        return self.calls.remaining() > 0

    def pauses(self, sleep: Callable[[float], None]) -> Iterator[None]:
        """Sleep, and yield for a look, with growing pauses; the last look is at the deadline."""
        until = min(self.wait, self.calls.earlier_by(LAST_LOOKS_SECONDS), key=Deadline.remaining)
        pause = FIRST_PAUSE_SECONDS
        while (remaining := until.remaining()) > 0:
            sleep(min(pause, remaining))
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
            yield
