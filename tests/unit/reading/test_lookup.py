"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

import json
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry
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
    make_lists,
    make_reader_settings,
    make_stale_entry,
    store_entries,
    store_tombstones,
)
from tests.fakes import FakeClock, InMemoryStore, RecordingQueue, RecordingTelemetry

KEY = entry_key(PREFIX, PROGRAM_LISTS)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
QUEUED = NotFound(10, "rebuild-queued")


class SlowStore(InMemoryStore):
    """S3 that takes `seconds` for each call."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.seconds = 0.0

    def _begin(self, operation: str, key: str) -> None:
        self.clock.advance(seconds=self.seconds)
        super()._begin(operation, key)


class Readers:
    """Reader processes over one bucket and one queue."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.store = SlowStore(clock)
        self.queue = RecordingQueue(clock)
        self.telemetry = RecordingTelemetry()
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

    def found(self, dataset: Dataset = PROGRAM_LISTS, *, wait: float = 0) -> Found:
        result = self.find(dataset, wait=wait)
        assert isinstance(result, Found)
        return result

    def outcome(self, dataset: Dataset = PROGRAM_LISTS, *, wait: float = 0) -> Outcome:
        return self.found(dataset, wait=wait).outcome

    def entry(self, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
        return self.found(dataset).loaded.entry

    def keep(self, *entries: CacheEntry) -> None:
        store_entries(self.store, *entries)

    def purge(self, dataset: Dataset = PROGRAM_LISTS) -> None:
        store_tombstones(self.store, dataset)

    def fail(self, record: FailureRecord | None = None, dataset: Dataset = PROGRAM_LISTS) -> None:
        self.store.put(failure_key(PREFIX, dataset), encode_failure(record or make_failure()))

    def lose_s3(self) -> None:
        self.store.down = lambda operation, key: True

    @property
    def asked(self) -> int:
        """How many rebuilds were queued."""
        return len(self.queue.sent)

    @property
    def waited(self) -> float:
        return sum(self.clock.sleeps)


@pytest.fixture
def readers(clock: FakeClock) -> Readers:
    return Readers(clock)


def briefly_stale(dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    """An entry that has been stale for a minute, well within the grace."""
    return make_entry(dataset, built_at=NOW - timedelta(hours=24, minutes=1))


def balances_up_to(day: int) -> Dataset:
    return balances_of(Period(date(2026, 10, 1), date(2026, 10, day)))


# Hits


def test_fresh_entry_is_a_hit_that_costs_one_request_to_s3(readers: Readers) -> None:
    entry = make_entry(built_at=NOW - timedelta(minutes=1), data=make_lists({"123456": "Part A"}))
    readers.keep(entry)
    readers.store.operations.clear()
    result = readers.found()
    assert readers.store.operations == [("read", KEY)]
    assert (result.outcome, result.loaded.entry) == (Outcome.HIT, entry)
    assert result.freshness.age_seconds == 60
    assert readers.asked == 0


def test_new_entry_is_served_although_the_old_one_is_in_memory(readers: Readers) -> None:
    newer = make_entry(built_at=NOW + timedelta(seconds=1))
    for entry in (make_entry(), newer):
        readers.keep(entry)
        assert readers.entry() == entry


def test_memory_is_never_served_without_s3_or_after_a_purge(readers: Readers) -> None:
    readers.keep(make_entry())
    readers.find()
    readers.purge()
    assert isinstance(readers.find(), NotFound)
    readers.keep(make_entry())
    readers.find()
    readers.lose_s3()
    with pytest.raises(StoreUnavailableError):
        readers.find()


# Stale


def test_stale_entry_is_served_at_once_and_a_rebuild_queued(readers: Readers) -> None:
    readers.keep(briefly_stale())
    assert readers.outcome(wait=20) is Outcome.STALE
    assert readers.waited == 0
    (body,) = readers.queue.sent
    assert json.loads(body) == {
        "dataset": "programs",
        "reason": "stale",
        "correlation_id": "c-1",
    }


def test_stale_balances_ask_for_their_period(readers: Readers) -> None:
    readers.keep(make_stale_entry(SEPTEMBER_BALANCES))
    readers.find(SEPTEMBER_BALANCES)
    message = json.loads(readers.queue.sent[0])
    assert (message["from"], message["to"]) == ("2026-09-01", "2026-09-30")


def test_stale_entry_is_asked_for_once_by_all_readers_and_each_calls_sqs_once(
    readers: Readers,
) -> None:
    readers.keep(make_stale_entry())
    another = readers.another()
    for _ in range(10):
        readers.find()
        readers.find(by=another)
        readers.clock.advance(seconds=10)
    assert readers.asked == 1
    assert len(readers.queue.deduplication_ids) == 2


def test_failure_beside_a_stale_entry_is_looked_for_now_and_then(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    for _ in range(5):
        readers.find()
    assert readers.store.count("read", FAILURE_KEY) == 1
    readers.clock.advance(seconds=RECHECK_STALE.total_seconds())
    readers.find()
    assert readers.store.count("read", FAILURE_KEY) == 2


def test_failure_beside_a_stale_entry_that_cannot_be_read_does_not_matter(
    readers: Readers,
) -> None:
    readers.keep(make_stale_entry())
    readers.store.down = lambda operation, key: key == FAILURE_KEY
    assert readers.outcome() is Outcome.STALE
    assert readers.telemetry.warnings() == ["failure record not read"]


def test_stale_entry_is_just_served_while_a_failure_is_waited_out(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.fail()
    for _ in range(4):
        result = readers.found(wait=20)
        assert (result.outcome, result.is_failing) == (Outcome.STALE, True)
        readers.clock.advance(seconds=60)
    assert (readers.waited, readers.asked) == (0, 0)
    assert readers.store.count("read", FAILURE_KEY) == 1


def long_without_news(readers: Readers) -> None:
    readers.clock.advance(seconds=ASK_AGAIN.total_seconds())


def failure_is_waited_out(readers: Readers) -> None:
    readers.fail()
    readers.clock.advance(minutes=5)


def rebuilt_and_stale_again(readers: Readers) -> None:
    readers.keep(make_entry(built_at=NOW - timedelta(days=1, hours=12)))


def soft_purge_of_a_new_entry(readers: Readers) -> None:
    readers.keep(make_entry().marked_stale(NOW))


@pytest.mark.parametrize(
    "happen",
    [
        long_without_news,
        failure_is_waited_out,
        rebuilt_and_stale_again,
        soft_purge_of_a_new_entry,
    ],
    ids=lambda happen: happen.__name__,
)
def test_stale_entry_is_asked_for_again_after_news(readers: Readers, happen: Any) -> None:
    readers.keep(make_stale_entry())
    readers.find()
    happen(readers)
    readers.find()
    assert readers.asked == 2


@pytest.mark.parametrize("another_reader", [False, True])
def test_soft_purge_of_a_failing_entry_lets_it_be_asked_for_at_once(
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
    assert readers.asked == 2


def test_many_stale_datasets_are_checked_no_more_often(readers: Readers) -> None:
    """What is known of an entry outlasts the entry in memory."""
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    readers.keep(*map(make_stale_entry, datasets))
    for dataset in [*datasets, *datasets]:
        readers.find(dataset)
    assert {readers.store.count("read", failure_key(PREFIX, one)) for one in datasets} == {1}


# Stale for longer than the grace


def test_long_stale_entry_is_rebuilt_while_waiting(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    built = make_entry(built_at=NOW + timedelta(seconds=1))
    readers.clock.plan(4, lambda: readers.keep(built))
    result = readers.found(wait=20)
    assert (result.outcome, result.loaded.entry) == (Outcome.REBUILT, built)
    assert readers.waited < 4 + 1.01
    assert json.loads(readers.queue.sent[0])["reason"] == "stale"


@pytest.mark.parametrize("wait", [0, 7])
def test_long_stale_entry_that_is_not_rebuilt_in_time_is_served(
    readers: Readers, wait: float
) -> None:
    readers.keep(make_stale_entry())
    result = readers.found(wait=wait)
    assert result.outcome is Outcome.STALE
    assert result.waited, "a longer wait might have changed the answer"
    assert readers.waited == pytest.approx(wait)
    assert readers.asked == 1


def test_long_stale_entry_that_is_purged_meanwhile_is_a_miss(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(3, readers.purge)
    assert readers.find(wait=7) == QUEUED


def test_long_stale_entry_that_is_marked_stale_meanwhile_is_no_new_one(readers: Readers) -> None:
    stale = make_stale_entry()
    readers.keep(stale)
    readers.clock.plan(3, lambda: readers.keep(stale.marked_stale(readers.clock())))
    assert readers.outcome(wait=7) is Outcome.STALE
    assert readers.waited == pytest.approx(7)


@pytest.mark.parametrize(
    ("happen", "is_failing"), [(Readers.fail, True), (Readers.lose_s3, False)], ids=["fail", "S3"]
)
def test_long_stale_entry_is_served_once_there_is_nothing_more_to_wait_for(
    readers: Readers, happen: Any, is_failing: bool
) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(3, lambda: happen(readers))
    result = readers.found(wait=20)
    assert (result.outcome, result.is_failing) == (Outcome.STALE, is_failing)
    assert readers.waited < 4.1


def test_what_s3_said_last_counts_when_it_is_lost_after_a_purge(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.clock.plan(2, readers.purge)
    readers.clock.plan(5, readers.lose_s3)
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


def test_long_stale_entry_whose_rebuild_has_failed_before_is_served_at_once(
    readers: Readers,
) -> None:
    readers.keep(make_stale_entry())
    readers.fail(make_failure(next_attempt_at=NOW))
    assert readers.outcome(wait=20) is Outcome.STALE
    assert (readers.waited, readers.asked) == (0, 1)


# The queue out of reach


@pytest.mark.parametrize("entry", [briefly_stale(), make_stale_entry()], ids=["briefly", "long"])
def test_stale_entry_with_the_queue_out_of_reach_is_served_at_once(
    readers: Readers, entry: CacheEntry
) -> None:
    readers.queue.is_down = True
    readers.keep(entry)
    assert readers.outcome(wait=20) is Outcome.STALE
    assert readers.telemetry.warnings() == ["rebuild not queued"]
    assert readers.waited == 0


def test_queue_that_was_out_of_reach_is_left_alone_for_a_while(readers: Readers) -> None:
    readers.keep(make_stale_entry(), make_stale_entry(SEPTEMBER_BALANCES))
    readers.queue.is_down = True
    for dataset in [PROGRAM_LISTS, SEPTEMBER_BALANCES] * 3:
        readers.find(dataset, wait=20)
    assert readers.telemetry.warnings() == ["rebuild not queued"]
    readers.queue.is_down = False
    readers.clock.advance(seconds=QUEUE_PAUSE.total_seconds() - 0.001)
    readers.find(wait=20)
    assert (readers.asked, readers.waited) == (0, 0)
    readers.clock.advance(seconds=0.001)
    readers.find()
    assert readers.asked == 1


def test_miss_with_the_queue_out_of_reach_is_an_error_without_a_wait(readers: Readers) -> None:
    readers.queue.is_down = True
    for _ in range(2):
        with pytest.raises(QueueUnavailableError):
            readers.find(wait=20)
    assert readers.waited == 0


# The month's newest entry


def test_new_day_while_a_failure_is_waited_out_is_served_the_day_before_at_once(
    readers: Readers,
) -> None:
    readers.keep(make_entry(balances_up_to(14)), make_entry(balances_up_to(13)))
    readers.fail(dataset=OCTOBER_BALANCES)
    result = readers.found(OCTOBER_BALANCES, wait=20)
    assert result.outcome is Outcome.EARLIER_DAY
    assert result.loaded.entry.dataset == balances_up_to(14)
    assert readers.waited == 0


def test_new_day_waits_for_its_own_entry_first(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(14)))
    readers.clock.plan(4, lambda: readers.keep(make_entry(OCTOBER_BALANCES)))
    assert readers.outcome(OCTOBER_BALANCES, wait=20) is Outcome.BUILT
    assert readers.asked == 1


@pytest.mark.parametrize("wait", [0, 20])
@pytest.mark.parametrize("was_purged", [False, True])
def test_new_day_that_is_not_built_in_time_is_served_the_day_before(
    readers: Readers, wait: float, was_purged: bool
) -> None:
    readers.keep(make_entry(balances_up_to(14)))
    if was_purged:
        readers.purge(OCTOBER_BALANCES)
    assert readers.outcome(OCTOBER_BALANCES, wait=wait) is Outcome.EARLIER_DAY
    assert readers.waited == pytest.approx(wait)


def test_new_day_with_the_queue_out_of_reach_is_served_the_day_before_at_once(
    readers: Readers,
) -> None:
    readers.queue.is_down = True
    readers.keep(make_entry(balances_up_to(14)))
    assert readers.outcome(OCTOBER_BALANCES, wait=20) is Outcome.EARLIER_DAY
    assert readers.waited == 0


def test_new_day_passes_over_purged_and_unreadable_days(readers: Readers) -> None:
    readers.purge(balances_up_to(14))
    readers.store.put(entry_key(PREFIX, balances_up_to(13)), b"{")
    readers.keep(make_entry(balances_up_to(8)), make_entry(balances_up_to(12)))
    assert readers.entry(OCTOBER_BALANCES).dataset == balances_up_to(12)


def test_new_day_without_an_entry_of_the_week_before_is_a_miss(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(7)))
    assert readers.find(OCTOBER_BALANCES) == QUEUED


def test_day_that_has_begun_elsewhere_is_served_todays_entry(readers: Readers) -> None:
    readers.keep(make_entry(OCTOBER_BALANCES))
    assert readers.entry(balances_up_to(16)).dataset == OCTOBER_BALANCES


def test_past_day_is_never_served_an_earlier_one(readers: Readers) -> None:
    readers.keep(make_entry(balances_up_to(13)))
    assert isinstance(readers.find(balances_up_to(14)), NotFound)


def test_new_day_begins_at_midnight_in_the_configured_zone(readers: Readers) -> None:
    """In UTC the 15th is not over, in Auckland it is."""
    readers.keep(make_entry(balances_up_to(14)))
    auckland = readers.another(time_zone=ZoneInfo("Pacific/Auckland"))
    assert isinstance(readers.find(OCTOBER_BALANCES, by=auckland), NotFound)
    assert isinstance(readers.find(OCTOBER_BALANCES), Found)


# Time: a call to S3 or SQS takes the reader 7 s at most


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
@pytest.mark.parametrize("is_failing", [False, True])
@pytest.mark.parametrize("late_seconds", [0, 10, 20, 28])
def test_request_is_answered_in_time_however_slow_each_call_is(
    readers: Readers,
    monkeypatch: pytest.MonkeyPatch,
    found: list[CacheEntry],
    send_seconds: float,
    is_failing: bool,
    late_seconds: float,
) -> None:
    clock, queue, send = readers.clock, readers.queue, readers.queue.send
    readers.keep(*found)
    if is_failing:
        readers.fail(dataset=OCTOBER_BALANCES)
    slow_send = lambda *sent: (clock.advance(seconds=send_seconds), send(*sent))[1]  # noqa: E731
    monkeypatch.setattr(queue, "send", slow_send)
    readers.store.seconds = 7
    taken_at = clock()
    clock.advance(seconds=late_seconds)
    left = patience(600, int(taken_at.timestamp() * 1000), clock(), clock.monotonic)
    with suppress(StoreUnavailableError, QueueUnavailableError):
        readers.another().find(OCTOBER_BALANCES, left, "c-1")
    assert (clock() - taken_at).total_seconds() <= ANSWER_SECONDS


def test_stale_entry_from_a_slow_s3_is_served(readers: Readers) -> None:
    readers.keep(make_stale_entry())
    readers.store.seconds = 7
    assert readers.outcome(wait=600) is Outcome.STALE


def test_no_call_begins_when_the_time_is_up(readers: Readers) -> None:
    clock = readers.clock
    late = patience(20, int(clock().timestamp() * 1000) - 25_000, clock(), clock.monotonic)
    with pytest.raises(StoreUnavailableError, match="no time is left"):
        readers.another().find(PROGRAM_LISTS, late, "c-1")
    assert readers.store.operations == []


# Misses


def test_miss_queues_a_rebuild_and_says_when_to_come_back(readers: Readers) -> None:
    assert readers.find() == QUEUED
    assert readers.waited == 0
    assert json.loads(readers.queue.sent[0])["reason"] == "miss"


def test_miss_waits_until_the_entry_is_there(readers: Readers) -> None:
    built = make_entry(built_at=NOW + timedelta(seconds=3))
    readers.clock.plan(4, lambda: readers.keep(built))
    result = readers.found(wait=20)
    assert (result.outcome, result.loaded.entry) == (Outcome.BUILT, built)
    assert readers.waited < 4 + 1.01


def test_miss_waits_no_longer_than_allowed(readers: Readers) -> None:
    assert readers.find(wait=7) == QUEUED
    assert readers.waited == pytest.approx(7)


def test_entry_that_comes_at_the_last_moment_is_seen(readers: Readers) -> None:
    readers.clock.plan(6.999, lambda: readers.keep(make_entry()))
    assert readers.outcome(wait=7) is Outcome.BUILT


def test_miss_of_many_readers_is_one_request(readers: Readers) -> None:
    for _ in range(10):
        readers.find(by=readers.another())
        readers.clock.advance(seconds=5.000001)
    assert readers.asked == 1


def test_miss_of_one_reader_calls_sqs_once_a_minute(readers: Readers) -> None:
    for _ in range(5):
        readers.find()
    assert len(readers.queue.deduplication_ids) == 1
    readers.clock.advance(minutes=1)
    readers.find()
    assert readers.asked == 2


def test_miss_after_a_purge_is_never_swallowed(readers: Readers) -> None:
    """Twice purged within a minute, and SQS still remembers the first request."""
    for number in range(1, 4):
        readers.keep(make_entry())
        readers.find()
        readers.purge()
        readers.find()
        assert readers.asked == number


def test_unreadable_entry_is_a_miss_that_each_new_one_asks_for_again(readers: Readers) -> None:
    for number, body in enumerate((b"", b"{"), start=1):
        readers.store.put(KEY, body)
        assert isinstance(readers.find(), NotFound)
        assert readers.asked == number
    assert readers.telemetry.warnings() == ["entry unreadable"] * 2


def test_unreadable_entry_is_served_once_it_is_replaced(readers: Readers) -> None:
    readers.store.put(KEY, b"{")
    readers.clock.plan(2, lambda: readers.keep(make_entry()))
    assert readers.outcome(wait=20) is Outcome.BUILT


def test_miss_while_a_failure_is_waited_out_is_turned_away_at_once(readers: Readers) -> None:
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(minutes=5)))
    record = make_failure()
    assert readers.find(wait=20) == NotFound(301, "rebuild-failed", record)
    assert (readers.waited, readers.asked) == (0, 0)


def test_miss_asks_once_more_when_a_failure_is_waited_out(readers: Readers) -> None:
    readers.find()
    failure_is_waited_out(readers)
    readers.find()
    assert readers.asked == 2


def test_each_dead_lettering_allows_one_more_request(readers: Readers) -> None:
    readers.find()
    for number in (1, 2, 3):
        readers.fail(make_failure(dead_letterings=number, next_attempt_at=readers.clock()))
        for _ in range(5):
            readers.find(by=readers.another())
    assert readers.asked == 4


@pytest.mark.parametrize("seen_failing", [False, True])
def test_miss_after_a_failure_record_was_purged_is_never_swallowed(
    readers: Readers, seen_failing: bool
) -> None:
    """A purge puts a tombstone also where there was only a failure; it is the same minute."""
    readers.find()
    readers.fail()
    if seen_failing:
        readers.find()
    readers.store.delete([FAILURE_KEY])
    readers.purge()
    readers.find()
    readers.find(by=readers.another())
    assert readers.asked == 2


def test_miss_between_retries_adds_no_message_a_minute(readers: Readers) -> None:
    readers.fail(make_failure(dead_lettered=False, dead_letterings=0, next_attempt_at=NOW))
    for _ in range(4):
        readers.find()
        readers.clock.advance(minutes=1)
    assert readers.asked == 1


@pytest.mark.parametrize("since", [0, 3])
def test_miss_whose_rebuild_fails_meanwhile_stops_waiting(readers: Readers, since: int) -> None:
    failed_at = NOW + timedelta(seconds=since)
    next_at = failed_at + timedelta(minutes=5)
    record = make_failure(last_failed_at=failed_at, next_attempt_at=next_at)
    readers.clock.plan(3, lambda: readers.fail(record))
    result = readers.find(wait=20)
    assert isinstance(result, NotFound)
    assert result.detail == "rebuild-failed"
    assert result.retry_after_seconds > 290
    assert readers.waited < 4.1


def test_failure_that_is_unreadable_or_of_another_dataset_does_not_count(readers: Readers) -> None:
    readers.store.put(FAILURE_KEY, b"{")
    readers.fail(dataset=OCTOBER_BALANCES)
    assert readers.find() == QUEUED


def test_miss_with_s3_gone_while_waiting_is_an_error(readers: Readers) -> None:
    readers.clock.plan(2, readers.lose_s3)
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


@pytest.mark.parametrize("wait", [0, 20])
def test_entry_that_came_and_was_deleted_by_hand_is_a_new_miss(
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
