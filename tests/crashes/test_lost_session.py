"""The one instant that no note can cover: MIP has opened a session, and its token is lost."""

from collections.abc import Iterator

import pytest
from moto.ssm.models import SimpleSystemManagerBackend

from local.mip import MipCloud
from local.stack import LocalStack
from tests.crashes.conftest import Crashes, is_session
from tests.local.mip.client import Clock

IDLE_SECONDS = 1200
LOCKOUT_SECONDS = 1800


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def stack_and_mip(clock: Clock) -> Iterator[tuple[LocalStack, MipCloud]]:
    mip = MipCloud(clock=clock, idle_seconds=IDLE_SECONDS, lockout_seconds=LOCKOUT_SECONDS)
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip, poll=False) as stack:
        yield stack, mip


@pytest.fixture
def lost(crashes: Crashes, request: pytest.FixtureRequest) -> Crashes:
    """A worker was killed with MIP's answer to its login in hand, before it noted the token."""
    crashes.kill_before(SimpleSystemManagerBackend, "put_parameter", is_session)
    crashes.send({"dataset": "programs", "reason": request.node.name})
    assert crashes.deliver() is None
    assert crashes.mip.open_sessions == 1
    assert crashes.status()["session_open"] is False
    return crashes


def test_lost_session_that_has_idled_out_is_in_nobodys_way(lost: Crashes, clock: Clock) -> None:
    clock.advance(IDLE_SECONDS)
    assert lost.deliver() == []
    assert lost.mip.counters.lockouts == 0
    assert lost.mip.open_sessions == 0
    assert lost.status()["session_open"] is False


def test_lost_session_that_is_still_open_locks_out_and_the_message_waits_for_its_end(
    lost: Crashes, clock: Clock
) -> None:
    assert len(lost.deliver() or []) == 1
    assert lost.mip.counters.lockouts == 1
    assert lost.mip.counters.login_attempts == 2
    clock.advance(max(IDLE_SECONDS, LOCKOUT_SECONDS))
    assert lost.deliver() == []
    assert lost.mip.counters.lockouts == 1
    status = lost.status()
    assert [entry["state"] for entry in status["entries"]] == ["fresh"]
    assert (status["session_open"], status["dead_letters"]) == (False, 0)
