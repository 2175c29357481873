"""Lambda ends an invocation whose time is up, wherever it stands; a long batch never meets that."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.crashes.conftest import Crashes, kill_points

KILL_POINTS = kill_points()
MOMENTS = ("while fetching the balances", "after the logout")
MOST_RECEIVES = 4
"""With one more, a message that still fails is dead-lettered."""

GiveWorker = Callable[[float], None]


class Freezes(Crashes):
    """A stack whose worker stands still from a chosen moment on, until its time has run out."""

    def kill(self, moment: str) -> None:
        if not self.killed:
            self.killed.append(moment)
            [worker] = self.stack.functions["WorkerFunction"].pids()
            os.kill(worker, signal.SIGSTOP)

    def timeouts(self) -> int:
        assert self.stack.logs
        return (self.stack.logs / "WorkerFunction.log").read_text().count("Task timed out after")


@pytest.fixture
def freezes(crashes: Crashes, monkeypatch: pytest.MonkeyPatch) -> Freezes:
    return Freezes(crashes.stack, crashes.mip, monkeypatch)


@pytest.fixture
def give_worker(crashes: Crashes) -> Iterator[GiveWorker]:
    """Set the worker's time-out in seconds, for the processes that start from now on."""
    function = crashes.stack.functions["WorkerFunction"]
    usual = function.spec

    def give(seconds: float) -> None:
        function.spec = replace(usual, timeout_seconds=seconds)
        function.recycle()

    yield give
    give(usual.timeout_seconds)


def month(number: int, reason: str) -> dict[str, str]:
    return {
        "dataset": "balances",
        "from": f"2025-{number:02}-01",
        "to": f"2025-{number:02}-28" if number == 2 else f"2025-{number:02}-30",
        "reason": reason,
    }


@pytest.mark.parametrize("moment", MOMENTS)
def test_worker_whose_time_runs_out_at_any_moment_is_made_good_by_the_next_delivery(
    freezes: Freezes, give_worker: GiveWorker, moment: str
) -> None:
    KILL_POINTS[moment](freezes)
    before = freezes.timeouts()
    freezes.send(month(4, f"no time left {moment}"))
    give_worker(2.5)
    # On a busy machine it may see in time that it has too little left, and try again when warm.
    deliveries = 1
    while freezes.deliver() is not None and deliveries < MOST_RECEIVES:
        deliveries += 1
    assert freezes.killed
    assert freezes.timeouts() == before + 1
    give_worker(60)
    assert freezes.deliver() == []
    status = freezes.status()
    assert [entry["state"] for entry in status["entries"]] == ["fresh"]
    assert status["queue"] == {"visible": 0, "in_flight": 0}
    assert (status["session_open"], status["dead_letters"]) == (False, 0)
    assert freezes.mip.open_sessions == 0
    assert freezes.mip.counters.lockouts == 0


def test_batch_that_is_too_long_for_one_invocation_is_done_in_several_and_none_times_out(
    freezes: Freezes, give_worker: GiveWorker
) -> None:
    months = [month(number, "long batch") for number in (4, 6, 9, 11, 2)]
    for message in months:
        freezes.send(message)
    freezes.mip.set_latency(0.7, "balances")
    give_worker(5)
    before = freezes.timeouts()
    deliveries = 0
    while freezes.status()["queue"]["visible"] and deliveries < MOST_RECEIVES:
        assert freezes.deliver() is not None
        deliveries += 1
    assert deliveries > 1
    status = freezes.status()
    assert [entry["state"] for entry in status["entries"]] == ["fresh"] * len(months)
    assert status["dead_letters"] == 0
    assert freezes.timeouts() == before
    counters = freezes.mip.counters
    assert counters.logins == counters.logouts == deliveries
    assert counters.max_open_sessions == 1
    # What was done is not done again.
    assert counters.calls["balances"] == len(months)
