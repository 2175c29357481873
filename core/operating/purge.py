"""Purge: put tombstones in the place of entries, or (soft) mark the entries stale."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from core.errors import ConflictError, UnreadableEntryError
from core.failure_records import FailureRecords
from core.model.datasets import Dataset, dataset_of_key, entries_prefix, entry_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.model.selection import Selection
from core.operating.commands import Purge
from core.ports import OBJECTS_AT_ONCE, CacheStore, Clock, EdgeCache, StoredObject
from core.settings import AdminSettings

SOFT_PURGE_ATTEMPTS = 5


class Purger:
    """Purges what a command selects. The result is a JSON value."""

    def __init__(
        self, *, store: CacheStore, edge: EdgeCache, clock: Clock, settings: AdminSettings
    ) -> None:
        self._store = store
        self._edge = edge
        self._clock = clock
        self._prefix = settings.cache_prefix
        self._failures = FailureRecords(store, settings.cache_prefix)

    def purge(self, command: Purge) -> dict[str, Any]:
        """Put tombstones over the selected objects, or (soft) mark the entries stale.

        1. Find every object of the selection, tombstones too, and every failure record.
        2. Delete the failure records, so that the next read asks for a rebuild at once.
        3. Put a tombstone in the place of each object, and where there is only a record. A soft
           purge keeps the entries and marks them stale.
        4. Let the edge cache forget everything.

        Raises StoreUnavailableError, EdgeUnavailableError, or ConflictError where the same entry is
        written again and again during a soft purge.
        """
        failing = [
            dataset for dataset in self._failures.datasets() if command.selection.covers(dataset)
        ]
        keys = {
            entry_key(self._prefix, dataset): dataset
            for dataset in [*self._stored(command.selection), *failing]
        }
        invalidation = None
        if not command.dry_run:
            # First the records: a reader that finds the new state must not wait out an old failure.
            self._failures.delete(*failing)
            self._for_all(self._mark_stale if command.soft else self._put_tombstone, keys)
            invalidation = self._edge.invalidate()
        return {
            "action": "purge",
            "summary": _purged(len(keys), command),
            "soft": command.soft,
            "dry_run": command.dry_run,
            "count": len(keys),
            "keys": sorted(keys),
            "failure_records": len(failing),
            "invalidation_id": invalidation,
        }

    def _stored(self, selection: Selection) -> Iterator[Dataset]:
        for summary in self._store.list(entries_prefix(self._prefix)):
            dataset = dataset_of_key(self._prefix, summary.key)
            if dataset is not None and selection.covers(dataset):
                yield dataset

    def _for_all(self, change: Callable[[str, Dataset], None], keys: Mapping[str, Dataset]) -> None:
        with ThreadPoolExecutor(OBJECTS_AT_ONCE) as writers:
            for _ in writers.map(change, keys.keys(), keys.values()):
                pass

    def _put_tombstone(self, key: str, dataset: Dataset) -> None:
        """Put a tombstone over whatever is there: S3 refuses the write of a rebuild under way."""
        self._store.put(key, encode_tombstone(Tombstone.new(dataset, self._clock())))

    def _mark_stale(self, key: str, dataset: Dataset) -> None:
        """Mark an entry stale; where another write comes first, what that one wrote."""
        for _ in range(SOFT_PURGE_ATTEMPTS - 1):
            with suppress(ConflictError):
                return self._try_to_mark_stale(key, dataset)
        return self._try_to_mark_stale(key, dataset)

    def _try_to_mark_stale(self, key: str, dataset: Dataset) -> None:
        """Replace an entry with the same one, stale from now on.

        What is not an entry gets a tombstone: its new id makes the next read a new miss.
        Raises ConflictError where another write came first.
        """
        if (stored := self._store.read(key)) and (entry := _readable(stored, dataset)):
            self._store.replace(key, encode(entry.marked_stale(self._clock())), stored.etag)
        else:
            self._put_tombstone(key, dataset)


def _readable(stored: StoredObject, dataset: Dataset) -> CacheEntry | None:
    try:
        decoded = decode(stored.body, dataset)
    except UnreadableEntryError:
        return None
    return decoded if isinstance(decoded, CacheEntry) else None


def _purged(count: int, command: Purge) -> str:
    done = "marked stale" if command.soft else "purged"
    entries = "1 entry" if count == 1 else f"{count} entries"
    return f"{entries} {'would be ' if command.dry_run else ''}{done}"
