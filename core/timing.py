"""A moment on the monotonic clock by which something must have ended."""

from collections.abc import Callable
from dataclasses import dataclass
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
