"""How long a message that failed is kept back before SQS delivers it again: its delay.

The whole message group waits meanwhile.

    conflict (a purge or another write won)      no delay
    ambiguous login, lock-out                    three minutes, always: the four delays between
                                                 five receives outlast MIP's idle expiry of ten
                                                 minutes
    anything else                                15 s, doubled with each receive, two minutes at
                                                 most, less up to a fifth at random

MIP's own Retry-After lengthens a delay to two minutes at most. With a login or 429 it speaks of all
of MIP, and lengthens it to 15 minutes at most.
"""

from core.errors import (
    AmbiguousLoginError,
    ConflictError,
    LockedOutError,
    MipsCacheError,
    RequestNotTakenError,
    UpstreamError,
)

FIRST_DELAY_SECONDS = 15
LONGEST_DELAY_SECONDS = 120
LOCK_OUT_DELAY_SECONDS = 180
"""How long a message waits while a session of ours may be open at MIP."""
LONGEST_RETRY_AFTER_SECONDS = 900
"""The longest delay that a Retry-After which speaks of all of MIP can lead to."""


def retry_delay_seconds(error: MipsCacheError, receives: int, spread: float) -> int:
    """Return the delay of a message that met an error; the module has the table.

    `spread` from 0 to 1 takes up to a fifth off the doubled delay, so that messages do not come
    back in step.
    """
    if isinstance(error, ConflictError):
        return 0
    if isinstance(error, AmbiguousLoginError | LockedOutError):
        return round(max(LOCK_OUT_DELAY_SECONDS, _retry_after(error, LONGEST_RETRY_AFTER_SECONDS)))
    speaks_of_all_of_mip = isinstance(error, RequestNotTakenError)
    longest = LONGEST_RETRY_AFTER_SECONDS if speaks_of_all_of_mip else LONGEST_DELAY_SECONDS
    doubled = FIRST_DELAY_SECONDS * (1 << min(max(receives, 1) - 1, 10))
    delay = min(doubled, LONGEST_DELAY_SECONDS) * (1 - 0.2 * spread)
    return round(max(delay, _retry_after(error, longest)))


def _retry_after(error: MipsCacheError, longest: float) -> float:
    asked = error.retry_after_seconds if isinstance(error, UpstreamError) else None
    return min(asked or 0, longest)
