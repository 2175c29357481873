"""The time that one request may take: API Gateway gives up 29 s after it took the request."""

from datetime import datetime

from core.reading.wait import LAST_LOOKS_SECONDS, Patience
from core.timing import Deadline, Monotonic

GATEWAY_SECONDS = 29
ANSWER_SECONDS = 28
"""The last moment for an answer: a second is left for its way back, and for clocks that differ."""
LONGEST_CALL_SECONDS = 7
"""What a call to S3 or SQS can take: two tries and a pause (core/adapters/signed_requests.py)."""
LONGEST_WAIT_SECONDS = int(ANSWER_SECONDS - LONGEST_CALL_SECONDS - LAST_LOOKS_SECONDS)


def patience(
    wait_seconds: float, taken_at_ms: int | None, now: datetime, monotonic: Monotonic
) -> Patience:
    """Return until when a request may wait, and until when it may begin a call.

    `taken_at_ms` is when API Gateway took the request, in milliseconds since 1970; what has passed
    since then (a cold start) counts. None, and a time that cannot be true, stand for now.
    """
    left = ANSWER_SECONDS - LONGEST_CALL_SECONDS - _passed_seconds(taken_at_ms, now)
    return Patience(Deadline.after(wait_seconds, monotonic), Deadline.after(left, monotonic))


def _passed_seconds(taken_at_ms: int | None, now: datetime) -> float:
    if taken_at_ms is None:
        return 0
    passed_ms = int(now.timestamp() * 1000) - taken_at_ms
    return passed_ms / 1000 if 0 <= passed_ms <= GATEWAY_SECONDS * 1000 else 0
