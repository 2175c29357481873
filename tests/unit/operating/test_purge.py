"""Purges: tombstones in the place of entries, or entries marked stale."""

from datetime import timedelta
from typing import Any

import pytest

from core.errors import ConflictError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.model.periods import recent_periods
from core.model.selection import Selection
from core.operating.commands import Purge
from core.operating.purge import Purger
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER,
    SEPTEMBER_BALANCES,
    TODAY,
    make_admin_settings,
    make_entry,
    make_stale_entry,
    store_entries,
    store_failures,
    store_tombstones,
)
from tests.fakes import FakeClock, InMemoryStore, RecordingEdge

KEY = entry_key(PREFIX, PROGRAM_LISTS)
SEPTEMBER_KEY = entry_key(PREFIX, SEPTEMBER_BALANCES)
OCTOBER_KEY = entry_key(PREFIX, OCTOBER_BALANCES)
EVERYTHING = Selection("all")


class WiredPurger(Purger):
    """A purger, and the bucket and the edge that it works on."""

    def __init__(self, clock: FakeClock) -> None:
        self.store, self.edge, self.clock = InMemoryStore(), RecordingEdge(), clock
        super().__init__(
            store=self.store, edge=self.edge, clock=clock, settings=make_admin_settings()
        )


@pytest.fixture
def purger(clock: FakeClock) -> WiredPurger:
    return WiredPurger(clock)


def purge(selection: Selection = EVERYTHING, *, soft: bool = False, dry_run: bool = False) -> Purge:
    return Purge(selection, soft=soft, dry_run=dry_run)


