"""The cache's entries and failure records, read from S3 as an operator can read them."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from core.errors import UnreadableEntryError
from core.model.datasets import Dataset, dataset_of_failure_key, dataset_of_key
from core.model.entry import Tombstone, decode
from core.model.failures import decode_failure
from local.control_room.doors import Doors


class CacheView:
    """Reads each object once per entity tag. For one thread."""

    def __init__(self, doors: Doors, now: Callable[[], datetime]) -> None:
        self._doors = doors
        self._now = now
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}

    def look(self) -> dict[str, Any]:
        """Every entry, and what has failed without there being an entry.

        Raises DoorClosedError.
        """
        entries: dict[Dataset, dict[str, Any]] = {}
        failures: dict[Dataset, dict[str, Any]] = {}
        prefix = self._doors.where.prefix
        listed = list(self._doors.objects())
        self._known = {key: self._known[key] for key, _ in listed if key in self._known}
        for key, etag in listed:
            if dataset := dataset_of_key(prefix, key):
                entries[dataset] = self._told(key, etag, partial(_entry, dataset))
            elif dataset := dataset_of_failure_key(prefix, key):
                failures[dataset] = self._told(key, etag, _failure)
        return {
            "entries": [
                self._entry(dataset, found, failures.pop(dataset, None))
                for dataset, found in sorted(entries.items(), key=_place, reverse=True)
                if found
            ],
            "missing": [
                {**_named(dataset), "last_error": found} for dataset, found in failures.items()
            ],
        }

    def _told(self, key: str, etag: str, read: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
        known_etag, told = self._known.get(key, (None, {}))
        if known_etag != etag:
            body = self._doors.content(key)
            told = {} if body is None else read(body)
            self._known[key] = (etag, told)
        return told

    def _entry(
        self, dataset: Dataset, found: dict[str, Any], failure: dict[str, Any] | None
    ) -> dict[str, Any]:
        state = "purged" if "purged_at" in found else "unreadable"
        if "fresh_until" in found:
            fresh_until = datetime.fromisoformat(found["fresh_until"])
            state = "fresh" if self._now() < fresh_until else "stale"
        return {**_named(dataset), **found, "state": state, "last_error": failure}


def _place(item: tuple[Dataset, Any]) -> tuple[bool, str]:
    """Orders entries from the oldest period to the newest; the programs come after them all."""
    dataset, _ = item
    return dataset.period is None, str(dataset)


def _entry(dataset: Dataset, body: bytes) -> dict[str, Any]:
    """Read an object; nothing of it is shown where there was never an entry."""
    try:
        entry = decode(body, dataset)
    except UnreadableEntryError as exc:
        return {"problem": str(exc), "size_bytes": len(body)}
    if isinstance(entry, Tombstone):
        if entry.purged_at is None:
            return {}
        return {"purged_at": entry.purged_at.isoformat(), "size_bytes": len(body)}
    return {
        "built_at": entry.built_at.isoformat(),
        "fresh_until": entry.fresh_until.isoformat(),
        "size_bytes": len(body),
    }


def _failure(body: bytes) -> dict[str, Any]:
    record = decode_failure(body)
    if record is None:
        return {}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _named(dataset: Dataset) -> dict[str, Any]:
    period = dataset.period
    return {
        "dataset": dataset.name,
        "from": period.start.isoformat() if period else None,
        "to": period.end.isoformat() if period else None,
    }
