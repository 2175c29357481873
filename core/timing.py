"""Deadlines on the monotonic clock, and times as stored objects spell them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """How much time is left, in seconds, whatever happens to the wall clock."""

    monotonic: Monotonic
    at: float

    @classmethod
    def after(cls, seconds: float, monotonic: Monotonic) -> Self:
        """Return the deadline that lies so many seconds ahead."""
        return cls(monotonic, monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left; negative once it has passed."""
        return self.at - self.monotonic()

    def earlier_by(self, seconds: float) -> Self:
        """Return a deadline so much earlier, which reserves the time in between."""
        return type(self)(self.monotonic, self.at - seconds)


def read_time(text: str) -> datetime:
    """Read an ISO 8601 time that has an offset, and return it in UTC.

    Raises TypeError, ValueError or OverflowError for anything else.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no UTC offset")
    return moment.astimezone(UTC)
