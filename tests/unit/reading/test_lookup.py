"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, Tombstone, encode, encode_tombstone
from core.model.failures import FailureRecord, encode_failure
from core.model.periods import Period, recent_periods
from core.reading.ask import QUEUE_PAUSE, RECHECK_STALE
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
from tests.wired import Outside

KEY = entry_key(PREFIX, PROGRAM_LISTS)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
QUEUED = NotFound(10, "rebuild-queued")
STALE = make_stale_entry()


class Readers(Outside):
    """Reader processes over one bucket and one queue, which are asked for one dataset."""

    def __init__(self) -> None:
        super().__init__()
        self.dataset = PROGRAM_LISTS
        self._first = self.another()

    def another(self, **settings: Any) -> Lookup:
        return self.lookup(make_reader_settings(**settings))

    def find(self, *, wait: float = 0, by: Lookup | None = None) -> Found | NotFound:
        return (by or self._first).find(self.dataset, self.clock.patience(wait), "c-1")

    def found(self, *, wait: float = 0) -> Found:
        result = self.find(wait=wait)
        assert isinstance(result, Found)
        return result

    @property
    def asked(self) -> int:
        """How many rebuilds were queued."""
        return len(self.queue.sent)

    @property
    def waited(self) -> float:
        return sum(self.clock.sleeps)

    # What there is, and what happens

    def keep(self, *entries: CacheEntry) -> None:
        store_entries(self.store, *entries)

    def go_stale_briefly(self) -> None:
        """Keep an entry that has been stale for a minute, well within the grace."""
        self.keep(make_entry(self.dataset, built_at=NOW - timedelta(hours=24, minutes=1)))

    def go_stale(self) -> None:
        self.keep(make_stale_entry(self.dataset))

    def corrupt(self) -> None:
        self.store.put(entry_key(PREFIX, self.dataset), b"{")

    def begin_a_day(self) -> None:
        """Ask for today's balances from now on, of which there are yesterday's."""
        self.dataset = OCTOBER_BALANCES
        self.keep(make_entry(balances_up_to(14)))

    def rebuild(self) -> None:
        self.keep(make_entry(self.dataset, built_at=NOW + timedelta(seconds=1)))

    def mark_stale(self) -> None:
        self.keep(make_stale_entry(self.dataset).marked_stale(self.clock()))

    def purge(self) -> None:
        store_tombstones(self.store, self.dataset)

    def fail(self, record: FailureRecord | None = None) -> None:
        self.store.put(failure_key(PREFIX, self.dataset), encode_failure(record or make_failure()))

    def lose_s3(self) -> None:
        self.store.down = lambda operation, key: True

    def slow_s3_down(self) -> None:
        """Let each call take seven seconds, the longest that it can."""

        def pass_time(operation: str, key: str) -> bool:
            self.clock.advance(seconds=7)
            return False

        self.store.down = pass_time

    def lose_sqs(self) -> None:
        self.queue.is_down = True


Event = Callable[[Readers], None]


@pytest.fixture
def readers() -> Readers:
    return Readers()


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


# At once, or after a wait


@pytest.mark.parametrize("has_failed", [False, True])
def test_stale_entry_is_served_at_once_and_a_rebuild_queued(
    readers: Readers, has_failed: bool
) -> None:
    """A long stale one too, if its rebuild has failed before."""
    readers.dataset = SEPTEMBER_BALANCES
    readers.go_stale_briefly()
    if has_failed:
        readers.go_stale()
        readers.fail(make_failure(next_attempt_at=NOW))
    assert readers.found(wait=20).outcome is Outcome.STALE
    assert readers.waited == 0
    (body,) = readers.queue.sent
    period = {"from": "2026-09-01", "to": "2026-09-30"}
    expected = {"dataset": "balances", "reason": "stale", "correlation_id": "c-1", **period}
    assert json.loads(body) == expected


