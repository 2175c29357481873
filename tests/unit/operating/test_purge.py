"""Purges: tombstones in the place of entries, or entries marked stale."""

from collections.abc import Callable
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
from tests.fakes import RecordingEdge
from tests.wired import Outside

KEY = entry_key(PREFIX, PROGRAM_LISTS)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
EVERYTHING = Selection("all")
DATASETS = (PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
OLD = make_entry(built_at=NOW - timedelta(hours=1))


class WiredPurger(Outside):
    """A purger, and the bucket and the edge that it works on."""

    def __init__(self) -> None:
        super().__init__()
        self.edge = RecordingEdge()
        self._purger = Purger(
            store=self.store, edge=self.edge, clock=self.clock, settings=make_admin_settings()
        )

    def purge(
        self, selection: Selection = EVERYTHING, *, soft: bool = False, dry_run: bool = False
    ) -> dict[str, Any]:
        return self._purger.purge(Purge(selection, soft=soft, dry_run=dry_run))

    def found(self, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry | Tombstone:
        return decode(self.store.objects[entry_key(PREFIX, dataset)].body, dataset)

    def buried(self, dataset: Dataset = PROGRAM_LISTS) -> Tombstone:
        """Return the tombstone of a dataset, which has been purged just now."""
        found = self.found(dataset)
        assert isinstance(found, Tombstone)
        assert found.purged_at == NOW
        return found

    def once_before_replace(self, action: Callable[[], object]) -> None:
        """Have something happen just before the next conditional write."""

        def interfere(operation: str, key: str) -> bool:
            if operation == "replace":
                self.store.down = lambda operation, key: False
                action()
            return False

        self.store.down = interfere


@pytest.fixture
def purger() -> WiredPurger:
    return WiredPurger()


def test_purge_puts_tombstones_over_entries_and_deletes_failure_records(
    purger: WiredPurger,
) -> None:
    store_entries(purger.store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    store_failures(purger.store, PROGRAM_LISTS, OCTOBER_BALANCES)
    keys = {entry_key(PREFIX, dataset) for dataset in DATASETS}
    assert purger.purge() == {
        "action": "purge",
        "summary": "3 entries purged",
        "soft": False,
        "dry_run": False,
        "count": 3,
        "keys": sorted(keys),
        "failure_records": 2,
        "invalidation_id": "I-1",
    }
    assert set(purger.store.objects) == keys
    for dataset in DATASETS:
        assert purger.buried(dataset)
    assert purger.edge.invalidations == 1


@pytest.mark.parametrize("soft", [False, True])
def test_purge_gives_a_tombstone_a_new_id(purger: WiredPurger, soft: bool) -> None:
    """Each purge is a generation of its own; a soft one treats what is no entry like any other."""
    ids = set()
    for tombstone in (Tombstone.new(PROGRAM_LISTS), Tombstone.new(PROGRAM_LISTS, NOW)):
        purger.store.put(KEY, encode_tombstone(tombstone))
        purger.purge(soft=soft)
        ids |= {tombstone.id, purger.buried().id}
    assert len(ids) == 4


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
    store_entries(purger.store, *map(make_entry, DATASETS))
    store_failures(purger.store, *DATASETS)
    purger.purge(selection)
    assert {one for one in DATASETS if isinstance(purger.found(one), Tombstone)} == deleted
    failing = {one for one in DATASETS if failure_key(PREFIX, one) in purger.store.objects}
    assert failing == set(DATASETS) - deleted


def test_purge_leaves_what_is_no_entry(purger: WiredPurger) -> None:
    for key in ("cache/v0/programs.json", "cache/v1/failures/login.json", "other/x.json"):
        purger.store.put(key, b"{}")
    purger.purge()
    assert len(purger.store.objects) == 3


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("body", [b"{", b'{"schema": "v1", "dataset": "programs", "id": 7}'])
def test_purge_puts_a_tombstone_over_what_is_unreadable(
    purger: WiredPurger, body: bytes, soft: bool
) -> None:
    purger.store.put(KEY, body)
    assert purger.purge(soft=soft)["count"] == 1
    assert purger.buried()


@pytest.mark.parametrize("soft", [False, True])
def test_purge_of_many_entries_reaches_all(purger: WiredPurger, soft: bool) -> None:
    datasets = [balances_of(period) for period in recent_periods(TODAY, 300)]
    store_entries(purger.store, *map(make_entry, datasets))
    assert purger.purge(soft=soft)["count"] == 300
    for dataset in datasets:
        found = purger.found(dataset)
        assert (found.fresh_until if isinstance(found, CacheEntry) else found.purged_at) == NOW


@pytest.mark.parametrize(
    ("selection", "choices", "summary"),
    [
        (EVERYTHING, {}, "1 entry purged"),
        (EVERYTHING, {"dry_run": True}, "1 entry would be purged"),
        (EVERYTHING, {"soft": True}, "1 entry marked stale"),
        (Selection("balances"), {}, "0 entries purged"),
    ],
)
def test_purge_summary_tells_what_was_done(
    purger: WiredPurger, selection: Selection, choices: dict[str, bool], summary: str
) -> None:
    store_entries(purger.store, make_entry())
    assert purger.purge(selection, **choices)["summary"] == summary


@pytest.mark.parametrize("soft", [False, True])
def test_purge_dry_run_only_tells(purger: WiredPurger, soft: bool) -> None:
    store_entries(purger.store, make_entry())
    store_failures(purger.store, PROGRAM_LISTS)
    before = dict(purger.store.objects)
    result = purger.purge(soft=soft, dry_run=True)
    assert (result["count"], result["keys"]) == (1, [KEY])
    assert purger.store.objects == before
    assert purger.edge.invalidations == 0


@pytest.mark.parametrize("entry", [OLD, make_stale_entry()])
def test_soft_purge_marks_stale_and_keeps_the_data(purger: WiredPurger, entry: CacheEntry) -> None:
    """First it deletes the failure record: nobody is to see that one beside the new mark."""
    store_entries(purger.store, entry)
    store_failures(purger.store, PROGRAM_LISTS)
    recorded: list[bool] = []
    purger.once_before_replace(lambda: recorded.append(FAILURE_KEY in purger.store.objects))
    result = purger.purge(soft=True)
    assert (result["soft"], result["count"]) == (True, 1)
    assert purger.found() == entry.marked_stale(NOW)
    assert recorded == [False]
    assert purger.edge.invalidations == 1


def test_soft_purge_marks_also_what_was_written_meanwhile(purger: WiredPurger) -> None:
    store_entries(purger.store, OLD)
    rebuilt = make_entry(built_at=NOW)
    purger.once_before_replace(lambda: store_entries(purger.store, rebuilt))
    purger.purge(soft=True)
    assert purger.found() == rebuilt.marked_stale(NOW)


def test_soft_purge_of_what_was_purged_meanwhile_leaves_a_tombstone(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())
    purger.once_before_replace(lambda: store_tombstones(purger.store, PROGRAM_LISTS))
    purger.purge(soft=True)
    assert purger.buried()


def test_soft_purge_gives_up_on_writes_without_end(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())

    def interfere(operation: str, key: str) -> bool:
        if operation == "replace":
            purger.clock.advance(seconds=1)
            purger.store._write(KEY, encode(make_entry(built_at=purger.clock())))
        return False

    purger.store.down = interfere
    with pytest.raises(ConflictError):
        purger.purge(soft=True)
    assert purger.store.count("replace", KEY) == 5


def test_purge_with_s3_out_of_reach_fails(purger: WiredPurger) -> None:
    store_entries(purger.store, make_entry())
    purger.store.down = lambda operation, key: operation == "put"
    with pytest.raises(StoreUnavailableError):
        purger.purge()
