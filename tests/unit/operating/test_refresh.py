"""Refreshes: which messages are queued."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError
from core.model.selection import Selection
from core.operating.commands import Refresh
from core.operating.refresh import Refresher
from tests.builders import SEPTEMBER, make_admin_settings
from tests.fakes import FakeClock, RecordingQueue

EVERYTHING = Selection("all")


@pytest.fixture
def refresher(queue: RecordingQueue, clock: FakeClock) -> Refresher:
    return Refresher(queue=queue, clock=clock, settings=make_admin_settings())


def test_refresh_of_all_is_one_message(refresher: Refresher, queue: RecordingQueue) -> None:
    result = refresher.refresh(Refresh(EVERYTHING, accept_shrink=False), "c-1")
    assert [json.loads(body) for body in queue.sent] == [
        {"dataset": "all", "reason": "refresh", "correlation_id": "c-1"}
    ]
    assert result == {
        "action": "refresh",
        "summary": "1 rebuild queued",
        "count": 1,
        "message_ids": ["id-1"],
        "queued": [{"dataset": "all", "message_id": "id-1"}],
        "correlation_id": "c-1",
    }


def test_refresh_of_balances_is_a_message_for_each_recent_period(
    queue: RecordingQueue, clock: FakeClock
) -> None:
    settings = make_admin_settings(balance_months=3)
    refresher = Refresher(queue=queue, clock=clock, settings=settings)
    result = refresher.refresh(Refresh(Selection("balances"), accept_shrink=False), "c-1")
    assert [json.loads(body)["to"] for body in queue.sent] == [
        "2026-10-15",
        "2026-09-30",
        "2026-08-31",
    ]
    assert result["count"] == 3


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        pytest.param(Selection("programs"), {"dataset": "programs"}, id="programs"),
        pytest.param(
            Selection("balances", SEPTEMBER),
            {"dataset": "balances", "from": "2026-09-01", "to": "2026-09-30"},
            id="one period",
        ),
    ],
)
def test_refresh_of_one_dataset_is_one_message(
    refresher: Refresher, queue: RecordingQueue, selection: Selection, message: dict[str, str]
) -> None:
    refresher.refresh(Refresh(selection, accept_shrink=False), "c-1")
    assert [json.loads(body) for body in queue.sent] == [
        {**message, "reason": "refresh", "correlation_id": "c-1"}
    ]


def test_refresh_passes_the_acceptance_of_a_shrunken_list_on(
    refresher: Refresher, queue: RecordingQueue
) -> None:
    command = Refresh(Selection("programs"), accept_shrink=True)
    refresher.refresh(command, "c-1")
    assert json.loads(queue.sent[0])["accept_shrink"] is True


def test_refresh_twice_is_never_swallowed(refresher: Refresher, queue: RecordingQueue) -> None:
    for _ in range(2):
        refresher.refresh(Refresh(EVERYTHING, accept_shrink=False), "c-1")
    assert len(queue.sent) == 2


def test_refresh_today_is_taken_in_the_time_zone(queue: RecordingQueue, clock: FakeClock) -> None:
    clock.now = datetime(2026, 10, 15, 3, tzinfo=UTC)
    settings = make_admin_settings(time_zone=ZoneInfo("America/New_York"))
    refresher = Refresher(queue=queue, clock=clock, settings=settings)
    refresher.refresh(Refresh(Selection("balances"), accept_shrink=False), "c-1")
    assert json.loads(queue.sent[0])["to"] == "2026-10-14"


def test_refresh_with_the_queue_out_of_reach_fails(
    refresher: Refresher, queue: RecordingQueue
) -> None:
    queue.is_down = True
    with pytest.raises(QueueUnavailableError):
        refresher.refresh(Refresh(EVERYTHING, accept_shrink=False), "c-1")
