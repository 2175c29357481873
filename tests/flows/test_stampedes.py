"""Readers that come all at once, and messages that come all at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
import requests
from moto.sqs.models import SQSBackend

from core.model.periods import recent_periods
from tests.flows.conftest import Flows, eventually

READERS = 500
AT_ONCE = 100


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the messages that reach SQS; moto runs in this process."""
    counted: list[str] = []
    original = SQSBackend.send_message

    def send_message(self: SQSBackend, *args: object, **kwargs: object) -> object:
        counted.append("sent")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(SQSBackend, "send_message", send_message)
    return lambda: len(counted)


def read_all(flows: Flows) -> list[requests.Response]:
    with ThreadPoolExecutor(AT_ONCE) as readers:
        return list(readers.map(lambda _: flows.get("/accounts"), range(READERS)))


def is_early_in_the_minute() -> bool:
    """A miss is asked for once a minute: in the next one, readers may ask again."""
    return datetime.now(UTC).second < 50


def test_five_hundred_cold_reads_cost_one_rebuild(flows: Flows, sends: Callable[[], int]) -> None:
    eventually(is_early_in_the_minute)
    responses = read_all(flows)
    assert {response.status_code for response in responses} <= {200, 503}
    assert Counter(response.status_code for response in responses)[200] >= READERS - AT_ONCE
    assert all("Retry-After" in r.headers for r in responses if r.status_code == 503)
    assert len({r.text for r in responses if r.status_code == 200}) == 1
    assert flows.mip.counters.logins == 1
    assert 1 <= sends() <= flows.stack.reader_concurrency


def test_five_hundred_reads_at_expiry_cost_one_rebuild(
    flows: Flows, sends: Callable[[], int]
) -> None:
    flows.fill()
    eventually(flows.is_idle)
    flows.expire()
    before, sent = flows.mip.counters.logins, sends()
    responses = read_all(flows)
    assert {response.status_code for response in responses} == {200}
    eventually(flows.is_idle)
    assert flows.mip.counters.logins == before + 1
    assert 1 <= sends() - sent <= flows.stack.reader_concurrency


def test_burst_of_forty_eight_months_is_served_in_batches_with_a_session_each(
    flows: Flows,
) -> None:
    months = recent_periods(date(2024, 12, 31), 48)
    for month in months:
        flows.send({"dataset": "balances", **month.as_json()})
    eventually(lambda: len(flows.admin(action="status")["entries"]) == len(months))
    eventually(flows.is_idle)
    counters = flows.mip.counters
    assert counters.calls["balances"] == len(months)
    assert counters.logins == counters.logouts == counters.calls["segments"]
    # Ten to a batch; the first ones leave before the rest have been sent.
    assert len(months) / 10 <= counters.logins <= 16
    assert counters.max_open_sessions == 1
    assert flows.admin(action="status")["dead_letters"] == 0
