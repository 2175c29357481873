"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

import json
from datetime import timedelta

import pytest

from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, Tombstone, encode, encode_tombstone
from core.model.failures import FailureRecord, encode_failure
from core.model.periods import recent_periods
from core.reading.lookup import (
    ASK_AGAIN,
    ENTRIES_IN_MEMORY,
    RECHECK_STALE,
    VIEWS_PER_ENTRY,
    Found,
    LoadedEntry,
    Lookup,
    NotFound,
    Outcome,
)
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER_BALANCES,
    TODAY,
    make_entry,
    make_failure,
    make_lists,
    make_stale_entry,
    store_tombstones,
)
from tests.fakes import FakeClock, InMemoryStore, RecordingQueue, RecordingTelemetry

KEY = entry_key(PREFIX, PROGRAM_LISTS)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)


class Readers:
    """Reader processes over one bucket and one queue."""

    def __init__(
        self,
        store: InMemoryStore,
        queue: RecordingQueue,
        telemetry: RecordingTelemetry,
        clock: FakeClock,
    ) -> None:
        self.store = store
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock
        self._first = self.another()

    def another(self) -> Lookup:
        """Start a reader process that remembers nothing."""
        return Lookup(
            store=self.store,
            queue=self._queue,
            telemetry=self._telemetry,
            clock=self._clock,
            sleep=self._clock.sleep,
            cache_prefix=PREFIX,
        )

    def find(
        self, dataset: Dataset = PROGRAM_LISTS, *, wait: float = 0, by: Lookup | None = None
    ) -> Found | NotFound:
        return (by or self._first).find(dataset, self._clock.deadline(wait), "c-1")

    def keep(self, *entries: CacheEntry) -> None:
        for entry in entries:
            self.store.put(entry_key(PREFIX, entry.dataset), encode(entry))

    def fail(self, record: FailureRecord, dataset: Dataset = PROGRAM_LISTS) -> None:
        self.store.put(failure_key(PREFIX, dataset), encode_failure(record))


