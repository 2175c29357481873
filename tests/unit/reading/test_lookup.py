"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

import json
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, encode
from core.model.failures import FailureRecord, encode_failure
from core.model.periods import Period, recent_periods
from core.reading.ask import ASK_AGAIN, QUEUE_PAUSE, RECHECK_STALE
from core.reading.load import ENTRIES_IN_MEMORY
from core.reading.lookup import Found, Lookup, NotFound, Outcome
from handlers.time_budget import ANSWER_SECONDS, patience
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER_BALANCES,
    TODAY,
    make_entry,
    make_failure,
    make_reader_settings,
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
        self.queue = queue
        self.telemetry = telemetry
        self.clock = clock
        self._first = self.another()

    def another(self, **settings: Any) -> Lookup:
        """Start a reader process that remembers nothing."""
        return Lookup(
            store=self.store,
            queue=self.queue,
            telemetry=self.telemetry,
            clock=self.clock,
            sleep=self.clock.sleep,
            settings=make_reader_settings(**settings),
        )

    def find(
        self, dataset: Dataset = PROGRAM_LISTS, *, wait: float = 0, by: Lookup | None = None
    ) -> Found | NotFound:
        return (by or self._first).find(dataset, self.clock.patience(wait), "c-1")

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


def briefly_stale(dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    """An entry that has been stale for a minute, well within the grace."""
    return make_entry(dataset, built_at=NOW - timedelta(hours=24, minutes=1))


def balances_up_to(day: int) -> Dataset:
    return balances_of(Period(date(2026, 10, 1), date(2026, 10, day)))


def outcome_of(result: Found | NotFound) -> Outcome:
    assert isinstance(result, Found)
    return result.outcome


# Hits


def test_find_fresh_entry_is_a_hit_that_costs_one_request_to_s3(readers: Readers) -> None:
    readers.keep(make_entry(built_at=NOW - timedelta(minutes=1)))
    readers.store.operations.clear()
    result = readers.find()
    assert readers.store.operations == [("read", KEY)]
    assert outcome_of(result) is Outcome.HIT
    assert isinstance(result, Found)
    assert result.freshness.age_seconds == 60
    assert readers.queue.sent == []


def test_find_again_after_a_rebuild_serves_the_new_entry(readers: Readers) -> None:
    readers.keep(make_entry())
    readers.find()
    newer = make_entry(built_at=NOW + timedelta(seconds=1))
    readers.keep(newer)
    assert entry_of(readers.find()) == newer


def test_find_memory_is_never_served_without_s3(readers: Readers) -> None:
    readers.keep(make_entry())
    readers.find()
    readers.store.down = lambda operation, key: True
    with pytest.raises(StoreUnavailableError):
        readers.find()


def test_find_memory_is_never_served_after_a_purge(readers: Readers) -> None:
    readers.keep(make_entry())
    readers.find()
    store_tombstones(readers.store, PROGRAM_LISTS)
    assert isinstance(readers.find(), NotFound)


# Stale


def test_find_stale_entry_is_served_at_once_and_a_rebuild_queued(readers: Readers) -> None:
    readers.keep(briefly_stale())
    assert outcome_of(readers.find(wait=20)) is Outcome.STALE
    assert readers.clock.sleeps == []
    (body,) = readers.queue.sent
    assert json.loads(body) == {
        "dataset": "programs",
        "reason": "stale",
        "correlation_id": "c-1",
    }


def test_find_stale_balances_ask_for_their_period(readers: Readers) -> None:
    readers.keep(make_stale_entry(SEPTEMBER_BALANCES))
    readers.find(SEPTEMBER_BALANCES)
    message = json.loads(readers.queue.sent[0])
    assert (message["from"], message["to"]) == ("2026-09-01", "2026-09-30")


def test_find_stale_again_is_asked_for_once_by_all_readers(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    for _ in range(10):
        readers.find()
        readers.find(by=readers.another())
        readers.clock.advance(seconds=10)
    assert len(readers.queue.sent) == 1


def test_find_stale_by_one_reader_calls_sqs_once(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    for _ in range(10):
        readers.find()
        readers.clock.advance(seconds=10)
    assert len(readers.queue.deduplication_ids) == 1


def test_find_stale_looks_for_failures_now_and_then(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    for _ in range(5):
        readers.find()
    assert readers.store.count("read", FAILURE_KEY) == 1
    readers.clock.advance(seconds=RECHECK_STALE.total_seconds())
    readers.find()
    assert readers.store.count("read", FAILURE_KEY) == 2


def test_find_stale_without_news_for_long_is_asked_for_again(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    readers.clock.advance(seconds=ASK_AGAIN.total_seconds())
    readers.find()
    assert len(readers.queue.sent) == 2


def test_find_stale_with_the_failure_record_out_of_reach_is_served(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.store.down = lambda operation, key: key == FAILURE_KEY
    assert outcome_of(readers.find()) is Outcome.STALE


def test_find_stale_while_a_failure_is_waited_out_just_serves(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.fail(make_failure())
    for _ in range(4):
        result = readers.find(wait=20)
        assert outcome_of(result) is Outcome.STALE
        assert isinstance(result, Found)
        assert result.is_failing
        readers.clock.advance(seconds=60)
    assert readers.clock.sleeps == []
    assert readers.queue.sent == []
    assert readers.store.count("read", FAILURE_KEY) == 1


def test_find_stale_once_a_failure_is_waited_out_asks_again(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    readers.fail(make_failure())
    readers.clock.advance(minutes=5)
    readers.find()
    assert len(readers.queue.sent) == 2


def test_find_stale_after_another_rebuild_is_a_new_request(readers: Readers) -> None:
    readers.keep(make_entry(built_at=NOW - timedelta(days=3)))
    readers.find()
    readers.keep(make_entry(built_at=NOW - timedelta(days=2)))
    readers.find()
    assert len(readers.queue.sent) == 2


def test_find_after_a_soft_purge_asks_although_the_last_rebuild_was_just_now(
    readers: Readers,
) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    rebuilt = make_entry()
    readers.keep(rebuilt.marked_stale(NOW))
    readers.find()
    assert len(readers.queue.sent) == 2


@pytest.mark.parametrize("another_reader", [False, True])
def test_find_after_a_soft_purge_of_a_failing_entry_asks_at_once(
    readers: Readers, another_reader: bool
) -> None:
    """The operator has mended what was wrong; nobody waits out the failure any more."""
    stale = make_stale_entry()
    readers.keep(stale)
    readers.find()
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(hours=1)))
    readers.clock.advance(seconds=10)
    readers.find()
    readers.keep(stale.marked_stale(readers.clock()))
    readers.store.delete([FAILURE_KEY])
    readers.find(by=readers.another() if another_reader else None)
    assert len(readers.queue.sent) == 2


def test_find_stale_of_many_datasets_is_checked_no_more_often(readers: Readers) -> None:
    """What is known of an entry outlasts the entry in memory."""
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    readers.keep(*map(make_stale_entry, datasets))
    for dataset in [*datasets, *datasets]:
        readers.find(dataset)
    assert {readers.store.count("read", failure_key(PREFIX, dataset)) for dataset in datasets} == {
        1
    }


# Stale for longer than the grace


def test_find_long_stale_entry_is_rebuilt_while_waiting(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    built = make_entry(built_at=NOW + timedelta(seconds=1))
    readers.clock.plan(4, lambda: readers.keep(built))
    result = readers.find(wait=20)
    assert outcome_of(result) is Outcome.REBUILT
    assert entry_of(result) == built
    assert sum(readers.clock.sleeps) < 4 + 1.01
    assert json.loads(readers.queue.sent[0])["reason"] == "stale"


def test_find_long_stale_entry_that_is_not_rebuilt_in_time_is_served(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    result = readers.find(wait=7)
    assert outcome_of(result) is Outcome.STALE
    assert isinstance(result, Found)
    assert result.waited
    assert sum(readers.clock.sleeps) == pytest.approx(7)


def test_find_long_stale_entry_is_served_at_once_to_whom_will_not_wait(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    result = readers.find(wait=0)
    assert outcome_of(result) is Outcome.STALE
    assert isinstance(result, Found)
    assert result.waited, "a longer wait might have changed the answer"
    assert readers.clock.sleeps == []
    assert len(readers.queue.sent) == 1


def test_find_long_stale_entry_that_is_purged_meanwhile_is_a_miss(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(3, lambda: store_tombstones(readers.store, PROGRAM_LISTS))
    assert readers.find(wait=7) == NotFound(10, "rebuild-queued")


def test_find_long_stale_entry_that_is_marked_stale_meanwhile_is_no_new_one(
    readers: Readers,
) -> None:
    stale = make_stale_entry()
    readers.keep(stale)
    readers.clock.plan(3, lambda: readers.keep(stale.marked_stale(readers.clock())))
    assert outcome_of(readers.find(wait=7)) is Outcome.STALE
    assert sum(readers.clock.sleeps) == pytest.approx(7)


def test_find_long_stale_entry_whose_rebuild_fails_meanwhile_is_served(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(3, lambda: readers.fail(make_failure()))
    result = readers.find(wait=20)
    assert outcome_of(result) is Outcome.STALE
    assert isinstance(result, Found)
    assert result.is_failing
    assert sum(readers.clock.sleeps) < 4.1


def test_find_long_stale_entry_with_s3_gone_while_waiting_is_served(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(3, lambda: setattr(readers.store, "down", lambda operation, key: True))
    assert outcome_of(readers.find(wait=20)) is Outcome.STALE
    assert sum(readers.clock.sleeps) < 4.1


def test_find_long_stale_entry_with_s3_gone_after_a_purge_is_an_error(readers: Readers) -> None:
    """What S3 said last counts."""
    readers.keep(make_stale_entry())
    readers.clock.plan(2, lambda: store_tombstones(readers.store, PROGRAM_LISTS))
    readers.clock.plan(5, lambda: setattr(readers.store, "down", lambda operation, key: True))
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


def test_find_long_stale_entry_whose_rebuild_has_failed_before_is_served_at_once(
    readers: Readers,
) -> None:
    readers.keep(make_stale_entry())
    readers.fail(make_failure(next_attempt_at=NOW))
    assert outcome_of(readers.find(wait=20)) is Outcome.STALE
    assert readers.clock.sleeps == []
    assert len(readers.queue.sent) == 1


# The queue out of reach


@pytest.mark.parametrize("entry", [briefly_stale(), make_stale_entry()], ids=["briefly", "long"])
def test_find_stale_with_the_queue_out_of_reach_is_served_at_once(
    readers: Readers, entry: CacheEntry
) -> None:
    readers.queue.is_down = True
    readers.keep(entry)
    assert outcome_of(readers.find(wait=20)) is Outcome.STALE
    assert readers.telemetry.warnings() == ["rebuild not queued"]
    assert readers.clock.sleeps == []


def test_queue_that_was_out_of_reach_is_left_alone_for_a_while(readers: Readers) -> None:
    readers.keep(make_stale_entry(), make_stale_entry(SEPTEMBER_BALANCES))
    readers.queue.is_down = True
    for dataset in [PROGRAM_LISTS, SEPTEMBER_BALANCES] * 3:
        readers.find(dataset, wait=20)
    assert readers.telemetry.warnings() == ["rebuild not queued"]
    readers.queue.is_down = False
    readers.clock.advance(seconds=QUEUE_PAUSE.total_seconds() - 0.001)
    readers.find(wait=20)
    assert (readers.queue.sent, readers.clock.sleeps) == ([], [])
    readers.clock.advance(seconds=0.001)
    readers.find()
    assert len(readers.queue.sent) == 1


def test_find_miss_with_the_queue_out_of_reach_is_an_error_without_a_wait(readers: Readers) -> None:
    readers.queue.is_down = True
    for _ in range(2):
        with pytest.raises(QueueUnavailableError):
            readers.find(wait=20)
    assert readers.clock.sleeps == []


# The month's newest entry


def test_find_new_day_while_a_failure_is_waited_out_is_served_the_day_before_at_once(
    readers: Readers,
) -> None:
    readers.keep(make_entry(balances_up_to(14)), make_entry(balances_up_to(13)))
    readers.fail(make_failure(), OCTOBER_BALANCES)
    result = readers.find(OCTOBER_BALANCES, wait=20)
    assert outcome_of(result) is Outcome.EARLIER_DAY
    assert entry_of(result).dataset == balances_up_to(14)
    assert readers.clock.sleeps == []


def test_find_new_day_waits_for_its_own_entry_first(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(14)))
    readers.clock.plan(4, lambda: readers.keep(make_entry(OCTOBER_BALANCES)))
    assert outcome_of(readers.find(OCTOBER_BALANCES, wait=20)) is Outcome.BUILT
    assert len(readers.queue.sent) == 1


@pytest.mark.parametrize("wait", [0, 20])
def test_find_new_day_that_is_not_built_in_time_is_served_the_day_before(
    readers: Readers, wait: float
) -> None:
    readers.keep(make_entry(balances_up_to(14)))
    result = readers.find(OCTOBER_BALANCES, wait=wait)
    assert outcome_of(result) is Outcome.EARLIER_DAY
    assert sum(readers.clock.sleeps) == pytest.approx(wait)


def test_find_new_day_with_the_queue_out_of_reach_is_served_the_day_before_at_once(
    readers: Readers,
) -> None:
    readers.queue.is_down = True
    readers.keep(make_entry(balances_up_to(14)))
    assert outcome_of(readers.find(OCTOBER_BALANCES, wait=20)) is Outcome.EARLIER_DAY
    assert readers.clock.sleeps == []


def test_find_new_day_that_was_purged_is_served_the_day_before(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(14)))
    store_tombstones(readers.store, OCTOBER_BALANCES)
    assert outcome_of(readers.find(OCTOBER_BALANCES)) is Outcome.EARLIER_DAY


def test_find_new_day_passes_over_purged_and_unreadable_days(readers: Readers) -> None:
    store_tombstones(readers.store, balances_up_to(14))
    readers.store.put(entry_key(PREFIX, balances_up_to(13)), b"{")
    readers.keep(make_entry(balances_up_to(8)), make_entry(balances_up_to(12)))
    assert entry_of(readers.find(OCTOBER_BALANCES)).dataset == balances_up_to(12)


def test_find_new_day_without_an_entry_of_the_week_before_is_a_miss(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(7)))
    assert readers.find(OCTOBER_BALANCES) == NotFound(10, "rebuild-queued")


def test_find_day_that_has_begun_elsewhere_is_served_todays_entry(readers: Readers) -> None:
    readers.keep(make_entry(OCTOBER_BALANCES))
    assert entry_of(readers.find(balances_up_to(16))).dataset == OCTOBER_BALANCES


def test_find_past_day_is_never_served_an_earlier_one(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(13)))
    assert isinstance(readers.find(balances_up_to(14)), NotFound)


def test_find_new_day_begins_at_midnight_in_the_configured_zone(readers: Readers) -> None:
    """In UTC the 15th is not over, in Auckland it is."""
    readers.keep(make_entry(balances_up_to(14)))
    auckland = readers.another(time_zone=ZoneInfo("Pacific/Auckland"))
    assert isinstance(readers.find(OCTOBER_BALANCES, by=auckland), NotFound)
    assert isinstance(readers.find(OCTOBER_BALANCES), Found)


# Time


class SlowStore(InMemoryStore):
    """S3 that takes 7 s for each call, which is as long as a call of the reader can take."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.seconds = 0.0

    def _begin(self, operation: str, key: str) -> None:
        self.clock.advance(seconds=self.seconds)
        super()._begin(operation, key)


@pytest.fixture
def slow(clock: FakeClock, queue: RecordingQueue, telemetry: RecordingTelemetry) -> Readers:
    return Readers(SlowStore(clock), queue, telemetry, clock)


def answered_after(slow: Readers, clock: FakeClock, dataset: Dataset, late_seconds: float) -> float:
    slow.store.seconds = 7  # type: ignore[attr-defined]
    taken_at = clock()
    clock.advance(seconds=late_seconds)
    taken_at_ms = int(taken_at.timestamp() * 1000)
    left = patience(600, taken_at_ms, clock(), clock.monotonic)
    with suppress(StoreUnavailableError, QueueUnavailableError):
        slow.another().find(dataset, left, "c-1")
    return (clock() - taken_at).total_seconds()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="a miss"),
        pytest.param([briefly_stale(OCTOBER_BALANCES)], id="stale"),
        pytest.param([make_stale_entry(OCTOBER_BALANCES)], id="long stale"),
        pytest.param([make_entry(balances_up_to(8))], id="an earlier day"),
    ],
)
@pytest.mark.parametrize("send_seconds", [0, 7])
@pytest.mark.parametrize("failure", [None, make_failure()], ids=["no failure", "a failure"])
@pytest.mark.parametrize("late_seconds", [0, 10, 20, 28])
def test_request_is_answered_in_time_however_slow_each_call_is(
    slow: Readers,
    clock: FakeClock,
    queue: RecordingQueue,
    found: list[CacheEntry],
    send_seconds: float,
    failure: FailureRecord | None,
    late_seconds: float,
) -> None:
    slow.keep(*found)
    if failure:
        slow.fail(failure, OCTOBER_BALANCES)
    send = queue.send
    queue.send = lambda *sent: (clock.advance(seconds=send_seconds), send(*sent))[1]  # type: ignore[method-assign]
    assert answered_after(slow, clock, OCTOBER_BALANCES, late_seconds) <= ANSWER_SECONDS


def test_stale_entry_from_a_slow_s3_is_served(slow: Readers) -> None:
    slow.keep(make_stale_entry())
    slow.store.seconds = 7  # type: ignore[attr-defined]
    assert outcome_of(slow.find(wait=600)) is Outcome.STALE


def test_no_call_begins_when_the_time_is_up(readers: Readers) -> None:
    late = patience(
        20,
        int(readers.clock().timestamp() * 1000) - 25_000,
        readers.clock(),
        readers.clock.monotonic,
    )
    with pytest.raises(StoreUnavailableError, match="no time is left"):
        readers.another().find(PROGRAM_LISTS, late, "c-1")
    assert readers.store.operations == []


# Misses


def test_find_miss_queues_a_rebuild_and_says_when_to_come_back(readers: Readers) -> None:
    result = readers.find()
    assert result == NotFound(10, "rebuild-queued")
    assert readers.clock.sleeps == []
    assert json.loads(readers.queue.sent[0])["reason"] == "miss"


def test_find_miss_waits_until_the_entry_is_there(readers: Readers) -> None:
    built = make_entry(built_at=NOW + timedelta(seconds=3))
    readers.clock.plan(4, lambda: readers.keep(built))
    result = readers.find(wait=20)
    assert outcome_of(result) is Outcome.BUILT
    assert entry_of(result) == built
    assert sum(readers.clock.sleeps) < 4 + 1.01


def test_find_miss_waits_no_longer_than_allowed(readers: Readers) -> None:
    assert readers.find(wait=7) == NotFound(10, "rebuild-queued")
    assert sum(readers.clock.sleeps) == pytest.approx(7)


def test_find_miss_sees_an_entry_that_comes_at_the_last_moment(readers: Readers) -> None:
    readers.clock.plan(6.999, lambda: readers.keep(make_entry()))
    assert outcome_of(readers.find(wait=7)) is Outcome.BUILT


def test_find_miss_of_many_readers_is_one_request(readers: Readers) -> None:
    for _ in range(10):
        readers.find(by=readers.another())
        readers.clock.advance(seconds=5.000001)
    assert len(readers.queue.sent) == 1


def test_find_miss_again_by_one_reader_calls_sqs_once_a_minute(readers: Readers) -> None:
    for _ in range(5):
        readers.find()
    assert len(readers.queue.deduplication_ids) == 1
    readers.clock.advance(minutes=1)
    readers.find()
    assert len(readers.queue.sent) == 2


def test_find_miss_after_a_purge_is_never_swallowed(readers: Readers) -> None:
    """Twice purged within a minute, and SQS still remembers the first request."""
    for number in range(1, 4):
        readers.keep(make_entry())
        readers.find()
        store_tombstones(readers.store, PROGRAM_LISTS)
        readers.find()
        assert len(readers.queue.sent) == number


@pytest.mark.parametrize("body", [b"", b"{", b'{"schema": "v0"}'])
def test_find_unreadable_entry_is_a_miss_and_is_rebuilt(readers: Readers, body: bytes) -> None:
    readers.store.put(KEY, body)
    assert isinstance(readers.find(), NotFound)
    assert len(readers.queue.sent) == 1
    assert readers.telemetry.warnings() == ["entry unreadable"]


def test_find_unreadable_entry_twice_is_asked_for_twice(readers: Readers) -> None:
    for body in (b"1", b"2"):
        readers.store.put(KEY, body)
        readers.find()
    assert len(readers.queue.sent) == 2


def test_find_unreadable_entry_is_served_once_it_is_replaced(readers: Readers) -> None:
    readers.store.put(KEY, b"{")
    readers.clock.plan(2, lambda: readers.keep(make_entry()))
    assert outcome_of(readers.find(wait=20)) is Outcome.BUILT


def test_find_miss_while_a_failure_is_waited_out_answers_at_once(readers: Readers) -> None:
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(minutes=5)))
    assert readers.find(wait=20) == NotFound(301, "rebuild-failed")
    assert readers.clock.sleeps == []
    assert readers.queue.sent == []


def test_find_miss_once_a_failure_is_waited_out_asks_again(readers: Readers) -> None:
    readers.find()
    readers.fail(make_failure())
    readers.clock.advance(minutes=5)
    readers.find()
    assert len(readers.queue.sent) == 2


def test_find_miss_each_dead_lettering_allows_one_more_request(readers: Readers) -> None:
    readers.find()
    for dead_letterings in (1, 2, 3):
        readers.fail(make_failure(dead_letterings=dead_letterings, next_attempt_at=readers.clock()))
        for _ in range(5):
            readers.find(by=readers.another())
    assert len(readers.queue.sent) == 4


@pytest.mark.parametrize("seen_failing", [False, True])
def test_find_miss_after_a_failure_record_was_purged_is_never_swallowed(
    readers: Readers, seen_failing: bool
) -> None:
    """A purge puts a tombstone also where there was only a failure; it is the same minute."""
    readers.find()
    readers.fail(make_failure(dead_lettered=True))
    if seen_failing:
        readers.find()
    readers.store.delete([FAILURE_KEY])
    store_tombstones(readers.store, PROGRAM_LISTS)
    readers.find()
    assert len(readers.queue.sent) == 2
    readers.find(by=readers.another())
    assert len(readers.queue.sent) == 2


def test_find_miss_between_retries_adds_no_message_a_minute(readers: Readers) -> None:
    readers.fail(make_failure(dead_lettered=False, dead_letterings=0, next_attempt_at=NOW))
    for _ in range(4):
        readers.find()
        readers.clock.advance(minutes=1)
    assert len(readers.queue.sent) == 1


@pytest.mark.parametrize("since", [0, 3])
def test_find_miss_whose_rebuild_fails_meanwhile_stops_waiting(
    readers: Readers, since: int
) -> None:
    failed_at = NOW + timedelta(seconds=since)
    record = make_failure(
        last_failed_at=failed_at, next_attempt_at=failed_at + timedelta(minutes=5)
    )
    readers.clock.plan(3, lambda: readers.fail(record))
    result = readers.find(wait=20)
    assert isinstance(result, NotFound)
    assert result.detail == "rebuild-failed"
    assert result.retry_after_seconds > 290
    assert sum(readers.clock.sleeps) < 4.1


def test_find_miss_failure_record_that_cannot_be_read_counts_as_none(readers: Readers) -> None:
    readers.store.put(FAILURE_KEY, b"{")
    readers.find()
    assert len(readers.queue.sent) == 1


def test_find_miss_failure_of_another_dataset_does_not_count(readers: Readers) -> None:
    readers.fail(make_failure(), OCTOBER_BALANCES)
    readers.find()
    assert len(readers.queue.sent) == 1


def test_find_miss_with_s3_gone_while_waiting_is_an_error(readers: Readers) -> None:
    readers.clock.plan(2, lambda: setattr(readers.store, "down", lambda operation, key: True))
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


@pytest.mark.parametrize("wait", [0, 20])
def test_find_entry_that_came_and_was_deleted_by_hand_is_a_new_miss(
    readers: Readers, wait: float
) -> None:
    """S3 does not tell the second absence from the first."""
    readers.clock.plan(1, lambda: readers.keep(make_entry()))
    readers.find(wait=wait)
    readers.clock.advance(seconds=1)
    if not wait:
        readers.find()
    del readers.store.objects[KEY]
    readers.find()
    assert len(readers.queue.deduplication_ids) == 2