@pytest.mark.parametrize(
    ("before", "event", "wait", "expected", "waited"),
    [
        (Readers.go_stale, None, 0, Outcome.STALE, 0),
        (Readers.go_stale, None, 7, Outcome.STALE, 7),
        (Readers.go_stale, Readers.rebuild, 20, Outcome.REBUILT, 4),
        (Readers.go_stale, Readers.mark_stale, 7, Outcome.STALE, 7),
        (Readers.go_stale, Readers.purge, 7, "rebuild-queued", 7),
        (Readers.go_stale, Readers.fail, 20, Outcome.STALE, 4),
        (Readers.go_stale, Readers.lose_s3, 20, Outcome.STALE, 4),
        (Readers.purge, None, 0, "rebuild-queued", 0),
        (Readers.purge, None, 7, "rebuild-queued", 7),
        (Readers.purge, Readers.rebuild, 20, Outcome.BUILT, 4),
        (Readers.purge, Readers.fail, 20, "rebuild-failed", 4),
        (Readers.corrupt, Readers.rebuild, 20, Outcome.BUILT, 4),
        (Readers.begin_a_day, None, 0, Outcome.EARLIER_DAY, 0),
        (Readers.begin_a_day, None, 20, Outcome.EARLIER_DAY, 20),
        (Readers.begin_a_day, Readers.purge, 20, Outcome.EARLIER_DAY, 20),
        (Readers.begin_a_day, Readers.rebuild, 20, Outcome.BUILT, 4),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_long_stale_or_missing_is_waited_for_until_there_is_news(
    readers: Readers,
    before: Event,
    event: Event | None,
    wait: float,
    expected: Outcome | str,
    waited: float,
) -> None:
    """The news comes after three seconds, and is seen within another."""
    before(readers)
    if event:
        readers.clock.plan(3, lambda: event(readers))
    result = readers.find(wait=wait)
    if isinstance(result, Found):
        assert result.outcome is expected
        assert result.waited, "a longer wait might have changed the answer"
        assert result.is_failing is (event is Readers.fail)
        assert (result.loaded.entry.built_at > NOW) is (event is Readers.rebuild)
    else:
        assert result.detail == expected
    assert readers.waited == pytest.approx(waited, abs=0.03)
    (body,) = readers.queue.sent
    assert json.loads(body)["reason"] == ("stale" if before is Readers.go_stale else "miss")


@pytest.mark.parametrize("before", [Readers.purge, Readers.go_stale])
def test_s3_that_is_lost_after_a_purge_is_an_error(readers: Readers, before: Event) -> None:
    before(readers)
    readers.clock.plan(2, readers.purge)
    readers.clock.plan(5, readers.lose_s3)
    with pytest.raises(StoreUnavailableError):
        readers.find(wait=20)


@pytest.mark.parametrize("hinder", [Readers.fail, Readers.lose_sqs])
@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        (Readers.go_stale_briefly, Outcome.STALE),
        (Readers.go_stale, Outcome.STALE),
        (Readers.begin_a_day, Outcome.EARLIER_DAY),
    ],
)
def test_what_there_is_is_served_at_once_while_nothing_can_be_asked_for(
    readers: Readers, before: Event, hinder: Event, outcome: Outcome
) -> None:
    before(readers)
    hinder(readers)
    result = readers.found(wait=20)
    assert (result.outcome, result.waited) == (outcome, False)
    assert result.is_failing is (hinder is Readers.fail)
    assert (readers.waited, readers.asked) == (0, 0)


def test_miss_while_a_failure_is_waited_out_is_turned_away_at_once(readers: Readers) -> None:
    record = make_failure(next_attempt_at=NOW + timedelta(minutes=5))
    readers.fail(record)
    assert readers.find(wait=20) == NotFound(301, "rebuild-failed", record)
    assert (readers.waited, readers.asked) == (0, 0)


# The queue out of reach


def test_queue_that_was_out_of_reach_is_left_alone_for_a_while(readers: Readers) -> None:
    readers.lose_sqs()
    for dataset in [PROGRAM_LISTS, SEPTEMBER_BALANCES] * 3:
        readers.dataset = dataset
        readers.go_stale()
        readers.find(wait=20)
    assert readers.telemetry.warnings() == ["rebuild not queued"]
    readers.queue.is_down = False
    readers.clock.advance(seconds=QUEUE_PAUSE.total_seconds() - 0.001)
    readers.find(wait=20)
    assert (readers.asked, readers.waited) == (0, 0)
    readers.clock.advance(seconds=0.001)
    readers.find()
    assert readers.asked == 1


