"""A batch of deliveries, from parsing to settlement."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError, TransientUpstreamError, UpstreamDataError
from core.model.datasets import PROGRAM_LISTS, entry_key, failure_key
from tests.builders import (
    NOW,
    PREFIX,
    SEPTEMBER_BALANCES,
    make_body,
    make_delivery,
    make_entry,
    make_lists,
    make_worker_settings,
    store_entries,
)
from tests.wired import WiredWorker

HELD_SECONDS = 310
SEPTEMBER_BODY = make_body("balances", **{"from": "2026-09-01", "to": "2026-09-30"})
KEY = entry_key(PREFIX, PROGRAM_LISTS)
SEPTEMBER_FAILURE = failure_key(PREFIX, SEPTEMBER_BALANCES)


def test_today_is_taken_in_the_time_zone(worker: WiredWorker) -> None:
    worker.clock.now = datetime(2026, 10, 15, 3, tzinfo=UTC)
    worker.settings = make_worker_settings(time_zone=ZoneInfo("America/New_York"), balance_months=1)
    worker.process(make_delivery(make_body("all")))
    assert "cache/v1/balances/2026-10-01_2026-10-14.json" in worker.store.objects


def test_invalid_messages_are_dead_lettered_and_the_others_unharmed(worker: WiredWorker) -> None:
    bodies = {"a": "no json", "b": make_body(), "c": make_body(resaon="typo")}
    assert worker.process(*(make_delivery(bodies[id_], message_id=id_) for id_ in bodies)) == []
    letters = worker.dead_letters.letters
    assert [letter.attributes["OriginalMessageId"] for letter in letters] == ["a", "c"]
    assert KEY in worker.store.objects


def test_message_that_fails_comes_back_alone(worker: WiredWorker) -> None:
    worker.upstream.fail("balances", UpstreamDataError("x"))
    deliveries = [make_delivery(SEPTEMBER_BODY, message_id="b"), make_delivery(message_id="p")]
    assert worker.process(*deliveries) == ["b"]
    assert set(worker.store.objects) >= {KEY, SEPTEMBER_FAILURE}


def test_message_that_accepts_a_shorter_list_replaces_a_longer_one(worker: WiredWorker) -> None:
    names = {str(code): "Name" for code in range(100000, 100010)}
    longer = make_entry(built_at=NOW - timedelta(days=1), data=make_lists(names))
    store_entries(worker.store, longer)
    assert worker.process(make_delivery(make_body(accept_shrink=True))) == []


def test_batch_is_held_at_first_and_settled_after_the_session_is_closed(
    worker: WiredWorker,
) -> None:
    """Held until the invocation must have ended; the delay of a failure begins only then."""
    seen: list[dict[str, int]] = []
    for call in ("login", "logout"):
        worker.upstream.during[call] = lambda: seen.append(dict(worker.queue.delays))
    worker.upstream.fail("accounts", TransientUpstreamError("x"))
    deliveries = [make_delivery(message_id="a"), make_delivery("no json", message_id="b")]
    worker.process(*deliveries)
    assert seen == [{d.receipt_handle: HELD_SECONDS for d in deliveries}] * 2
    assert list(worker.queue.delays.values()) == [15, HELD_SECONDS]


def test_batch_that_cannot_be_held_is_processed_all_the_same(worker: WiredWorker) -> None:
    worker.queue.is_down = True
    assert worker.process(make_delivery()) == []
    assert worker.telemetry.warnings() == ["messages not held"]


# Message groups


def test_message_of_a_foreign_group_is_sent_on_and_acknowledged(worker: WiredWorker) -> None:
    worker.queue.send_again(make_body(), "typo", group="misp")
    assert worker.poll() == 1
    assert worker.upstream.calls == []
    assert worker.queue.deduplication_ids == ["typo", "forward-id-1"]
    assert worker.telemetry.warnings() == ["message forwarded"]
    [forwarded] = worker.queue.receive()
    assert (forwarded.body, forwarded.group) == (make_body(), "mips")


def test_worker_with_foreign_messages_alone_leaves_the_noted_session_open(
    worker: WiredWorker,
) -> None:
    """Another worker, which holds the group of rebuilds, may be in the middle of it."""
    worker.secrets.note_session("token-0")
    worker.process(make_delivery(group="misp"), make_delivery("no json", group="m-7"))
    assert worker.upstream.calls == []
    assert worker.secrets.token == "token-0"


def test_mixed_batch_rebuilds_its_own_and_sends_the_others_on(worker: WiredWorker) -> None:
    deliveries = [make_delivery(SEPTEMBER_BODY, message_id="f", group="g"), make_delivery()]
    assert worker.process(*deliveries) == []
    assert worker.queue.sent == [SEPTEMBER_BODY]
    assert list(worker.store.objects) == [KEY]


def test_foreign_message_that_cannot_be_sent_on_comes_back_after_a_delay(
    worker: WiredWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise QueueUnavailableError("SQS SendMessage: ServiceUnavailable")

    monkeypatch.setattr(worker.queue, "send_again", refuse)
    delivery = make_delivery(group="misp")
    assert worker.process(delivery) == ["m-1"]
    assert worker.telemetry.warnings() == ["message not forwarded"]
    assert worker.queue.delays == {delivery.receipt_handle: 15}


def test_foreign_message_whose_acknowledgement_is_lost_is_sent_on_once(worker: WiredWorker) -> None:
    for receives in (1, 2):
        worker.process(make_delivery(group="misp", receives=receives))
    assert len(worker.queue.sent) == 1
