"""What a read does, as a value: the table of DESIGN, "What a read does", and nothing else."""

from datetime import datetime, timedelta
from enum import Enum

from core.model.entry import CacheEntry, Tombstone
from core.model.failures import FailureRecord


class Decision(Enum):
    """What to do with what was found."""

    SERVE = "serve it as it is"
    SERVE_AND_ASK = "serve it, and ask for a rebuild"
    ASK_AND_WAIT = "ask for a rebuild, and wait for the new entry"
    FALL_BACK = "serve the newest entry of the month"
    TURN_AWAY = "say when to come back"


ASKING = frozenset({Decision.SERVE_AND_ASK, Decision.ASK_AND_WAIT})
"""The decisions that ask for a rebuild."""


def decide(
    found: CacheEntry | Tombstone | None,
    failure: FailureRecord | None,
    now: datetime,
    *,
    grace: timedelta,
    is_current_period: bool,
    can_ask: bool = True,
) -> Decision:
    """Decide from what S3 holds of a dataset, and from the record of its failed rebuilds.

    `found` is None where there is no object, or one that cannot be read. `can_ask` is False while
    no rebuild can be queued: then the reader does not wait, as in the pause after a failure.
    """
    may_ask = can_ask and not is_waited_out(failure, now)
    if not isinstance(found, CacheEntry):
        if may_ask:
            return Decision.ASK_AND_WAIT
        return Decision.FALL_BACK if is_current_period else Decision.TURN_AWAY
    if now < found.fresh_until or not may_ask:
        return Decision.SERVE
    if now > found.fresh_until + grace and failure is None:
        return Decision.ASK_AND_WAIT
    return Decision.SERVE_AND_ASK


def is_waited_out(failure: FailureRecord | None, now: datetime) -> bool:
    """Tell whether the time for the next attempt is still to come."""
    return failure is not None and now < failure.next_attempt_at