def test_miss_with_the_queue_out_of_reach_is_an_error_without_a_wait(readers: Readers) -> None:
    readers.lose_sqs()
    for _ in range(2):
        with pytest.raises(QueueUnavailableError):
            readers.find(wait=20)
    assert readers.waited == 0


# The month's newest entry


@pytest.mark.parametrize(
    ("day", "kept", "expected"),
    [
        pytest.param(15, [13, 14], 14, id="yesterday's"),
        pytest.param(15, [8, 9], 9, id="after a purged, an unreadable and absent ones"),
        pytest.param(15, [7], None, id="none is older than a week"),
        pytest.param(16, [15], 15, id="today's, for a day that has begun elsewhere"),
        pytest.param(14, [13], None, id="none, for a past day"),
    ],
)
def test_new_day_is_served_the_newest_entry_of_the_week_before(
    readers: Readers, day: int, kept: list[int], expected: int | None
) -> None:
    readers.dataset = balances_up_to(11)
    readers.purge()
    readers.dataset = balances_up_to(10)
    readers.corrupt()
    readers.keep(*(make_entry(balances_up_to(day)) for day in kept))
    readers.dataset = balances_up_to(day)
    if expected:
        assert readers.found().loaded.entry.dataset == balances_up_to(expected)
    else:
        assert readers.find() == QUEUED


def test_new_day_begins_at_midnight_in_the_configured_zone(readers: Readers) -> None:
    """In UTC the 15th is not over, in Auckland it is."""
    readers.begin_a_day()
    auckland = readers.another(time_zone=ZoneInfo("Pacific/Auckland"))
    assert isinstance(readers.find(by=auckland), NotFound)
    assert isinstance(readers.find(), Found)


# Time


