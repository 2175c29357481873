"""A worker that is really killed leaves nothing that the next one cannot clean up."""

import pytest

from local.mip import Fault
from tests.crashes.conftest import Crashes, kill_points

KILL_POINTS = kill_points()


@pytest.mark.parametrize("moment", KILL_POINTS)
def test_worker_killed_at_any_moment_is_made_good_by_the_next_delivery(
    crashes: Crashes, moment: str
) -> None:
    KILL_POINTS[moment](crashes)
    crashes.send({"dataset": "all", "reason": moment})
    assert crashes.deliver() is None
    assert crashes.killed
    assert crashes.deliver() == []
    status = crashes.status()
    assert [entry["state"] for entry in status["entries"]] == ["fresh"] * 5
    assert status["queue"] == {"visible": 0, "in_flight": 0}
    assert status["session_open"] is False
    assert status["dead_letters"] == 0
    assert crashes.mip.open_sessions == 0
    assert crashes.mip.counters.lockouts == 0
    assert crashes.mip.counters.max_open_sessions == 1


def test_worker_killed_before_a_logout_had_effect_leaves_a_session_that_is_logged_out(
    crashes: Crashes,
) -> None:
    crashes.kill_on_call("logout")
    crashes.mip.set_fault("logout", Fault(kind="refuse", times=1))
    crashes.send({"dataset": "programs", "reason": "unheard logout"})
    assert crashes.deliver() is None
    assert crashes.mip.open_sessions == 1
    assert crashes.deliver() == []
    assert crashes.mip.open_sessions == 0
    assert crashes.mip.counters.lockouts == 0


def test_killed_batch_is_hidden_only_until_its_invocation_must_have_ended(
    crashes: Crashes,
) -> None:
    """Not for the queue's own visibility time-out, which is six times the worker's."""
    hidden: list[float] = []

    def look_and_kill(call: str) -> None:
        if call == "segments":
            hidden.append(crashes.hidden_seconds())
            crashes.kill(call)

    crashes.mip.on_call = look_and_kill
    crashes.send({"dataset": "programs", "reason": "hidden"})
    assert crashes.deliver() is None
    assert 290 < hidden[0] <= 310
    assert crashes.deliver() == []
