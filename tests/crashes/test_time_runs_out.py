"""An invocation whose time runs out: by itself in time, or ended by Lambda."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.s3.models import S3Backend

from local.mip import Fault, MipCloud
from local.stack import LocalStack
from tests.crashes.conftest import Crashes, is_entry

TIMEOUT_SECONDS = 8.0
MOST_RECEIVES = 4
"""With one more, a message that still fails is dead-lettered."""


@pytest.fixture(scope="module")
def stack_and_mip() -> Iterator[tuple[LocalStack, MipCloud]]:
    """A worker with little time; the share that is reserved for logging out shrinks with it."""
    mip = MipCloud(lockout_seconds=3600, idle_seconds=3600)
    timeouts = {"WorkerFunction": TIMEOUT_SECONDS}
    with LocalStack(
        gateway_port=0, aws_port=0, mip_port=0, mip=mip, poll=False, timeouts=timeouts
    ) as stack:
        yield stack, mip


def check_made_good(crashes: Crashes) -> None:
    assert crashes.deliver() == []
    status = crashes.status()
    assert status["session_open"] is False
    assert status["queue"] == {"visible": 0, "in_flight": 0}
    assert crashes.mip.open_sessions == 0
    assert crashes.mip.counters.lockouts == 0


def test_fetch_that_hangs_is_given_up_in_time_to_log_out(crashes: Crashes) -> None:
    crashes.mip.set_fault("accounts", Fault(kind="timeout"))
    crashes.send({"dataset": "programs", "reason": "MIP hangs"})
    assert len(crashes.deliver() or []) == 1
    assert crashes.mip.counters.logouts == 1
    assert crashes.mip.open_sessions == 0
    crashes.mip.clear_faults()
    check_made_good(crashes)


def test_worker_that_lambda_ends_is_made_good_by_the_next_delivery(
    crashes: Crashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 takes longer than the invocation lasts, so that it is killed with its session open."""
    original, released = S3Backend.put_object, threading.Event()

    def hangs(*args: Any, **kwargs: Any) -> Any:
        # Before the login the worker puts a tombstone, which does not hang.
        if is_entry(*args, **kwargs) and crashes.mip.open_sessions:
            released.wait(3 * TIMEOUT_SECONDS)
            raise ConnectionAbortedError
        return original(*args, **kwargs)

    monkeypatch.setattr(S3Backend, "put_object", hangs)
    crashes.send({"dataset": "programs", "reason": "S3 hangs"})
    assert crashes.deliver() is None
    assert crashes.mip.open_sessions == 1
    monkeypatch.setattr(S3Backend, "put_object", original)
    check_made_good(crashes)
    released.set()


def month(number: int, reason: str) -> dict[str, str]:
    return {
        "dataset": "balances",
        "from": f"2025-{number:02}-01",
        "to": f"2025-{number:02}-28" if number == 2 else f"2025-{number:02}-30",
        "reason": reason,
    }


def timeouts(crashes: Crashes) -> int:
    assert crashes.stack.logs
    log = crashes.stack.logs / "WorkerFunction.log"
    return log.read_text().count("Task timed out after")


def test_batch_that_is_too_long_for_one_invocation_is_done_in_several_and_none_times_out(
    crashes: Crashes,
) -> None:
    months = [month(number, "long batch") for number in (4, 6, 9, 11, 2)]
    for message in months:
        crashes.send(message)
    crashes.mip.set_latency(1.5, "balances")
    before = timeouts(crashes)
    deliveries = 0
    while crashes.status()["queue"]["visible"] and deliveries < MOST_RECEIVES:
        assert crashes.deliver() is not None
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
