"""Failure records: what went wrong with an entry's rebuild, and when the next attempt is due.

Until a record's `next_attempt_at` readers queue nothing for its entry. While a message is being
retried, that is the end of its delay. After a dead letter it is the end of a pause: five minutes,
doubled with each further dead letter, up to an hour. The next success deletes the record.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from core.errors import (
    AmbiguousLoginError,
    RequestNotTakenError,
    TimedOutError,
    TransientUpstreamError,
)
from core.timing import read_time

FIRST_PAUSE = timedelta(minutes=5)
"""How long readers ask for nothing after a dead letter; doubled with each further one."""
LONGEST_PAUSE = timedelta(hours=1)

_UNANSWERED = frozenset(
    error.__name__
    for error in (
        AmbiguousLoginError,
        RequestNotTakenError,
        TimedOutError,
        TransientUpstreamError,
    )
)


class Trouble(NamedTuple):
    """What the public may know of an entry's failed rebuilds.

    `is_unanswered`: MIP Cloud gave no answer, or one that said no more than that it is down.
    """

    since: datetime
    is_unanswered: bool


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """The failed rebuilds of one entry since its last success. `message` is redacted."""

    error_type: str
    message: str
    first_failed_at: datetime
    last_failed_at: datetime
    attempts: int
    dead_lettered: bool
    dead_letterings: int
    next_attempt_at: datetime
    correlation_id: str | None = None

    @classmethod
    def of(
        cls,
        error: Exception,
        now: datetime,
        *,
        earlier: Self | None,
        retry_in: timedelta | None,
        correlation_id: str | None,
    ) -> Self:
        """Record one more failure, on top of the record of the earlier ones.

        `retry_in` is the delay after which the queue delivers the message again; None means that
        the message was dead-lettered.
        """
        dead_letterings = (earlier.dead_letterings if earlier else 0) + (retry_in is None)
        due = now + (retry_in if retry_in is not None else pause_after(dead_letterings))
        return cls(
            error_type=type(error).__name__,
            message=str(error),
            first_failed_at=earlier.first_failed_at if earlier else now,
            last_failed_at=now,
            attempts=(earlier.attempts if earlier else 0) + 1,
            dead_lettered=retry_in is None,
            dead_letterings=dead_letterings,
            # A retry that is still in the queue must not shorten the pause after a dead letter.
            next_attempt_at=max(due, earlier.next_attempt_at) if earlier else due,
            correlation_id=correlation_id,
        )

    def trouble(self) -> Trouble:
        """Return what the public may know of it."""
        return Trouble(self.first_failed_at, self.error_type in _UNANSWERED)


def pause_after(dead_letterings: int) -> timedelta:
    """Return how long nothing new is queued after the n-th dead letter in a row (n from 1)."""
    doublings = min(max(dead_letterings, 1) - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def encode_failure(record: FailureRecord) -> bytes:
    """Write a record as JSON, times in ISO 8601."""
    document = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }
    return json.dumps(document, indent=2).encode()


def decode_failure(body: bytes) -> FailureRecord | None:
    """Read a record; None where the object does not hold one.

    A record only paces attempts, so one that cannot be read counts as absent.
    """
    try:
        document = json.loads(body)
        times = {
            name: read_time(document[name])
            for name in ("first_failed_at", "last_failed_at", "next_attempt_at")
        }
        return FailureRecord(
            error_type=str(document["error_type"]),
            message=str(document["message"]),
            attempts=int(document["attempts"]),
            dead_lettered=document["dead_lettered"] is True,
            dead_letterings=int(document.get("dead_letterings", 0)),
            correlation_id=document.get("correlation_id"),
            **times,
        )
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None
