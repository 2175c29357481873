"""What an operator can do to the cache: purge entries, and have them rebuilt."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zoneinfo import ZoneInfo

from core.commands import Purge, Refresh, Selection
from core.datasets import (
    ALL,
    BALANCES,
    Dataset,
    balances_of,
    dataset_of_failure_key,
    dataset_of_key,
    entries_prefix,
    failures_prefix,
)
from core.entry import decode, encode
from core.errors import ConflictError, UnreadableEntryError
from core.messages import RebuildMessage
from core.periods import recent_periods
from core.ports import (
    OBJECTS_AT_ONCE,
    CacheStore,
    Clock,
    EdgeCache,
    RebuildQueue,
    StoredObject,
)

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

    def purge(self, command: Purge) -> dict[str, Any]:
        """Delete the selected entries, or mark them stale, and their failure records.

        Without the failure records the next read has the entry rebuilt at once. The edge cache
        forgets everything.
        """
        entries = dict(self._entries(command.selection))
        records = self._failure_keys(command.selection)
        invalidation = None
        if not command.dry_run:
            # First the records: a reader must not find the new state and wait an old failure out.
            self._store.delete(records)
            if command.soft:
                self._mark_all_stale(entries)
            else:
                self._store.delete(entries)
            invalidation = self._edge.invalidate()
        return {
            "action": "purge",
            "summary": _purged(len(entries), command),
            "soft": command.soft,
            "dry_run": command.dry_run,
            "count": len(entries),
            "keys": list(entries),
            "failure_records": len(records),
            "invalidation_id": invalidation,
        }

    def refresh(
        self, command: Refresh, balance_months: int, time_zone: ZoneInfo, correlation_id: str
    ) -> dict[str, Any]:
        """Queue rebuilds of the selection, each under a fresh deduplication id."""
        today = self._clock().astimezone(time_zone).date()
        wanted: list[Dataset | None]
        if command.selection.name == ALL:
            wanted = [None]
        elif command.selection.name == BALANCES and command.selection.one is None:
            wanted = [balances_of(period) for period in recent_periods(today, balance_months)]
        else:
            wanted = [command.selection.one]
        queued = [
            self._refresh_one(
                RebuildMessage(dataset, "refresh", command.accept_shrink, correlation_id)
            )
            for dataset in wanted
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
        name = message.dataset.as_json() if message.dataset else {"dataset": ALL}
        return {**name, "message_id": message_id}

    def _entries(self, selection: Selection) -> Iterator[tuple[str, Dataset]]:
        for summary in self._store.list(entries_prefix(self._prefix)):
            dataset = dataset_of_key(self._prefix, summary.key)
            if dataset is not None and selection.covers(dataset):
                yield summary.key, dataset

    def _failure_keys(self, selection: Selection) -> list[str]:
        keys = []
        for summary in self._store.list(failures_prefix(self._prefix)):
            dataset = dataset_of_failure_key(self._prefix, summary.key)
            if dataset and selection.covers(dataset):
                keys.append(summary.key)
        return keys

    def _mark_all_stale(self, entries: dict[str, Dataset]) -> None:
        with ThreadPoolExecutor(OBJECTS_AT_ONCE) as writers:
            for _ in writers.map(self._mark_stale, entries.values(), entries.keys()):
                pass

    def _mark_stale(self, dataset: Dataset, key: str) -> None:
        """Replace an entry by its stale self; whoever writes meanwhile is marked in turn.

        Raises ConflictError if that goes on without end. An entry that is unreadable counts as a
        miss already, and one that has vanished needs no mark.
        """
        for attempt in range(SOFT_PURGE_ATTEMPTS):
            stored = self._store.read(key)
            if not isinstance(stored, StoredObject):
                return
            try:
                entry = decode(stored.body, dataset).marked_stale(self._clock())
                self._store.replace(key, encode(entry), stored.etag)
            except UnreadableEntryError:
                return
            except ConflictError:
                if attempt == SOFT_PURGE_ATTEMPTS - 1:
                    raise
            else:
                return


def _purged(count: int, command: Purge) -> str:
    done = "marked stale" if command.soft else "deleted"
    entries = "1 entry" if count == 1 else f"{count} entries"
    return f"{entries} {'would be ' if command.dry_run else ''}{done}"
