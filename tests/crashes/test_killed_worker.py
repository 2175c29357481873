"""A worker that is really killed leaves nothing that the next one cannot clean up."""

from collections.abc import Callable

import pytest

from tests.crashes.conftest import (
    PUT_OBJECT,
    PUT_PARAMETER,
    READ_PARAMETERS,
    Crashes,
    is_closing,
    is_entry,
    is_session,
)

MOMENTS: dict[str, Callable[[Crashes], None]] = {
    "before the login": lambda c: c.kill_before(READ_PARAMETERS, lambda *_, **__: True),
    "after storing the token": lambda c: c.kill_after(PUT_PARAMETER, is_session),
    "while fetching": lambda c: c.kill_on_call("balances"),
    "before the first write": lambda c: c.kill_before(PUT_OBJECT, is_entry),
    "after the first write": lambda c: c.kill_after(PUT_OBJECT, is_entry),
    "while logging out": lambda c: c.kill_on_call("logout"),
    "after the logout": lambda c: c.kill_before(PUT_PARAMETER, is_closing),
    "after noting that none is open": lambda c: c.kill_after(PUT_PARAMETER, is_closing),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_worker_killed_at_any_moment_is_made_good_by_the_next_delivery(
    crashes: Crashes, moment: str
) -> None:
    MOMENTS[moment](crashes)
    crashes.send({"dataset": "all", "reason": moment})
    assert crashes.deliver() is None
    assert crashes.killed
    status = crashes.check_made_good()
    assert [entry["state"] for entry in status["entries"]] == ["fresh"] * 5
    assert crashes.mip.counters.lockouts == 0
    assert crashes.mip.counters.max_open_sessions == 1


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