def stored(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
    assert isinstance(found, CacheEntry)
    return found


def stored_tombstone(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> Tombstone:
    found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
    assert isinstance(found, Tombstone)
    return found


def test_purge_puts_tombstones_over_entries_and_deletes_failure_records(
    purger: WiredPurger,
) -> None:
    store_entries(purger.store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    store_failures(purger.store, PROGRAM_LISTS, OCTOBER_BALANCES)
    assert purger.purge(purge()) == {
        "action": "purge",
        "summary": "3 entries purged",
        "soft": False,
        "dry_run": False,
        "count": 3,
        "keys": [SEPTEMBER_KEY, OCTOBER_KEY, KEY],
        "failure_records": 2,
        "invalidation_id": "I-1",
    }
    assert list(purger.store.objects) == [KEY, SEPTEMBER_KEY, OCTOBER_KEY]
    for dataset in (PROGRAM_LISTS, SEPTEMBER_BALANCES, OCTOBER_BALANCES):
        assert stored_tombstone(purger.store, dataset).purged_at == NOW
    assert purger.edge.invalidations == 1


@pytest.mark.parametrize("soft", [False, True])
def test_purge_gives_a_tombstone_a_new_id(purger: WiredPurger, soft: bool) -> None:
    """Each purge is a generation of its own; a soft one treats what is no entry like any other."""
    ids = []
    for tombstone in (Tombstone.new(PROGRAM_LISTS), Tombstone.new(PROGRAM_LISTS, NOW)):
        purger.store.put(KEY, encode_tombstone(tombstone))
        purger.purge(purge(soft=soft))
        buried = stored_tombstone(purger.store)
        assert buried.purged_at == NOW
        ids += [tombstone.id, buried.id]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("selection", "deleted"),
    [
        (Selection("programs"), {PROGRAM_LISTS}),
        (Selection("balances"), {OCTOBER_BALANCES, SEPTEMBER_BALANCES}),
        (Selection("balances", SEPTEMBER), {SEPTEMBER_BALANCES}),
    ],
)
def test_purge_of_a_selection_leaves_the_rest(
    purger: WiredPurger, selection: Selection, deleted: set[Dataset]
) -> None:
    everything = (PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
    store_entries(purger.store, *map(make_entry, everything))
    store_failures(purger.store, *everything)
    purger.purge(purge(selection))
    for dataset in everything:
        is_gone = dataset in deleted
        found = decode(purger.store.objects[entry_key(PREFIX, dataset)].body, dataset)
        assert isinstance(found, Tombstone) is is_gone
        assert (failure_key(PREFIX, dataset) not in purger.store.objects) is is_gone


def test_purge_leaves_what_is_no_entry(purger: WiredPurger) -> None:
    for key in ("cache/v0/programs.json", "cache/v1/failures/login.json", "other/x.json"):
        purger.store.put(key, b"{}")
    purger.purge(purge())
    assert len(purger.store.objects) == 3


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("body", [b"{", b'{"schema": "v1", "dataset": "programs", "id": 7}'])
def test_purge_puts_a_tombstone_over_what_is_unreadable(
    purger: WiredPurger, body: bytes, soft: bool
) -> None:
    purger.store.put(KEY, body)
    assert purger.purge(purge(soft=soft))["count"] == 1
    assert stored_tombstone(purger.store).purged_at == NOW


@pytest.mark.parametrize("soft", [False, True])
def test_purge_of_many_entries_reaches_all(purger: WiredPurger, soft: bool) -> None:
    datasets = [balances_of(period) for period in recent_periods(TODAY, 300)]
    store_entries(purger.store, *map(make_entry, datasets))
    assert purger.purge(purge(soft=soft))["count"] == 300
    for dataset in datasets:
        if soft:
            assert stored(purger.store, dataset).fresh_until <= NOW
        else:
            assert stored_tombstone(purger.store, dataset).purged_at == NOW


@pytest.mark.parametrize(
    ("command", "summary"),
    [
        (purge(), "1 entry purged"),
        (purge(dry_run=True), "1 entry would be purged"),
        (purge(soft=True), "1 entry marked stale"),
        (purge(Selection("balances")), "0 entries purged"),
    ],
)
def test_purge_summary_tells_what_was_done(
    purger: WiredPurger, command: Purge, summary: str
) -> None:
    store_entries(purger.store, make_entry())
    assert purger.purge(command)["summary"] == summary


@pytest.mark.parametrize("soft", [False, True])
def test_purge_dry_run_only_tells(purger: WiredPurger, soft: bool) -> None:
    store_entries(purger.store, make_entry())
    store_failures(purger.store, PROGRAM_LISTS)
    before = dict(purger.store.objects)
    result = purger.purge(purge(soft=soft, dry_run=True))
    assert (result["count"], result["keys"]) == (1, [KEY])
    assert purger.store.objects == before
    assert purger.edge.invalidations == 0


@pytest.mark.parametrize(
    "entry", [make_entry(built_at=NOW - timedelta(hours=1)), make_stale_entry()]
)
def test_soft_purge_marks_stale_and_keeps_the_data(purger: WiredPurger, entry: CacheEntry) -> None:
    store_entries(purger.store, entry)
    store_failures(purger.store, PROGRAM_LISTS)
    result = purger.purge(purge(soft=True))
    assert (result["soft"], result["count"]) == (True, 1)
    assert stored(purger.store) == entry.marked_stale(NOW)
    assert failure_key(PREFIX, PROGRAM_LISTS) not in purger.store.objects
    assert purger.edge.invalidations == 1


def test_soft_purge_marks_also_what_was_written_meanwhile(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry(built_at=NOW - timedelta(hours=1)))
    rebuilt = make_entry(built_at=NOW)
    once_before_replace(purger.store, lambda: store_entries(purger.store, rebuilt))
    purger.purge(purge(soft=True))
    assert stored(purger.store) == rebuilt.marked_stale(NOW)


def test_soft_purge_of_what_was_purged_meanwhile_leaves_a_tombstone(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())
    once_before_replace(purger.store, lambda: store_tombstones(purger.store, PROGRAM_LISTS))
    purger.purge(purge(soft=True))
    assert stored_tombstone(purger.store).purged_at == NOW


def once_before_replace(store: InMemoryStore, action: Any) -> None:
    """Have something happen just before the next conditional write."""

    def interfere(operation: str, key: str) -> bool:
        if operation == "replace":
            store.down = lambda operation, key: False
            action()
        return False

    store.down = interfere


def test_soft_purge_gives_up_on_writes_without_end(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())

    def interfere(operation: str, key: str) -> bool:
        if operation == "replace":
            purger.clock.advance(seconds=1)
            purger.store._write(KEY, encode(make_entry(built_at=purger.clock())))
        return False

    purger.store.down = interfere
    with pytest.raises(ConflictError):
        purger.purge(purge(soft=True))
    assert purger.store.count("replace", KEY) == 5


def test_purge_with_s3_out_of_reach_fails(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())
    purger.store.down = lambda operation, key: operation == "put"
    with pytest.raises(StoreUnavailableError):
        purger.purge(purge())


def test_soft_purge_deletes_failure_records_before_it_marks(purger: WiredPurger) -> None:
    """A reader that sees the new mark with the old record would wait the old failure out."""
    store_entries(purger.store, make_entry(built_at=NOW - timedelta(hours=1)))
    store_failures(purger.store, PROGRAM_LISTS)
    recorded: list[bool] = []
    once_before_replace(
        purger.store,
        lambda: recorded.append(failure_key(PREFIX, PROGRAM_LISTS) in purger.store.objects),
    )
    purger.purge(purge(soft=True))
    assert recorded == [False]
