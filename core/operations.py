"""What an operator can see and steer of the cache itself: status, purge, refresh."""

import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
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
from core.failures import FailureRecord, decode_failure
from core.freshness import freshness_at
from core.messages import RebuildMessage
from core.periods import recent_periods
from core.ports import (
    CacheStore,
    Clock,
    DeadLetterQueue,
    EdgeCache,
    ObjectSummary,
    RebuildQueue,
    SessionNote,
    StoredObject,
)

SOFT_PURGE_ATTEMPTS = 5


class Operations:
    """Status, purge and refresh. Results are JSON values."""

    def __init__(
        self,
        *,
        store: CacheStore,
        queue: RebuildQueue,
        dead_letters: DeadLetterQueue,
        session: SessionNote,
        edge: EdgeCache,
        clock: Clock,
        cache_prefix: str,
    ) -> None:
        self._store = store
        self._queue = queue
        self._dead_letters = dead_letters
        self._session = session
        self._edge = edge
        self._clock = clock
        self._prefix = cache_prefix

    def status(self) -> dict[str, Any]:
        """Tell of every entry, of entries that cannot be built, of both queues and the session."""
        failures = self._failures()
        entries = [
            self._entry_status(dataset, summary, failures.pop(dataset, None))
            for dataset, summary in self._entries()
        ]
        depth = self._queue.depth()
        letters = self._dead_letters.depth()
        return {
            "entries": entries,
            "missing": [
                {**_named(dataset), "last_error": _failure_json(record)}
                for dataset, record in failures.items()
            ],
            "queue": asdict(depth),
            "dead_letters": letters.visible + letters.in_flight,
            "session_open": self._session.is_session_open(),
        }

    def purge(self, command: Purge) -> dict[str, Any]:
        """Delete the selected entries, or mark them stale, and their failure records.

        Without the failure records the next read has the entry rebuilt at once. The edge cache
        forgets everything.
        """
        selected = [
            (dataset, summary.key)
            for dataset, summary in self._entries()
            if command.selection.covers(dataset)
        ]
        keys = [key for _, key in selected]
        invalidation = None
        if not command.dry_run:
            # First the records: a reader must not find the new state and wait an old failure out.
            self._store.delete(self._failure_keys(command.selection))
            if command.soft:
                for dataset, key in selected:
                    self._mark_stale(dataset, key)
            else:
                self._store.delete(keys)
            invalidation = self._edge.invalidate()
        return {
            "action": "purge",
            "soft": command.soft,
            "dry_run": command.dry_run,
            "count": len(keys),
            "keys": keys,
            "invalidation_id": invalidation,
        }

    def refresh(self, command: Refresh, balance_months: int, time_zone: ZoneInfo) -> dict[str, Any]:
        """Queue rebuilds of the selection, each under a fresh deduplication id."""
        today = self._clock().astimezone(time_zone).date()
        wanted: list[Dataset | None]
        if command.selection.name == ALL:
            wanted = [None]
        elif command.selection.name == BALANCES and command.selection.one is None:
            wanted = [balances_of(period) for period in recent_periods(today, balance_months)]
        else:
            wanted = [command.selection.one]
        queued = [self._refresh_one(dataset, command.accept_shrink) for dataset in wanted]
        return {
            "action": "refresh",
            "count": len(queued),
            "message_ids": [item["message_id"] for item in queued],
            "queued": queued,
        }

    def _refresh_one(self, dataset: Dataset | None, accept_shrink: bool) -> dict[str, Any]:  # noqa: FBT001
        message = RebuildMessage(dataset, reason="refresh", accept_shrink=accept_shrink)
        message_id = self._queue.send(message, f"refresh-{uuid.uuid4()}")
        return {**(_named(dataset) if dataset else {"dataset": ALL}), "message_id": message_id}

    def _entries(self) -> Iterator[tuple[Dataset, ObjectSummary]]:
        for summary in self._store.list(entries_prefix(self._prefix)):
            dataset = dataset_of_key(self._prefix, summary.key)
            if dataset is not None:
                yield dataset, summary

    def _failures(self) -> dict[Dataset, FailureRecord]:
        failures = {}
        for summary in self._store.list(failures_prefix(self._prefix)):
            dataset = dataset_of_failure_key(self._prefix, summary.key)
            stored = self._store.read(summary.key) if dataset else None
            if dataset and isinstance(stored, StoredObject):
                record = decode_failure(stored.body)
                if record:
                    failures[dataset] = record
        return failures

    def _failure_keys(self, selection: Selection) -> list[str]:
        keys = []
        for summary in self._store.list(failures_prefix(self._prefix)):
            dataset = dataset_of_failure_key(self._prefix, summary.key)
            if dataset and selection.covers(dataset):
                keys.append(summary.key)
        return keys

    def _entry_status(
        self, dataset: Dataset, summary: ObjectSummary, failure: FailureRecord | None
    ) -> dict[str, Any]:
        return {
            **_named(dataset),
            "key": summary.key,
            **self._freshness(dataset, summary.key),
            "size_bytes": summary.size_bytes,
            "last_error": _failure_json(failure) if failure else None,
        }

    def _freshness(self, dataset: Dataset, key: str) -> dict[str, Any]:
        unreadable = {"state": "unreadable", "age_seconds": None, "fresh_until": None}
        stored = self._store.read(key)
        if not isinstance(stored, StoredObject):
            return unreadable
        try:
            entry = decode(stored.body, dataset)
        except UnreadableEntryError:
            return unreadable
        freshness = freshness_at(self._clock(), entry)
        return {
            "state": "fresh" if freshness.is_fresh else "stale",
            "age_seconds": freshness.age_seconds,
            "fresh_until": entry.fresh_until.isoformat(),
        }

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


def _named(dataset: Dataset) -> dict[str, str]:
    if dataset.period is None:
        return {"dataset": dataset.name}
    return {
        "dataset": dataset.name,
        "from": dataset.period.start.isoformat(),
        "to": dataset.period.end.isoformat(),
    }


def _failure_json(record: FailureRecord) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }
