"""Refreshes: which messages are queued."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError
from core.model.selection import Selection
from core.operating.commands import Refresh
from core.operating.refresh import Refresher
from tests.builders import NOW, SEPTEMBER, make_admin_settings
from tests.fakes import FakeClock, RecordingQueue


class WiredRefresher(Refresher):
    """A refresher, and the queue that it sends to."""

    def __init__(self, now: datetime = NOW, **settings: Any) -> None:
        clock = FakeClock(now)
        self.queue = RecordingQueue(clock)
        super().__init__(queue=self.queue, clock=clock, settings=make_admin_settings(**settings))

    def messages(self, selection: Selection, *, accept_shrink: bool = False) -> list[Any]:
        """Refresh a selection, and return the bodies that were sent."""
        self.refresh(Refresh(selection, accept_shrink=accept_shrink), "c-1")
        return [json.loads(body) for body in self.queue.sent]


def test_refresh_of_all_is_one_message() -> None:
    refresher = WiredRefresher()
    assert refresher.refresh(Refresh(Selection("all"), accept_shrink=False), "c-1") == {
        "action": "refresh",
        "summary": "1 rebuild queued",
        "count": 1,
        "message_ids": ["id-1"],
        "queued": [{"dataset": "all", "message_id": "id-1"}],
        "correlation_id": "c-1",
    }
    [body] = refresher.queue.sent
    assert json.loads(body) == {"dataset": "all", "reason": "refresh", "correlation_id": "c-1"}


def test_refresh_of_balances_is_a_message_for_each_recent_period() -> None:
    messages = WiredRefresher(balance_months=3).messages(Selection("balances"))
    assert [body["to"] for body in messages] == ["2026-10-15", "2026-09-30", "2026-08-31"]


@pytest.mark.parametrize("selection", [Selection("programs"), Selection("balances", SEPTEMBER)])
def test_refresh_of_one_dataset_is_one_message(selection: Selection) -> None:
    assert WiredRefresher().messages(selection, accept_shrink=True) == [
        {
            **selection.as_json(),
            "reason": "refresh",
            "accept_shrink": True,
            "correlation_id": "c-1",
        }
    ]


def test_refresh_twice_is_never_swallowed() -> None:
    refresher = WiredRefresher()
    refresher.messages(Selection("all"))
    assert len(refresher.messages(Selection("all"))) == 2


def test_refresh_today_is_taken_in_the_time_zone() -> None:
    refresher = WiredRefresher(
        datetime(2026, 10, 15, 3, tzinfo=UTC), time_zone=ZoneInfo("America/New_York")
    )
    assert refresher.messages(Selection("balances"))[0]["to"] == "2026-10-14"


def test_refresh_with_the_queue_out_of_reach_fails() -> None:
    refresher = WiredRefresher()
    refresher.queue.is_down = True
    with pytest.raises(QueueUnavailableError):
        refresher.messages(Selection("all"))