@pytest.fixture
def readers(
    store: InMemoryStore,
    queue: RecordingQueue,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> Readers:
    return Readers(store, queue, telemetry, clock)


def entry_of(result: Found | NotFound) -> CacheEntry:
    assert isinstance(result, Found)
    return result.loaded.entry


def outcome_of(result: Found | NotFound) -> Outcome:
    assert isinstance(result, Found)
    return result.outcome


# Hits


def test_find_fresh_entry_is_a_hit_and_queues_nothing(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.keep(make_entry(built_at=NOW - timedelta(minutes=1)))
    result = readers.find()
    assert outcome_of(result) is Outcome.HIT
    assert isinstance(result, Found)
    assert result.freshness.age_seconds == 60
    assert queue.sent == []


def test_find_hit_costs_one_request_to_s3(readers: Readers, store: InMemoryStore) -> None:
    readers.keep(make_entry())
    store.operations.clear()
    readers.find()
    assert store.operations == [("read", KEY)]


def test_find_again_revalidates_and_reuses_what_is_in_memory(
    readers: Readers, store: InMemoryStore
) -> None:
    readers.keep(make_entry())
    first, second = readers.find(), readers.find()
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert second.loaded is first.loaded
    assert store.count("read", KEY) == 2


def test_find_again_after_a_rebuild_serves_the_new_entry(readers: Readers) -> None:
    readers.keep(make_entry())
    readers.find()
    newer = make_entry(built_at=NOW + timedelta(seconds=1))
    readers.keep(newer)
    assert entry_of(readers.find()) == newer


def test_find_memory_is_never_served_without_s3(readers: Readers, store: InMemoryStore) -> None:
    readers.keep(make_entry())
    readers.find()
    store.down = lambda operation, key: True
    with pytest.raises(StoreUnavailableError):
        readers.find()


def test_find_memory_is_never_served_after_a_purge(readers: Readers, store: InMemoryStore) -> None:
    readers.keep(make_entry())
    readers.find()
    store_tombstones(store, PROGRAM_LISTS)
    assert isinstance(readers.find(), NotFound)


def test_find_memory_holds_a_bounded_number_of_entries(readers: Readers) -> None:
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    readers.keep(*map(make_entry, datasets))
    first = readers.find(datasets[0])
    kept = readers.find(datasets[1])
    for dataset in datasets[2:]:
        readers.find(dataset)
    again, dropped = readers.find(datasets[1]), readers.find(datasets[0])
    assert isinstance(again, Found)
    assert isinstance(kept, Found)
    assert isinstance(first, Found)
    assert isinstance(dropped, Found)
    assert again.loaded is kept.loaded
    assert dropped.loaded is not first.loaded


def test_loaded_entry_view_is_rendered_once_per_key() -> None:
    loaded = LoadedEntry(make_entry(), '"1"')
    rendered: list[str] = []

    def render() -> str:
        rendered.append("again")
        return "text"

    assert [loaded.view("a", render), loaded.view("a", render)] == ["text", "text"]
    assert len(rendered) == 1


def test_loaded_entry_keeps_a_bounded_number_of_views() -> None:
    loaded = LoadedEntry(make_entry(), '"1"')
    for number in range(VIEWS_PER_ENTRY * 2):
        assert loaded.view(number, lambda: "text") == "text"
    assert len(loaded.views) == VIEWS_PER_ENTRY


# Stale


def test_find_stale_entry_is_served_at_once_and_a_rebuild_queued(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    assert outcome_of(readers.find(wait=20)) is Outcome.STALE
    assert clock.sleeps == []
    (body,) = queue.sent
    assert json.loads(body) == {
        "dataset": "programs",
        "reason": "stale",
        "correlation_id": "c-1",
    }


def test_find_stale_balances_ask_for_their_period(readers: Readers, queue: RecordingQueue) -> None:
    readers.keep(make_stale_entry(SEPTEMBER_BALANCES))
    readers.find(SEPTEMBER_BALANCES)
    message = json.loads(queue.sent[0])
    assert (message["from"], message["to"]) == ("2026-09-01", "2026-09-30")


def test_find_stale_again_is_asked_for_once_by_all_readers(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    for _ in range(10):
        readers.find()
        readers.find(by=readers.another())
        clock.advance(seconds=10)
    assert len(queue.sent) == 1


def test_find_stale_by_one_reader_calls_sqs_once(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    for _ in range(10):
        readers.find()
        clock.advance(seconds=10)
    assert len(queue.deduplication_ids) == 1


def test_find_stale_looks_for_failures_now_and_then(
    readers: Readers, store: InMemoryStore, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    for _ in range(5):
        readers.find()
    assert store.count("read", FAILURE_KEY) == 1
    clock.advance(seconds=RECHECK_STALE.total_seconds())
    readers.find()
    assert store.count("read", FAILURE_KEY) == 2


def test_find_stale_without_news_for_long_is_asked_for_again(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    clock.advance(seconds=ASK_AGAIN.total_seconds())
    readers.find()
    assert len(queue.sent) == 2


def test_find_stale_with_the_queue_out_of_reach_is_served(
    readers: Readers, queue: RecordingQueue, telemetry: RecordingTelemetry
) -> None:
    queue.is_down = True
    readers.keep(make_stale_entry())
    assert outcome_of(readers.find()) is Outcome.STALE
    assert telemetry.warnings() == ["rebuild not queued"]


def test_find_stale_with_the_queue_back_asks_at_once(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.keep(make_stale_entry())
    queue.is_down = True
    readers.find()
    queue.is_down = False
    readers.find()
    assert len(queue.sent) == 1


def test_find_stale_with_the_failure_record_out_of_reach_is_served(
    readers: Readers, store: InMemoryStore
) -> None:
    readers.keep(make_stale_entry())
    store.down = lambda operation, key: key == FAILURE_KEY
    assert outcome_of(readers.find()) is Outcome.STALE


def test_find_stale_while_a_failure_is_waited_out_just_serves(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    readers.fail(make_failure())
    for _ in range(4):
        assert outcome_of(readers.find()) is Outcome.STALE
        clock.advance(minutes=1)
    assert queue.sent == []


def test_find_stale_once_a_failure_is_waited_out_asks_again(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    readers.fail(make_failure())
    clock.advance(minutes=5)
    readers.find()
    assert len(queue.sent) == 2


def test_find_stale_after_another_rebuild_is_a_new_request(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.keep(make_entry(built_at=NOW - timedelta(days=3)))
    readers.find()
    readers.keep(make_entry(built_at=NOW - timedelta(days=2)))
    readers.find()
    assert len(queue.sent) == 2


def test_find_after_a_soft_purge_asks_although_the_last_rebuild_was_just_now(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    rebuilt = make_entry()
    readers.keep(rebuilt.marked_stale(NOW))
    readers.find()
    assert len(queue.sent) == 2


@pytest.mark.parametrize("another_reader", [False, True])
def test_find_after_a_soft_purge_of_a_failing_entry_asks_at_once(
    readers: Readers, queue: RecordingQueue, clock: FakeClock, another_reader: bool
) -> None:
    """The operator has mended what was wrong; nobody waits out the failure any more."""
    stale = make_stale_entry()
    readers.keep(stale)
    readers.find()
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(hours=1)))
    clock.advance(seconds=10)
    readers.find()
    readers.keep(stale.marked_stale(clock()))
    readers.store.delete([FAILURE_KEY])
    readers.find(by=readers.another() if another_reader else None)
    assert len(queue.sent) == 2


def test_find_stale_that_was_rebuilt_meanwhile_asks_for_nothing(
    readers: Readers, queue: RecordingQueue
) -> None:
    stale = make_stale_entry()
    readers.keep(stale)
    queue.connect = lambda: readers.keep(make_entry())  # type: ignore[method-assign]
    assert entry_of(readers.find()) == stale
    assert queue.sent == []


def test_find_stale_of_many_datasets_is_checked_no_more_often(
    readers: Readers, store: InMemoryStore
) -> None:
    """What is known of an entry outlasts the entry in memory."""
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    readers.keep(*map(make_stale_entry, datasets))
    for dataset in [*datasets, *datasets]:
        readers.find(dataset)
    assert {store.count("read", failure_key(PREFIX, dataset)) for dataset in datasets} == {1}


# Misses


def test_find_miss_queues_a_rebuild_and_says_when_to_come_back(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    result = readers.find()
    assert result == NotFound(10, "rebuild-queued")
    assert clock.sleeps == []
    assert json.loads(queue.sent[0])["reason"] == "miss"


def test_find_miss_waits_until_the_entry_is_there(readers: Readers, clock: FakeClock) -> None:
    built = make_entry(built_at=NOW + timedelta(seconds=3))
    clock.plan(4, lambda: readers.keep(built))
    result = readers.find(wait=20)
    assert outcome_of(result) is Outcome.BUILT
    assert entry_of(result) == built
    assert sum(clock.sleeps) < 4 + 1.01


def test_find_miss_waits_no_longer_than_allowed(readers: Readers, clock: FakeClock) -> None:
    assert readers.find(wait=7) == NotFound(10, "rebuild-queued")
    assert sum(clock.sleeps) == pytest.approx(7)


def test_find_miss_sees_an_entry_that_comes_at_the_last_moment(
    readers: Readers, clock: FakeClock
) -> None:
    clock.plan(6.999, lambda: readers.keep(make_entry()))
    assert outcome_of(readers.find(wait=7)) is Outcome.BUILT


def test_find_miss_polls_gently(readers: Readers, clock: FakeClock) -> None:
    readers.find(wait=20)
    assert clock.sleeps[0] < 0.5
    assert max(clock.sleeps) <= 1.0
    assert len(clock.sleeps) < 30


def test_find_miss_of_many_readers_is_one_request(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    for _ in range(10):
        readers.find(by=readers.another())
        clock.advance(seconds=5.000001)
    assert len(queue.sent) == 1


def test_find_miss_again_by_one_reader_calls_sqs_once_a_minute(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    for _ in range(5):
        readers.find()
    assert len(queue.deduplication_ids) == 1
    clock.advance(minutes=1)
    readers.find()
    assert len(queue.sent) == 2


def test_find_miss_after_a_purge_is_never_swallowed(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    """Twice purged within a minute, and SQS still remembers the first request."""
    for number in range(1, 4):
        readers.keep(make_entry())
        readers.find()
        store_tombstones(store, PROGRAM_LISTS)
        readers.find()
        assert len(queue.sent) == number


def test_find_tombstone_that_no_purge_put_is_the_same_miss_as_before_it(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    """The worker puts one before the first rebuild; that must not count as a purge."""
    readers.find()
    store.put(KEY, encode_tombstone(Tombstone.new(PROGRAM_LISTS)))
    readers.find(by=readers.another())
    assert len(queue.sent) == 1


def test_find_miss_that_was_built_meanwhile_is_served_and_asks_for_nothing(
    readers: Readers, queue: RecordingQueue
) -> None:
    queue.connect = lambda: readers.keep(make_entry())  # type: ignore[method-assign]
    assert outcome_of(readers.find()) is Outcome.BUILT
    assert queue.sent == []


def test_find_miss_that_was_built_and_purged_meanwhile_is_asked_for_anew(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    """The request names the absence that is there now, not the one that was answered already."""
    readers.find()

    def build_and_purge() -> None:
        readers.keep(make_entry())
        store_tombstones(store, PROGRAM_LISTS)

    queue.connect = build_and_purge  # type: ignore[method-assign]
    readers.find(by=readers.another())
    assert len(queue.sent) == 2


@pytest.mark.parametrize("body", [b"", b"{", b'{"schema": "v0"}'])
def test_find_unreadable_entry_is_a_miss_and_is_rebuilt(
    readers: Readers,
    store: InMemoryStore,
    queue: RecordingQueue,
    telemetry: RecordingTelemetry,
    body: bytes,
) -> None:
    store.put(KEY, body)
    assert isinstance(readers.find(), NotFound)
    assert len(queue.sent) == 1
    assert telemetry.warnings() == ["entry unreadable"]


def test_find_unreadable_entry_twice_is_asked_for_twice(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    for body in (b"1", b"2"):
        store.put(KEY, body)
        readers.find()
    assert len(queue.sent) == 2


def test_find_unreadable_entry_is_served_once_it_is_replaced(
    readers: Readers, store: InMemoryStore, clock: FakeClock
) -> None:
    store.put(KEY, b"{")
    clock.plan(2, lambda: readers.keep(make_entry()))
    assert outcome_of(readers.find(wait=20)) is Outcome.BUILT


def test_find_miss_while_a_failure_is_waited_out_answers_at_once(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(minutes=5)))
    assert readers.find(wait=20) == NotFound(301, "rebuild-failed")
    assert clock.sleeps == []
    assert queue.sent == []


def test_find_miss_while_a_message_is_retried_answers_at_once(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.fail(
        make_failure(dead_lettered=False, next_attempt_at=NOW + timedelta(milliseconds=100))
    )
    assert readers.find(wait=20) == NotFound(1, "rebuild-queued")
    assert queue.sent == []


def test_find_miss_once_a_failure_is_waited_out_asks_again(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.find()
    readers.fail(make_failure())
    clock.advance(minutes=5)
    readers.find()
    assert len(queue.sent) == 2


def test_find_miss_each_dead_lettering_allows_one_more_request(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.find()
    for dead_letterings in (1, 2, 3):
        readers.fail(make_failure(dead_letterings=dead_letterings, next_attempt_at=clock()))
        for _ in range(5):
            readers.find(by=readers.another())
    assert len(queue.sent) == 4


@pytest.mark.parametrize("seen_failing", [False, True])
def test_find_miss_after_a_failure_record_was_purged_is_never_swallowed(
    readers: Readers, queue: RecordingQueue, seen_failing: bool
) -> None:
    """A purge puts a tombstone also where there was only a failure; it is the same minute."""
    readers.find()
    readers.fail(make_failure(dead_lettered=True))
    if seen_failing:
        readers.find()
    readers.store.delete([FAILURE_KEY])
    store_tombstones(readers.store, PROGRAM_LISTS)
    readers.find()
    assert len(queue.sent) == 2
    readers.find(by=readers.another())
    assert len(queue.sent) == 2


def test_find_miss_between_retries_adds_no_message_a_minute(
    readers: Readers, queue: RecordingQueue, clock: FakeClock
) -> None:
    readers.fail(make_failure(dead_lettered=False, dead_letterings=0, next_attempt_at=NOW))
    for _ in range(4):
        readers.find()
        clock.advance(minutes=1)
    assert len(queue.sent) == 1


@pytest.mark.parametrize("since", [0, 3])
def test_find_miss_whose_rebuild_fails_meanwhile_stops_waiting(
    readers: Readers, clock: FakeClock, since: int
) -> None:
    failed_at = NOW + timedelta(seconds=since)
    record = make_failure(
        last_failed_at=failed_at, next_attempt_at=failed_at + timedelta(minutes=5)
    )
    clock.plan(3, lambda: readers.fail(record))
    result = readers.find(wait=20)
    assert isinstance(result, NotFound)
    assert result.detail == "rebuild-failed"
    assert result.retry_after_seconds > 290
    assert sum(clock.sleeps) < 4.1


def test_find_miss_failure_record_that_cannot_be_read_counts_as_none(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    store.put(FAILURE_KEY, b"{")
    readers.find()
    assert len(queue.sent) == 1


def test_find_miss_failure_of_another_dataset_does_not_count(
    readers: Readers, queue: RecordingQueue
) -> None:
    readers.fail(make_failure(), OCTOBER_BALANCES)
    readers.find()
    assert len(queue.sent) == 1


def test_find_miss_with_the_queue_out_of_reach_is_an_error(
    readers: Readers, queue: RecordingQueue
) -> None:
    queue.is_down = True
    with pytest.raises(QueueUnavailableError):
        readers.find(wait=20)


def test_find_miss_with_s3_gone_while_waiting_is_an_error(
    readers: Readers, store: InMemoryStore, clock: FakeClock
) -> None:
    clock.plan(2, lambda: setattr(store, "down", lambda operation, key: True))
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


def test_find_entry_that_came_and_vanished_unseen_is_a_new_miss(
    readers: Readers, store: InMemoryStore, queue: RecordingQueue
) -> None:
    """Without versioning S3 does not tell the second absence from the first."""
    readers.find()
    readers.keep(make_entry())
    readers.find()
    del store.objects[KEY]
    readers.find()
    assert len(queue.deduplication_ids) == 2


def test_find_serves_the_data_that_was_stored(readers: Readers) -> None:
    entry = make_entry(data=make_lists({"123456": "Part A"}))
    readers.keep(entry)
    assert entry_of(readers.find()) == entry
