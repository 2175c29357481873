"""An invocation whose time runs out: by itself in time, or ended by Lambda."""

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from core.model.periods import recent_periods
from local.mip import Fault
from local.stack import LocalStack
from tests.crashes.conftest import PUT_OBJECT, Crashes, is_entry, local_stack

TIMEOUT_SECONDS = 8.0
MOST_RECEIVES = 4
"""With one more, a message that still fails is dead-lettered."""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A worker with little time; the share that is reserved for logging out shrinks with it."""
    with local_stack(timeouts={"WorkerFunction": TIMEOUT_SECONDS}) as running:
        yield running


def test_fetch_that_hangs_is_given_up_in_time_to_log_out(crashes: Crashes) -> None:
    crashes.mip.set_fault("accounts", Fault(kind="timeout"))
    crashes.send({"dataset": "programs", "reason": "MIP hangs"})
    assert len(crashes.deliver() or []) == 1
    assert crashes.mip.counters.logouts == 1
    assert crashes.mip.open_sessions == 0
    crashes.mip.clear_faults()
    crashes.check_made_good()
    assert crashes.mip.counters.lockouts == 0


def test_worker_that_lambda_ends_is_made_good_by_the_next_delivery(
    crashes: Crashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 takes longer than the invocation lasts, so that it is killed with its session open."""
    original, released = getattr(*PUT_OBJECT), threading.Event()

    def hangs(*args: Any, **kwargs: Any) -> Any:
        # Before the login the worker puts a tombstone, which does not hang.
        if is_entry(*args, **kwargs) and crashes.mip.open_sessions:
            released.wait(3 * TIMEOUT_SECONDS)
            raise ConnectionAbortedError
        return original(*args, **kwargs)

    monkeypatch.setattr(*PUT_OBJECT, hangs)
    crashes.send({"dataset": "programs", "reason": "S3 hangs"})
    assert crashes.deliver() is None
    assert crashes.mip.open_sessions == 1
    monkeypatch.setattr(*PUT_OBJECT, original)
    crashes.check_made_good()
    assert crashes.mip.counters.lockouts == 0
    released.set()


def timeouts(crashes: Crashes) -> int:
    assert crashes.stack.logs
    log = crashes.stack.logs / "WorkerFunction.log"
    return log.read_text().count("Task timed out after")


def test_batch_that_is_too_long_for_one_invocation_is_done_in_several_and_none_times_out(
    crashes: Crashes,
) -> None:
    months = recent_periods(date(2025, 11, 30), 5)
    for month in months:
        crashes.send({"dataset": "balances", **month.as_json(), "reason": "long batch"})
    crashes.mip.set_latency(1.5, "balances")
    before, deliveries = timeouts(crashes), 1
    while crashes.deliver() != [] and deliveries < MOST_RECEIVES:
        deliveries += 1
    assert deliveries > 1
    status = crashes.status()
    states = [entry["state"] for entry in status["entries"]]
    assert [state for state in states if state != "purged"] == ["fresh"] * len(months)
    assert status["dead_letters"] == 0
    assert timeouts(crashes) == before
    counters = crashes.mip.counters
    assert counters.logins == counters.logouts == deliveries
    assert counters.max_open_sessions == 1
    # What was done is not done again.
    assert counters.calls["balances"] == len(months)
