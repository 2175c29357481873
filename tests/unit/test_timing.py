"""Deadlines on the monotonic clock."""

from tests.fakes import FakeClock


def test_deadline_remaining_shrinks_with_the_clock_and_turns_negative(clock: FakeClock) -> None:
    deadline = clock.deadline(10)
    clock.advance(seconds=4)
    assert deadline.remaining() == 6
    clock.advance(seconds=7)
    assert deadline.remaining() == -1


def test_deadline_earlier_by_reserves_the_time_between(clock: FakeClock) -> None:
    deadline = clock.deadline(10)
    assert deadline.earlier_by(4).remaining() == 6
    assert deadline.remaining() == 10
