"""The table "What a read does": one row per cell."""

from datetime import timedelta

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.model.entry import CacheEntry, Tombstone
from core.model.failures import FailureRecord
from core.reading.decide import Decision, decide
from tests.builders import NOW, make_entry, make_failure

GRACE = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)

WAITED_OUT = make_failure(next_attempt_at=NOW + MOMENT)
DUE = make_failure(next_attempt_at=NOW)
NO_FAILURE = None

SERVE, SERVE_AND_ASK = Decision.SERVE, Decision.SERVE_AND_ASK
ASK_AND_WAIT = Decision.ASK_AND_WAIT
FALL_BACK, TURN_AWAY = Decision.FALL_BACK, Decision.TURN_AWAY


def stale_for(duration: timedelta) -> CacheEntry:
    return make_entry(built_at=NOW - duration - GRACE, ttl=GRACE)


FRESH = stale_for(-MOMENT)
STALE = stale_for(timedelta(0))
STALE_FOR_THE_GRACE = stale_for(GRACE)
LONG_STALE = stale_for(GRACE + MOMENT)
PURGED = Tombstone.new(PROGRAM_LISTS, purged_at=NOW)
NOTHING = None

TABLE = [
    # found, is it the current period, a failure: waited out, its time has come, none known
    ("fresh", FRESH, False, SERVE, SERVE, SERVE),
    ("just stale", STALE, False, SERVE, SERVE_AND_ASK, SERVE_AND_ASK),
    ("stale up to the grace", STALE_FOR_THE_GRACE, False, SERVE, SERVE_AND_ASK, SERVE_AND_ASK),
    ("stale for longer", LONG_STALE, False, SERVE, SERVE_AND_ASK, ASK_AND_WAIT),
    ("nothing, current period", NOTHING, True, FALL_BACK, ASK_AND_WAIT, ASK_AND_WAIT),
    ("a tombstone, current period", PURGED, True, FALL_BACK, ASK_AND_WAIT, ASK_AND_WAIT),
    ("nothing, otherwise", NOTHING, False, TURN_AWAY, ASK_AND_WAIT, ASK_AND_WAIT),
    ("a tombstone, otherwise", PURGED, False, TURN_AWAY, ASK_AND_WAIT, ASK_AND_WAIT),
]
FAILURES = {"waited out": WAITED_OUT, "its time has come": DUE, "none known": NO_FAILURE}
CELLS = [
    pytest.param(found, current, failure, expected, id=f"{name} - {column}")
    for name, found, current, *row in TABLE
    for (column, failure), expected in zip(FAILURES.items(), row, strict=True)
]


@pytest.mark.parametrize(("found", "is_current", "failure", "expected"), CELLS)
def test_read_does_what_the_table_says(
    found: CacheEntry | Tombstone | None,
    is_current: bool,
    failure: FailureRecord | None,
    expected: Decision,
) -> None:
    decided = decide(found, failure, NOW, grace=GRACE, is_current_period=is_current)
    assert decided is expected


@pytest.mark.parametrize(("name", "found", "is_current", "waited_out", "due", "none"), TABLE)
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_where_nothing_can_be_asked_a_read_does_what_it_does_while_a_failure_is_waited_out(
    name: str,
    found: CacheEntry | Tombstone | None,
    is_current: bool,
    waited_out: Decision,
    due: Decision,
    none: Decision,
    failure: FailureRecord | None,
) -> None:
    decided = decide(found, failure, NOW, grace=GRACE, is_current_period=is_current, can_ask=False)
    assert decided is waited_out
