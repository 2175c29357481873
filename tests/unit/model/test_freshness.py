"""How old an entry is, and how long it may still be served."""

from datetime import timedelta

import pytest

from core.model.freshness import Freshness, freshness_at
from tests.builders import NOW, make_entry

HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("since_built", "expected"),
    [
        pytest.param(timedelta(0), Freshness(0, 3600, is_fresh=True), id="new"),
        pytest.param(HOUR - MOMENT, Freshness(3599, 0, is_fresh=True), id="last moment"),
        pytest.param(HOUR, Freshness(3600, 0, is_fresh=False), id="at fresh_until"),
        pytest.param(HOUR + MOMENT, Freshness(3600, -1, is_fresh=False), id="just stale"),
        pytest.param(-HOUR, Freshness(0, 7200, is_fresh=True), id="clocks that differ"),
    ],
)
def test_freshness_at_a_moment(since_built: timedelta, expected: Freshness) -> None:
    assert freshness_at(NOW + since_built, make_entry(ttl=HOUR)) == expected
