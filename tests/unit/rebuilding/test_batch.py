"""A batch of deliveries, from parsing to settlement."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError, TransientUpstreamError, UpstreamDataError
from core.model.datasets import PROGRAM_LISTS, entry_key, failure_key
from core.model.entry import CacheEntry, decode
from tests.builders import (
    NOW,
    PREFIX,
    make_body,
    make_delivery,
    make_entry,
    make_lists,
    make_worker_settings,
    store_entries,
)
from tests.fakes import (
    FakeClock,
    FakeSecrets,
    FakeUpstream,
    InMemoryDeadLetters,
    InMemoryStore,
    RecordingQueue,
    RecordingTelemetry,
)
from tests.wired import WiredWorker

HELD_SECONDS = 310
SEPTEMBER_BODY = make_body("balances", **{"from": "2026-09-01", "to": "2026-09-30"})


@pytest.fixture
def worker(
    store: InMemoryStore,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    secrets: FakeSecrets,
    upstream: FakeUpstream,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> WiredWorker:
    return WiredWorker(
        store=store,
        queue=queue,
        dead_letters=dead_letters,
        secrets=secrets,
        upstream=upstream,
        telemetry=telemetry,
        clock=clock,
    )


def test_batch_of_nothing_makes_no_call(worker: WiredWorker, upstream: FakeUpstream) -> None:
    assert worker.process() == []
    assert upstream.calls == []


def test_batch_today_is_taken_in_the_time_zone(
    worker: WiredWorker, store: InMemoryStore, clock: FakeClock
) -> None:
    clock.now = datetime(2026, 10, 15, 3, tzinfo=UTC)
    worker.settings = make_worker_settings(time_zone=ZoneInfo("America/New_York"), balance_months=1)
    worker.process(make_delivery(make_body("all")))
    assert "cache/v1/balances/2026-10-01_2026-10-14.json" in store.objects


def test_batch_poison_message_is_dead_lettered_and_the_others_are_unharmed(
    worker: WiredWorker, store: InMemoryStore, dead_letters: InMemoryDeadLetters
) -> None:
    deliveries = [
        make_delivery("no json", message_id="a"),
        make_delivery(message_id="b"),
        make_delivery(make_body(resaon="typo"), message_id="c"),
    ]
    assert worker.process(*deliveries) == []
    assert [letter.attributes["OriginalMessageId"] for letter in dead_letters.letters] == ["a", "c"]
    assert entry_key(PREFIX, PROGRAM_LISTS) in store.objects


def test_batch_message_that_fails_comes_back_alone(
    worker: WiredWorker, upstream: FakeUpstream
) -> None:
    upstream.fail("balances", UpstreamDataError("x"))
    deliveries = [make_delivery(SEPTEMBER_BODY, message_id="b"), make_delivery(message_id="p")]
    assert worker.process(*deliveries) == ["b"]


def test_batch_settles_only_after_the_session_is_closed(
    worker: WiredWorker, upstream: FakeUpstream, queue: RecordingQueue
) -> None:
    delays_at_logout: list[list[int]] = []
    upstream.during["logout"] = lambda: delays_at_logout.append(list(queue.delays.values()))
    upstream.fail("accounts", TransientUpstreamError("x"))
    worker.process(make_delivery())
    assert delays_at_logout == [[HELD_SECONDS]]
    assert list(queue.delays.values()) == [15]


def test_batch_messages_are_held_until_the_invocation_must_have_ended(
    worker: WiredWorker, queue: RecordingQueue, secrets: FakeSecrets, upstream: FakeUpstream
) -> None:
    held_at_login: list[dict[str, int]] = []
    upstream.during["login"] = lambda: held_at_login.append(dict(queue.delays))
    deliveries = [make_delivery(message_id="a"), make_delivery("no json", message_id="b")]
    worker.process(*deliveries)
    assert held_at_login == [{d.receipt_handle: HELD_SECONDS for d in deliveries}]


def test_batch_that_cannot_be_held_is_processed_all_the_same(
    worker: WiredWorker, queue: RecordingQueue, telemetry: RecordingTelemetry
) -> None:
    queue.is_down = True
    assert worker.process(make_delivery()) == []
    assert telemetry.warnings() == ["messages not held"]


def test_outage_is_retried_four_times_then_dead_lettered_once(
    worker: WiredWorker,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    upstream: FakeUpstream,
    store: InMemoryStore,
    clock: FakeClock,
) -> None:
    upstream.replies["accounts"] = {"error": "maintenance"}
    queue.send_again(make_body(), "once")
    received = 0
    for _ in range(60):
        received += worker.poll()
        clock.advance(seconds=15)
    assert received == 5
    (letter,) = dead_letters.letters
    assert letter.attributes["Attempts"] == "5"
    assert queue.depth().visible == 0
    assert failure_key(PREFIX, PROGRAM_LISTS) in store.objects
    assert upstream.made["login"] == upstream.made["logout"] == 5


def test_bad_credentials_are_tried_once_however_many_messages_come(
    worker: WiredWorker,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    clock: FakeClock,
) -> None:
    upstream.accepted = type(secrets.stored)("someone", "else", {})
    for number in range(20):
        queue.send_again(make_body(), f"id-{number}")
        worker.poll()
        clock.advance(minutes=2)
    assert len(dead_letters.letters) == 20
    assert upstream.made["login"] == 1


def test_worker_that_died_in_mid_session_is_cleaned_up_by_the_next_batch(
    worker: WiredWorker, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    secrets.note_session("token-0")
    upstream.open_token = "token-0"
    assert worker.process(make_delivery()) == []
    assert not upstream.is_locked
    assert upstream.open_token is None


# Message groups


def test_message_of_a_foreign_group_is_sent_on_and_acknowledged(
    worker: WiredWorker, queue: RecordingQueue, upstream: FakeUpstream
) -> None:
    queue.send_again(make_body(), "typo", group="misp")
    assert worker.poll() == 1
    assert upstream.calls == []
    assert queue.deduplication_ids == ["typo", "forward-id-1"]
    assert worker.telemetry.warnings() == ["message forwarded"]
    [forwarded] = queue.receive()
    assert (forwarded.body, forwarded.group) == (make_body(), "mips")


def test_worker_with_foreign_messages_alone_leaves_the_noted_session_open(
    worker: WiredWorker, secrets: FakeSecrets, upstream: FakeUpstream
) -> None:
    """Another worker, which holds the group of rebuilds, may be in the middle of it."""
    secrets.note_session("token-0")
    worker.process(make_delivery(group="misp"), make_delivery("no json", group="m-7"))
    assert upstream.calls == []
    assert secrets.token == "token-0"


def test_mixed_batch_rebuilds_its_own_and_sends_the_others_on(
    worker: WiredWorker, queue: RecordingQueue, store: InMemoryStore
) -> None:
    deliveries = [make_delivery(SEPTEMBER_BODY, message_id="f", group="g"), make_delivery()]
    assert worker.process(*deliveries) == []
    assert queue.sent == [SEPTEMBER_BODY]
    assert list(store.objects) == [entry_key(PREFIX, PROGRAM_LISTS)]


def test_foreign_message_that_cannot_be_sent_on_comes_back(
    worker: WiredWorker, queue: RecordingQueue, telemetry: RecordingTelemetry
) -> None:
    queue.is_down = True
    assert worker.process(make_delivery(group="misp")) == ["m-1"]
    assert "message not forwarded" in telemetry.warnings()


def test_foreign_message_whose_acknowledgement_is_lost_is_sent_on_once(
    worker: WiredWorker, queue: RecordingQueue
) -> None:
    for receives in (1, 2):
        worker.process(make_delivery(group="misp", receives=receives))
    assert len(queue.sent) == 1


# Conflicts


def test_write_whose_answer_was_lost_ends_as_a_fresh_entry_without_a_failure(
    worker: WiredWorker, queue: RecordingQueue, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    """The SDK repeats the write and meets its own; the message comes back and collapses."""
    key = entry_key(PREFIX, PROGRAM_LISTS)
    store.is_answer_lost = lambda operation, written: (operation, written) == ("replace", key)
    queue.send_again(make_body(), "1")
    assert worker.poll() == 1
    assert worker.poll() == 1
    assert worker.poll() == 0
    assert upstream.made["login"] == 1
    assert isinstance(decode(store.objects[key].body, PROGRAM_LISTS), CacheEntry)
    assert failure_key(PREFIX, PROGRAM_LISTS) not in store.objects


def test_failures_of_a_batch_that_broke_off_are_not_recorded_by_the_next(
    worker: WiredWorker, queue: RecordingQueue, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    upstream.fail("accounts", UpstreamDataError("x"))
    hide = queue.delay
    queue.delay = lambda *_: 1 / 0 if len(upstream.calls) else hide(*_)  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        worker.process(make_delivery())
    queue.delay = hide  # type: ignore[method-assign]
    assert worker.process(make_delivery(SEPTEMBER_BODY)) == []
    assert failure_key(PREFIX, PROGRAM_LISTS) not in store.objects


def test_message_that_accepts_a_shorter_list_replaces_a_longer_one(
    worker: WiredWorker, store: InMemoryStore
) -> None:
    names = {str(code): "Name" for code in range(100000, 100010)}
    store_entries(store, make_entry(built_at=NOW - timedelta(days=1), data=make_lists(names)))
    assert worker.process(make_delivery(make_body(accept_shrink=True))) == []


def test_foreign_message_that_cannot_be_sent_on_is_delayed(
    worker: WiredWorker, queue: RecordingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise QueueUnavailableError("SQS SendMessage: ServiceUnavailable")

    monkeypatch.setattr(queue, "send_again", refuse)
    delivery = make_delivery(group="misp")
    assert worker.process(delivery) == ["m-1"]
    assert queue.delays == {delivery.receipt_handle: 15}
