"""Entries from S3, and what is kept of them."""

from datetime import timedelta

import pytest

from core.model.datasets import PROGRAM_LISTS, balances_of, entry_key
from core.model.entry import Tombstone, encode_tombstone
from core.model.periods import Period, recent_periods
from core.reading.load import (
    ENTRIES_IN_MEMORY,
    VIEWS_BYTES_PER_ENTRY,
    VIEWS_PER_ENTRY,
    EntryLoader,
    LoadedEntry,
    Missing,
    earlier_days,
)
from tests.builders import NOW, PREFIX, TODAY, make_entry, store_entries, store_tombstones
from tests.fakes import InMemoryStore, RecordingTelemetry

KEY = entry_key(PREFIX, PROGRAM_LISTS)


@pytest.fixture
def entries(store: InMemoryStore, telemetry: RecordingTelemetry) -> EntryLoader:
    return EntryLoader(store, telemetry, PREFIX)


def test_load_of_an_entry_in_memory_asks_s3_and_decodes_what_is_new(
    entries: EntryLoader, store: InMemoryStore
) -> None:
    store_entries(store, make_entry())
    assert entries.load(PROGRAM_LISTS) is entries.load(PROGRAM_LISTS)
    assert store.count("read", KEY) == 2
    newer = make_entry(built_at=NOW + timedelta(seconds=1))
    store_entries(store, newer)
    assert entries.load(PROGRAM_LISTS).entry == newer


def test_memory_drops_the_entry_that_was_not_used_for_longest(
    entries: EntryLoader, store: InMemoryStore
) -> None:
    datasets = [balances_of(period) for period in recent_periods(TODAY, ENTRIES_IN_MEMORY + 1)]
    store_entries(store, *map(make_entry, datasets))
    oldest, second, *others, last = datasets
    loaded = {dataset: entries.load(dataset) for dataset in (oldest, second, *others)}
    entries.load(oldest)
    entries.load(last)
    assert entries.load(oldest) is loaded[oldest]
    assert entries.load(second) is not loaded[second]


def test_view_is_rendered_once_per_key() -> None:
    loaded = LoadedEntry(make_entry(), '"1"')
    first, second = (loaded.view("a", object) for _ in range(2))
    assert first is second
    assert loaded.view("b", object) is not first


@pytest.mark.parametrize(
    ("size_bytes", "kept"),
    [
        pytest.param(0, VIEWS_PER_ENTRY, id="as many as there may be"),
        pytest.param(VIEWS_BYTES_PER_ENTRY // 3, 3, id="as many as fit"),
        pytest.param(VIEWS_BYTES_PER_ENTRY * 2, 1, id="one at least"),
    ],
)
def test_entry_keeps_its_last_views_within_bounds(size_bytes: int, kept: int) -> None:
    loaded = LoadedEntry(make_entry(), '"1"', size_bytes)
    for number in range(VIEWS_PER_ENTRY + 1):
        loaded.view(number, lambda: "text")
    assert list(loaded.views) == list(range(VIEWS_PER_ENTRY + 1))[-kept:]


def test_each_purge_is_an_absence_of_its_own(entries: EntryLoader, store: InMemoryStore) -> None:
    seen = [entries.load(PROGRAM_LISTS)]
    store.put(KEY, encode_tombstone(Tombstone.new(PROGRAM_LISTS)))
    seen.append(entries.load(PROGRAM_LISTS))
    assert seen == [Missing(None), Missing(None)], "no purge put this tombstone"
    for _ in range(2):
        store_tombstones(store, PROGRAM_LISTS)
        seen.append(entries.load(PROGRAM_LISTS))
    assert len(set(seen)) == 3


def test_unreadable_object_is_an_absence_that_is_told_once(
    entries: EntryLoader, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    store.put(KEY, b"{")
    first = entries.load(PROGRAM_LISTS)
    assert isinstance(first, Missing)
    assert entries.load(PROGRAM_LISTS) == first
    assert telemetry.warnings() == ["entry unreadable"]
    store.put(KEY, b"[")
    assert entries.load(PROGRAM_LISTS) != first
    assert telemetry.warnings() == ["entry unreadable"] * 2


@pytest.mark.parametrize(
    ("end", "days"),
    [
        pytest.param("2026-10-31", [30, 29, 28, 27, 26, 25, 24], id="a week back"),
        pytest.param("2026-10-09", [8, 7, 6, 5, 4, 3, 2], id="as far as the month goes"),
        pytest.param("2026-10-03", [2], id="the 3rd"),
        pytest.param("2026-10-02", [], id="the 2nd: the 1st reports the month before"),
    ],
)
def test_earlier_days_are_those_of_the_week_before_in_the_same_month(
    end: str, days: list[int]
) -> None:
    found = list(earlier_days(Period.parse("2026-10-01", end)))
    periods = [Period.parse("2026-10-01", f"2026-10-{day:02}") for day in days]
    assert found == [balances_of(period) for period in periods]


def test_programs_have_no_earlier_days() -> None:
    assert list(earlier_days(None)) == []
