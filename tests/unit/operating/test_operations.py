"""What an operator can do to the cache: purge, refresh."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import ConflictError, QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.model.periods import recent_periods
from core.model.selection import Selection
from core.operating.commands import Purge, Refresh
from core.operating.operations import SOFT_PURGE_ATTEMPTS, Operations
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER,
    SEPTEMBER_BALANCES,
    TODAY,
    bury,
    fail,
    keep,
    make_entry,
    make_stale_entry,
)
from tests.fakes import (
    FakeClock,
    InMemoryStore,
    RecordingEdge,
    RecordingQueue,
)

KEY = entry_key(PREFIX, PROGRAM_LISTS)
SEPTEMBER_KEY = entry_key(PREFIX, SEPTEMBER_BALANCES)
OCTOBER_KEY = entry_key(PREFIX, OCTOBER_BALANCES)
EVERYTHING = Selection("all")
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def edge() -> RecordingEdge:
    return RecordingEdge()


@pytest.fixture
def operations(
    store: InMemoryStore,
    queue: RecordingQueue,
    edge: RecordingEdge,
    clock: FakeClock,
) -> Operations:
    return Operations(
        store=store,
        queue=queue,
        edge=edge,
        clock=clock,
        cache_prefix=PREFIX,
    )


def purge(selection: Selection = EVERYTHING, *, soft: bool = False, dry_run: bool = False) -> Purge:
    return Purge(selection, soft=soft, dry_run=dry_run)


def stored(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
    assert isinstance(found, CacheEntry)
    return found


def stored_tombstone(store: InMemoryStore, dataset: Dataset) -> Tombstone:
    found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
    assert isinstance(found, Tombstone)
    return found


# Purge


def test_purge_puts_tombstones_over_entries_and_deletes_failure_records(
    operations: Operations, store: InMemoryStore, edge: RecordingEdge
) -> None:
    keep(store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    fail(store, PROGRAM_LISTS, OCTOBER_BALANCES)
    assert operations.purge(purge()) == {
        "action": "purge",
        "summary": "3 entries purged",
        "soft": False,
        "dry_run": False,
        "count": 3,
        "keys": [SEPTEMBER_KEY, OCTOBER_KEY, KEY],
        "failure_records": 2,
        "invalidation_id": "I-1",
    }
    assert list(store.objects) == [KEY, SEPTEMBER_KEY, OCTOBER_KEY]
    for dataset in (PROGRAM_LISTS, SEPTEMBER_BALANCES, OCTOBER_BALANCES):
        assert stored_tombstone(store, dataset).purged_at == NOW
    assert edge.invalidations == 1


@pytest.mark.parametrize("soft", [False, True])
def test_purge_gives_a_tombstone_a_new_id(
    operations: Operations, store: InMemoryStore, soft: bool
) -> None:
    """Each purge is a generation of its own; a soft one treats what is no entry like any other."""
    ids = []
    for tombstone in (Tombstone.new(PROGRAM_LISTS), Tombstone.new(PROGRAM_LISTS, NOW)):
        store.put(KEY, encode_tombstone(tombstone))
        operations.purge(purge(soft=soft))
        buried = stored_tombstone(store, PROGRAM_LISTS)
        assert buried.purged_at == NOW
        ids += [tombstone.id, buried.id]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("selection", "deleted"),
    [
        pytest.param(Selection("programs"), {PROGRAM_LISTS}, id="programs"),
        pytest.param(
            Selection("balances"), {OCTOBER_BALANCES, SEPTEMBER_BALANCES}, id="all balances"
        ),
        pytest.param(Selection("balances", SEPTEMBER), {SEPTEMBER_BALANCES}, id="one period"),
    ],
)
def test_purge_of_a_selection_leaves_the_rest(
    operations: Operations, store: InMemoryStore, selection: Selection, deleted: set[Dataset]
) -> None:
    everything = (PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
    keep(store, *map(make_entry, everything))
    fail(store, *everything)
    operations.purge(purge(selection))
    for dataset in everything:
        is_gone = dataset in deleted
        found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
        assert isinstance(found, Tombstone) is is_gone
        assert (failure_key(PREFIX, dataset) not in store.objects) is is_gone


def test_purge_leaves_what_is_no_entry(operations: Operations, store: InMemoryStore) -> None:
    for key in ("cache/v0/programs.json", "cache/v1/failures/login.json", "other/x.json"):
        store.put(key, b"{}")
    operations.purge(purge())
    assert len(store.objects) == 3


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("body", [b"{", b'{"schema": "v1", "dataset": "programs", "id": 7}'])
def test_purge_puts_a_tombstone_over_what_is_unreadable(
    operations: Operations, store: InMemoryStore, body: bytes, soft: bool
) -> None:
    store.put(KEY, body)
    assert operations.purge(purge(soft=soft))["count"] == 1
    assert stored_tombstone(store, PROGRAM_LISTS).purged_at == NOW


@pytest.mark.parametrize("soft", [False, True])
def test_purge_of_many_entries_reaches_all(
    operations: Operations, store: InMemoryStore, soft: bool
) -> None:
    datasets = [balances_of(period) for period in recent_periods(TODAY, 300)]
    keep(store, *map(make_entry, datasets))
    assert operations.purge(purge(soft=soft))["count"] == 300
    for dataset in datasets:
        if soft:
            assert stored(store, dataset).fresh_until <= NOW
        else:
            assert stored_tombstone(store, dataset).purged_at == NOW


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
    operations: Operations, store: InMemoryStore, command: Purge, summary: str
) -> None:
    keep(store, make_entry())
    assert operations.purge(command)["summary"] == summary


@pytest.mark.parametrize("soft", [False, True])
def test_purge_dry_run_only_tells(
    operations: Operations, store: InMemoryStore, edge: RecordingEdge, soft: bool
) -> None:
    keep(store, make_entry())
    fail(store, PROGRAM_LISTS)
    before = dict(store.objects)
    result = operations.purge(purge(soft=soft, dry_run=True))
    assert (result["count"], result["keys"]) == (1, [KEY])
    assert store.objects == before
    assert edge.invalidations == 0


def test_soft_purge_marks_stale_and_keeps_the_data(
    operations: Operations, store: InMemoryStore, edge: RecordingEdge
) -> None:
    entry = make_entry(built_at=NOW - timedelta(hours=1))
    keep(store, entry)
    fail(store, PROGRAM_LISTS)
    result = operations.purge(purge(soft=True))
    assert (result["soft"], result["count"]) == (True, 1)
    assert stored(store) == entry.marked_stale(NOW)
    assert failure_key(PREFIX, PROGRAM_LISTS) not in store.objects
    assert edge.invalidations == 1


def test_soft_purge_of_a_stale_entry_makes_a_new_generation(
    operations: Operations, store: InMemoryStore
) -> None:
    keep(store, make_stale_entry())
    before = store.objects[KEY].etag
    operations.purge(purge(soft=True))
    assert store.objects[KEY].etag != before


def test_soft_purge_marks_also_what_was_written_meanwhile(
    operations: Operations, store: InMemoryStore
) -> None:
    keep(store, make_entry(built_at=NOW - timedelta(hours=1)))
    rebuilt = make_entry(built_at=NOW)
    once_before_replace(store, lambda: keep(store, rebuilt))
    operations.purge(purge(soft=True))
    assert stored(store) == rebuilt.marked_stale(NOW)


def test_soft_purge_of_what_was_purged_meanwhile_leaves_a_tombstone(
    operations: Operations, store: InMemoryStore
) -> None:
    keep(store, make_entry())
    once_before_replace(store, lambda: bury(store, PROGRAM_LISTS))
    operations.purge(purge(soft=True))
    assert stored_tombstone(store, PROGRAM_LISTS).purged_at == NOW


def once_before_replace(store: InMemoryStore, action: Any) -> None:
    """Have something happen just before the next conditional write."""

    def interfere(operation: str, key: str) -> bool:
        if operation == "replace":
            store.down = lambda operation, key: False
            action()
        return False

    store.down = interfere


def test_soft_purge_gives_up_on_writes_without_end(
    operations: Operations, store: InMemoryStore, clock: FakeClock
) -> None:
    keep(store, make_entry())

    def interfere(operation: str, key: str) -> bool:
        if operation == "replace":
            clock.advance(seconds=1)
            store._write(KEY, encode(make_entry(built_at=clock())))
        return False

    store.down = interfere
    with pytest.raises(ConflictError):
        operations.purge(purge(soft=True))
    assert store.count("replace", KEY) == SOFT_PURGE_ATTEMPTS


def test_purge_with_s3_out_of_reach_fails(operations: Operations, store: InMemoryStore) -> None:
    keep(store, make_entry())
    store.down = lambda operation, key: operation == "put"
    with pytest.raises(StoreUnavailableError):
        operations.purge(purge())


def test_soft_purge_deletes_failure_records_before_it_marks(
    operations: Operations, store: InMemoryStore
) -> None:
    """A reader that sees the new mark with the old record would wait the old failure out."""
    keep(store, make_entry(built_at=NOW - timedelta(hours=1)))
    fail(store, PROGRAM_LISTS)
    recorded: list[bool] = []
    once_before_replace(
        store, lambda: recorded.append(failure_key(PREFIX, PROGRAM_LISTS) in store.objects)
    )
    operations.purge(purge(soft=True))
    assert recorded == [False]


# Refresh


def test_refresh_of_all_is_one_message(operations: Operations, queue: RecordingQueue) -> None:
    result = operations.refresh(Refresh(EVERYTHING, accept_shrink=False), 4, UTC_ZONE, "c-1")
    assert [json.loads(body) for body in queue.sent] == [
        {"dataset": "all", "reason": "refresh", "correlation_id": "c-1"}
    ]
    assert result == {
        "action": "refresh",
        "summary": "1 rebuild queued",
        "count": 1,
        "message_ids": ["id-1"],
        "queued": [{"dataset": "all", "message_id": "id-1"}],
        "correlation_id": "c-1",
    }


def test_refresh_of_balances_is_a_message_for_each_recent_period(
    operations: Operations, queue: RecordingQueue
) -> None:
    result = operations.refresh(
        Refresh(Selection("balances"), accept_shrink=False), 3, UTC_ZONE, "c-1"
    )
    assert [json.loads(body)["to"] for body in queue.sent] == [
        "2026-10-15",
        "2026-09-30",
        "2026-08-31",
    ]
    assert result["count"] == 3


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        pytest.param(Selection("programs"), {"dataset": "programs"}, id="programs"),
        pytest.param(
            Selection("balances", SEPTEMBER),
            {"dataset": "balances", "from": "2026-09-01", "to": "2026-09-30"},
            id="one period",
        ),
    ],
)
def test_refresh_of_one_dataset_is_one_message(
    operations: Operations, queue: RecordingQueue, selection: Selection, message: dict[str, str]
) -> None:
    operations.refresh(Refresh(selection, accept_shrink=False), 4, UTC_ZONE, "c-1")
    assert [json.loads(body) for body in queue.sent] == [
        {**message, "reason": "refresh", "correlation_id": "c-1"}
    ]


def test_refresh_passes_the_acceptance_of_a_shrunken_list_on(
    operations: Operations, queue: RecordingQueue
) -> None:
    command = Refresh(Selection("programs"), accept_shrink=True)
    operations.refresh(command, 4, UTC_ZONE, "c-1")
    assert json.loads(queue.sent[0])["accept_shrink"] is True


def test_refresh_twice_is_never_swallowed(operations: Operations, queue: RecordingQueue) -> None:
    for _ in range(2):
        operations.refresh(Refresh(EVERYTHING, accept_shrink=False), 4, UTC_ZONE, "c-1")
    assert len(queue.sent) == 2


def test_refresh_today_is_taken_in_the_time_zone(
    operations: Operations, queue: RecordingQueue, clock: FakeClock
) -> None:
    clock.now = datetime(2026, 10, 15, 3, tzinfo=UTC)
    command = Refresh(Selection("balances"), accept_shrink=False)
    operations.refresh(command, 1, ZoneInfo("America/New_York"), "c-1")
    assert json.loads(queue.sent[0])["to"] == "2026-10-14"


def test_refresh_keeps_the_entries(operations: Operations, store: InMemoryStore) -> None:
    keep(store, make_entry())
    operations.refresh(Refresh(EVERYTHING, accept_shrink=False), 4, UTC_ZONE, "c-1")
    assert stored(store) == make_entry()


def test_refresh_with_the_queue_out_of_reach_fails(
    operations: Operations, queue: RecordingQueue
) -> None:
    queue.is_down = True
    with pytest.raises(QueueUnavailableError):
        operations.refresh(Refresh(EVERYTHING, accept_shrink=False), 4, UTC_ZONE, "c-1")