@pytest.mark.parametrize(
    "before", [Readers.purge, Readers.go_stale_briefly, Readers.go_stale], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("send_seconds", [0, 7])
@pytest.mark.parametrize("is_failing", [False, True])
@pytest.mark.parametrize("late_seconds", [0, 10, 20, 28])
def test_request_is_answered_in_time_however_slow_each_call_is(
    readers: Readers,
    monkeypatch: pytest.MonkeyPatch,
    before: Event,
    send_seconds: float,
    is_failing: bool,
    late_seconds: float,
) -> None:
    clock, send = readers.clock, readers.queue.send

    def slow_send(*sent: Any) -> str:
        clock.advance(seconds=send_seconds)
        return send(*sent)

    monkeypatch.setattr(readers.queue, "send", slow_send)
    readers.dataset = OCTOBER_BALANCES
    before(readers)
    if is_failing:
        readers.fail()
    readers.slow_s3_down()
    taken_at = clock()
    clock.advance(seconds=late_seconds)
    left = patience(600, int(taken_at.timestamp() * 1000), clock(), clock.monotonic)
    with suppress(StoreUnavailableError, QueueUnavailableError):
        readers.another().find(OCTOBER_BALANCES, left, "c-1")
    assert (clock() - taken_at).total_seconds() <= ANSWER_SECONDS


def test_stale_entry_from_a_slow_s3_is_served(readers: Readers) -> None:
    readers.go_stale()
    readers.slow_s3_down()
    assert readers.found(wait=600).outcome is Outcome.STALE


def test_no_call_begins_when_the_time_is_up(readers: Readers) -> None:
    clock = readers.clock
    late = patience(20, int(clock().timestamp() * 1000) - 25_000, clock(), clock.monotonic)
    with pytest.raises(StoreUnavailableError, match="no time is left"):
        readers.another().find(PROGRAM_LISTS, late, "c-1")
    assert readers.store.operations == []


# Nothing is looked for or asked for too often


@pytest.mark.parametrize(
    ("failure", "pause"), [(None, RECHECK_STALE), (make_failure(), timedelta(minutes=5))]
)
def test_failure_beside_a_stale_entry_is_looked_for_now_and_then(
    readers: Readers, failure: FailureRecord | None, pause: timedelta
) -> None:
    """One that is waited out is looked for again when that is over."""
    readers.go_stale()
    if failure:
        readers.fail(failure)
    for _ in range(4):
        readers.find()
        assert readers.store.count("read", FAILURE_KEY) == 1
        readers.clock.advance(seconds=pause.total_seconds() / 4)
    readers.find()
    assert readers.store.count("read", FAILURE_KEY) == 2


def test_failure_beside_a_stale_entry_that_cannot_be_read_is_no_error(readers: Readers) -> None:
    readers.go_stale()
    readers.store.down = lambda operation, key: key == FAILURE_KEY
    assert readers.found().outcome is Outcome.STALE
    assert readers.telemetry.warnings() == ["failure record not read"]


def test_many_stale_datasets_are_checked_no_more_often(readers: Readers) -> None:
    """A reader forgets entries, but not when it looked for their failure records."""
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    readers.keep(*map(make_stale_entry, datasets))
    for readers.dataset in [*datasets, *datasets]:
        readers.find()
    assert {readers.store.count("read", failure_key(PREFIX, one)) for one in datasets} == {1}


PURGED = encode_tombstone(Tombstone.new(PROGRAM_LISTS, purged_at=NOW))
STALE_AGAIN = encode(make_entry(built_at=NOW - timedelta(hours=36)))
NEW_BUT_MARKED = encode(make_entry().marked_stale(NOW))


@pytest.mark.parametrize(
    ("before", "after", "failure", "minutes"),
    [
        pytest.param(encode(STALE), None, None, 14.725, id="stale, 15 minutes without news"),
        pytest.param(encode(STALE), None, make_failure(), 5, id="stale, a failure waited out"),
        pytest.param(encode(STALE), STALE_AGAIN, None, 0, id="rebuilt, and stale again"),
        pytest.param(encode(STALE), NEW_BUT_MARKED, None, 0, id="rebuilt, and marked stale"),
        pytest.param(b"{", None, None, 1, id="missing for another minute"),
        pytest.param(b"{", None, make_failure(), 5, id="missing, a failure waited out"),
        pytest.param(b"{", b"[", None, 0, id="unreadable in another way"),
        pytest.param(b"{", PURGED, None, 0, id="purged"),
    ],
)
def test_rebuild_is_asked_for_once_by_all_readers_until_there_is_news(
    readers: Readers,
    before: bytes,
    after: bytes | None,
    failure: FailureRecord | None,
    minutes: float,
) -> None:
    """Each reader calls SQS once, which drops what it was sent before. That takes 16.5 seconds."""
    another = readers.another()

    def find_often() -> tuple[int, int]:
        for _ in range(3):
            readers.find()
            readers.find(by=another)
            readers.clock.advance(seconds=5.5)
        return readers.asked, len(readers.queue.deduplication_ids)

    readers.store.put(KEY, before)
    assert find_often() == (1, 2)
    readers.store.put(KEY, after or before)
    if failure:
        readers.fail(failure)
    readers.clock.advance(minutes=minutes)
    readers.find()
    assert readers.asked == 2
    assert find_often() == (2, 4)


def test_soft_purge_of_a_failing_entry_lets_it_be_asked_for_at_once(readers: Readers) -> None:
    """The operator has mended what was wrong; nobody waits out the failure any more."""
    readers.go_stale()
    readers.find()
    readers.fail(make_failure(next_attempt_at=NOW + timedelta(hours=1)))
    readers.clock.advance(seconds=10)
    readers.find()
    readers.mark_stale()
    readers.store.delete([FAILURE_KEY])
    readers.find()
    assert readers.asked == 2


def test_each_dead_lettering_allows_one_more_request(readers: Readers) -> None:
    for number in (1, 2, 3):
        readers.fail(make_failure(dead_letterings=number, next_attempt_at=NOW))
        for _ in range(5):
            readers.find(by=readers.another())
    assert readers.asked == 3


def test_miss_between_retries_adds_no_message_a_minute(readers: Readers) -> None:
    readers.fail(make_failure(dead_lettered=False, dead_letterings=0, next_attempt_at=NOW))
    for _ in range(4):
        readers.find()
        readers.clock.advance(minutes=1)
    assert readers.asked == 1


@pytest.mark.parametrize("wait", [0, 20])
def test_entry_that_came_and_was_deleted_by_hand_is_a_new_miss(
    readers: Readers, wait: float
) -> None:
    """S3 does not tell the second absence from the first."""
    readers.clock.plan(1, readers.rebuild)
    readers.find(wait=wait)
    readers.clock.advance(seconds=1)
    if not wait:
        readers.find()
    del readers.store.objects[KEY]
    readers.find()
    assert len(readers.queue.deduplication_ids) == 2
