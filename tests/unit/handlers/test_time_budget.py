"""The time that one request may take."""

import pytest

from core.adapters.signed_requests import (
    CONNECT_TIMEOUT_SECONDS,
    LONGEST_PAUSE_SECONDS,
    READ_TIMEOUT_SECONDS,
)
from handlers.time_budget import (
    ANSWER_SECONDS,
    GATEWAY_SECONDS,
    LONGEST_CALL_SECONDS,
    LONGEST_WAIT_SECONDS,
    patience,
)
from tests.builders import NOW
from tests.fakes import FakeClock

NOW_MS = int(NOW.timestamp() * 1000)
ALL = ANSWER_SECONDS - LONGEST_CALL_SECONDS


@pytest.mark.parametrize(
    ("taken_at_ms", "left"),
    [
        pytest.param(NOW_MS, ALL, id="just now"),
        pytest.param(NOW_MS - 2_500, ALL - 2.5, id="after a cold start"),
        pytest.param(NOW_MS - 28_000, ALL - 28, id="too late for any call"),
        pytest.param(NOW_MS - 29_001, ALL, id="longer ago than API Gateway waits"),
        pytest.param(None, ALL, id="missing"),
        pytest.param(NOW_MS + 1_000, ALL, id="in the future"),
        pytest.param(0, ALL, id="absurd"),
        pytest.param(-(10**400), ALL, id="beyond floating point"),
        pytest.param(10**400, ALL, id="beyond floating point, in the future"),
    ],
)
def test_time_for_calls_counts_from_when_the_request_was_taken(
    taken_at_ms: int | None, left: float
) -> None:
    clock = FakeClock()
    found = patience(9, taken_at_ms, clock(), clock.monotonic)
    assert found.calls.remaining() == pytest.approx(left)
    assert found.wait.remaining() == 9


def test_last_call_ends_before_api_gateway_gives_up() -> None:
    tries = 2 * (CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS)
    assert tries + LONGEST_PAUSE_SECONDS <= LONGEST_CALL_SECONDS
    assert ANSWER_SECONDS < GATEWAY_SECONDS


def test_longest_wait_leaves_time_for_the_last_looks() -> None:
    clock = FakeClock()
    list(patience(600, None, clock(), clock.monotonic).pauses(clock.sleep))
    assert sum(clock.sleeps) == pytest.approx(LONGEST_WAIT_SECONDS)
