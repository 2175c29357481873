"""The bounded wait."""

import pytest

from core.reading.wait import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from tests.fakes import FakeClock


def test_pauses_grow_to_the_longest_and_end_at_the_deadline(clock: FakeClock) -> None:
    looks = len(list(clock.patience(7).pauses(clock.sleep)))
    assert clock.sleeps[0] == FIRST_PAUSE_SECONDS
    assert clock.sleeps[1] == FIRST_PAUSE_SECONDS * 1.5
    assert max(clock.sleeps) == LONGEST_PAUSE_SECONDS
    assert sum(clock.sleeps) == pytest.approx(7)
    assert looks == len(clock.sleeps)


def test_no_wait_has_no_look(clock: FakeClock) -> None:
    assert list(clock.patience(0).pauses(clock.sleep)) == []
