"""What an operator can see: every entry, what fails, what is queued, whether MIP is logged in."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.errors import UnreadableEntryError
from core.failure_records import FailureRecords
from core.model.datasets import Dataset, dataset_of_key, entries_prefix, entry_key
from core.model.entry import Tombstone, decode
from core.model.failures import FailureRecord
from core.model.freshness import freshness_at
from core.ports import (
    OBJECTS_AT_ONCE,
    CacheStore,
    Clock,
    DeadLetterQueue,
    ObjectSummary,
    RebuildQueue,
    SessionNote,
)
from core.settings import AdminSettings

_Json = dict[str, Any]


class StatusReport:
    """Looks at everything and changes nothing. The report is a JSON value."""

    def __init__(
        self,
        *,
        store: CacheStore,
        queue: RebuildQueue,
        dead_letters: DeadLetterQueue,
        session: SessionNote,
        clock: Clock,
        settings: AdminSettings,
    ) -> None:
        self._store = store
        self._queue = queue
        self._dead_letters = dead_letters
        self._session = session
        self._clock = clock
        self._prefix = settings.cache_prefix
        self._records = FailureRecords(store, settings.cache_prefix)

    def write(self) -> _Json:
        """Report on every entry, on entries that cannot be built, on both queues and the session.

        Raises StoreUnavailableError, QueueUnavailableError or SecretsUnavailableError.
        """
        failures = self._failures()
        entries = self._entries(failures)
        listed = {entry["key"] for entry in entries}
        letters = self._dead_letters.depth()
        report: _Json = {
            "entries": entries,
            "missing": [
                {**dataset.as_json(), "last_error": _failure_json(record)}
                for dataset, record in failures.items()
                if entry_key(self._prefix, dataset) not in listed
            ],
            "queue": asdict(self._queue.depth()),
            "dead_letters": letters.visible + letters.in_flight,
            "session_open": self._session.is_session_open(),
        }
        return {"action": "status", "summary": _summary(report), **report}

    def _entries(self, failures: Mapping[Dataset, FailureRecord]) -> list[_Json]:
        found = [
            (dataset, summary)
            for summary in self._store.list(entries_prefix(self._prefix))
            if (dataset := dataset_of_key(self._prefix, summary.key)) is not None
        ]

        def describe(item: tuple[Dataset, ObjectSummary]) -> _Json | None:
            dataset, summary = item
            return self._entry(dataset, summary, failures.get(dataset))

        with ThreadPoolExecutor(OBJECTS_AT_ONCE) as readers:
            return [entry for entry in readers.map(describe, found) if entry is not None]

    def _entry(
        self, dataset: Dataset, summary: ObjectSummary, failure: FailureRecord | None
    ) -> _Json | None:
        """Describe an entry; None if it has vanished since it was listed, or was never built."""
        stored = self._store.read(summary.key)
        state = self._state(dataset, stored.body) if stored else None
        if state is None:
            return None
        return {
            **dataset.as_json(),
            "key": summary.key,
            **state,
            "size_bytes": summary.size_bytes,
            "last_error": _failure_json(failure) if failure else None,
        }

    def _state(self, dataset: Dataset, body: bytes) -> _Json | None:
        try:
            decoded = decode(body, dataset)
        except UnreadableEntryError:
            return {"state": "unreadable", "age_seconds": None, "fresh_until": None}
        if isinstance(decoded, Tombstone):
            purged = {"state": "purged", "age_seconds": None, "fresh_until": None}
            return purged if decoded.purged_at else None
        freshness = freshness_at(self._clock(), decoded)
        return {
            "state": "fresh" if freshness.is_fresh else "stale",
            "age_seconds": freshness.age_seconds,
            "fresh_until": decoded.fresh_until.isoformat(),
        }

    def _failures(self) -> dict[Dataset, FailureRecord]:
        return {
            dataset: record
            for dataset in self._records.datasets()
            if (record := self._records.read(dataset)) is not None
        }


def _summary(report: _Json) -> str:
    """Say in one line what an operator looks for first."""
    states = [entry["state"] for entry in report["entries"]]
    failing = sum(entry["last_error"] is not None for entry in report["entries"])
    parts = [
        f"{_many(len(states), 'entry', 'entries')}{_by_state(states)}",
        f"{failing + len(report['missing'])} failing",
        f"{_many(sum(report['queue'].values()), 'message', 'messages')} queued",
        _many(report["dead_letters"], "dead letter", "dead letters"),
        f"MIP session {'open' if report['session_open'] else 'closed'}",
    ]
    return "; ".join(parts)


def _by_state(states: Sequence[str]) -> str:
    counted = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("fresh", "stale", "purged", "unreadable")
        if state in states
    )
    return f" ({counted})" if counted else ""


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _failure_json(record: FailureRecord) -> _Json:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }
