"""The one instant that no note can cover: MIP has opened a session, and its token is lost."""

from collections.abc import Iterator

import pytest

from local.mip import MipCloud
from local.stack import LocalStack
from tests.crashes.conftest import PUT_PARAMETER, Crashes, is_session, local_stack
from tests.fakes import FakeClock

IDLE, LOCKOUT = 1200, 1800
"""Seconds after which MIP ends an idle session, and a lock-out."""


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def stack(clock: FakeClock) -> Iterator[LocalStack]:
    """MIP goes by a clock that stands still until a test moves it."""
    mip = MipCloud(clock=clock.monotonic, idle_seconds=IDLE, lockout_seconds=LOCKOUT)
    with local_stack(mip) as running:
        yield running


@pytest.fixture
def lost(crashes: Crashes, request: pytest.FixtureRequest) -> Crashes:
    """A worker was killed with MIP's answer to its login in hand, before it noted the token."""
    crashes.kill_before(PUT_PARAMETER, is_session)
    crashes.send({"dataset": "programs", "reason": request.node.name})
    assert crashes.deliver() is None
    assert crashes.mip.open_sessions == 1
    return crashes


def test_lost_session_that_has_idled_out_is_in_nobodys_way(lost: Crashes, clock: FakeClock) -> None:
    clock.advance(seconds=IDLE)
    lost.check_made_good()
    assert lost.mip.counters.lockouts == 0


def test_lost_session_that_is_still_open_locks_out_and_the_message_waits_for_its_end(
    lost: Crashes, clock: FakeClock
) -> None:
    assert len(lost.deliver() or []) == 1
    assert lost.mip.counters.lockouts == 1
    assert lost.mip.counters.login_attempts == 2
    clock.advance(seconds=max(IDLE, LOCKOUT))
    status = lost.check_made_good()
    assert lost.mip.counters.lockouts == 1
    assert [entry["state"] for entry in status["entries"]] == ["fresh"]
