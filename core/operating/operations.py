"""What an operator can do to the cache: purge entries, and have them rebuilt."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import ConflictError, UnreadableEntryError
from core.failure_records import FailureRecords
from core.model.datasets import ALL, Dataset, dataset_of_key, entries_prefix, entry_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.model.messages import RebuildMessage
from core.model.selection import Selection
from core.operating.commands import Purge, Refresh
from core.ports import OBJECTS_AT_ONCE, CacheStore, Clock, EdgeCache, RebuildQueue, StoredObject

SOFT_PURGE_ATTEMPTS = 5


class Operations:
    """Purge and refresh. Results are JSON values."""

    def __init__(
        self,
        *,
        store: CacheStore,
        queue: RebuildQueue,
        edge: EdgeCache,
        clock: Clock,
        cache_prefix: str,
    ) -> None:
        self._store = store
        self._queue = queue
        self._edge = edge
        self._clock = clock
        self._prefix = cache_prefix
        self._failures = FailureRecords(store, cache_prefix)

    def purge(self, command: Purge) -> dict[str, Any]:
        """Put tombstones over the selected objects, or (soft) mark the entries stale.

        1. Find every object of the selection, tombstones too, and every failure record.
        2. Delete the failure records, so that the next read asks for a rebuild at once.
        3. Put a tombstone in the place of each object, and where there is only a record. A soft
           purge keeps the entries and marks them stale.
        4. Let the edge cache forget everything.

        Raises StoreUnavailableError, EdgeUnavailableError, or ConflictError where others write the
        same entry again and again during a soft purge.
        """
        failing = [d for d in self._failures.datasets() if command.selection.covers(d)]
        keys = {
            entry_key(self._prefix, dataset): dataset
            for dataset in [*self._stored(command.selection), *failing]
        }
        invalidation = None
        if not command.dry_run:
            # First the records: a reader must not find the new state and wait an old failure out.
            self._failures.delete(*failing)
            self._for_each(self._mark_stale if command.soft else self._bury, keys)
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

    def refresh(
        self, command: Refresh, balance_months: int, time_zone: ZoneInfo, correlation_id: str
    ) -> dict[str, Any]:
        """Queue rebuilds of the selection, each under a fresh deduplication id."""
        today = self._clock().astimezone(time_zone).date()
        # A message names one dataset, or all of them.
        datasets = command.selection.datasets(today, balance_months)
        is_all = command.selection.name == ALL
        wanted = [command.selection] if is_all else [Selection.of(dataset) for dataset in datasets]
        queued = [
            self._refresh_one(
                RebuildMessage(selection, "refresh", command.accept_shrink, correlation_id)
            )
            for selection in wanted
        ]
        return {
            "action": "refresh",
            "summary": f"{len(queued)} rebuild{'s' * (len(queued) != 1)} queued",
            "count": len(queued),
            "message_ids": [item["message_id"] for item in queued],
            "queued": queued,
            "correlation_id": correlation_id,
        }

    def _refresh_one(self, message: RebuildMessage) -> dict[str, Any]:
        message_id = self._queue.send(message, f"refresh-{uuid.uuid4()}")
        return {**message.selection.as_json(), "message_id": message_id}

    def _stored(self, selection: Selection) -> Iterator[Dataset]:
        for summary in self._store.list(entries_prefix(self._prefix)):
            dataset = dataset_of_key(self._prefix, summary.key)
            if dataset is not None and selection.covers(dataset):
                yield dataset

    def _for_each(
        self, change: Callable[[str, Dataset], None], keys: Mapping[str, Dataset]
    ) -> None:
        with ThreadPoolExecutor(OBJECTS_AT_ONCE) as writers:
            for _ in writers.map(change, keys.keys(), keys.values()):
                pass

    def _bury(self, key: str, dataset: Dataset) -> None:
        """Put a tombstone, whatever is there: a rebuild under way is refused by its id."""
        self._store.put(key, encode_tombstone(Tombstone.new(dataset, self._clock())))

    def _mark_stale(self, key: str, dataset: Dataset) -> None:
        """Replace an entry by its stale self; whoever writes meanwhile is marked in turn.

        What is no entry is purged: a tombstone with a new id makes the next read a new miss.
        """
        for attempt in range(SOFT_PURGE_ATTEMPTS):
            stored = self._store.read(key)
            entry = _readable(stored, dataset)
            if stored is None or entry is None:
                return self._bury(key, dataset)
            try:
                stale = entry.marked_stale(self._clock())
                self._store.replace(key, encode(stale), stored.etag)
            except ConflictError:
                if attempt == SOFT_PURGE_ATTEMPTS - 1:
                    raise
            else:
                return None
        return None


def _readable(stored: StoredObject | None, dataset: Dataset) -> CacheEntry | None:
    try:
        decoded = decode(stored.body, dataset) if stored else None
    except UnreadableEntryError:
        return None
    return decoded if isinstance(decoded, CacheEntry) else None


def _purged(count: int, command: Purge) -> str:
    done = "marked stale" if command.soft else "purged"
    entries = "1 entry" if count == 1 else f"{count} entries"
    return f"{entries} {'would be ' if command.dry_run else ''}{done}"
