"""The entries of the cache as the worker sees them: looked at first, replaced at the end.

Between the two lies the fetch. The ETag that was seen before it decides whether the new entry may
be written: a purge or another write in between wins.
"""

from core.errors import MipsCacheError, UnreadableEntryError
from core.failure_records import FailureRecords
from core.model.datasets import Dataset, entry_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.ports import CacheStore, Telemetry
from core.rebuilding.requests import Stored
from core.settings import WorkerSettings


class Entries:
    """Reads and replaces entries; a new entry also ends the failure record of its dataset."""

    def __init__(self, store: CacheStore, telemetry: Telemetry, settings: WorkerSettings) -> None:
        self._store = store
        self._telemetry = telemetry
        self._prefix = settings.cache_prefix
        self._failures = FailureRecords(store, settings.cache_prefix)

    def read(self, dataset: Dataset) -> Stored:
        """Return what is stored of a dataset, or what kept it from being seen."""
        key = entry_key(self._prefix, dataset)
        try:
            stored = self._store.read(key)
        except MipsCacheError as exc:
            return Stored(error=exc)
        if stored is None:
            return Stored()
        try:
            decoded = decode(stored.body, dataset)
        except UnreadableEntryError as exc:
            self._telemetry.warning("entry unreadable", key=key, problem=str(exc))
            return Stored(stored.etag)
        return Stored(stored.etag, decoded if isinstance(decoded, CacheEntry) else None)

    def replaceable_etag(self, dataset: Dataset, stored: Stored) -> str:
        """Return the ETag of the object that a new entry may replace.

        Where there is no object, a tombstone is put. So a purge also wins over the first rebuild:
        it replaces this tombstone with its own. Raises ConflictError where an object has appeared,
        and StoreUnavailableError.
        """
        if stored.error is not None:
            raise stored.error
        if stored.etag is not None:
            return stored.etag
        tombstone = encode_tombstone(Tombstone.new(dataset))
        return self._store.create(entry_key(self._prefix, dataset), tombstone)

    def replace(self, entry: CacheEntry, etag: str) -> None:
        """Write an entry over the object with this ETag, and delete the failure record.

        Raises ConflictError where the object has changed, and StoreUnavailableError.
        """
        self._store.replace(entry_key(self._prefix, entry.dataset), encode(entry), etag)
        self._delete_failure(entry, only_older=False)

    def delete_outdated_failure(self, entry: CacheEntry) -> None:
        """Delete the failure record of an entry if the entry was built after the failure.

        There can be one: a write whose answer was lost counts as a conflict, so it deletes no
        record. The message comes back, and finds the entry and the record of an earlier failure.
        """
        self._delete_failure(entry, only_older=True)

    def _delete_failure(self, entry: CacheEntry, *, only_older: bool) -> None:
        try:
            record = self._failures.read(entry.dataset)
            if record and (not only_older or record.last_failed_at <= entry.built_at):
                self._failures.delete(entry.dataset)
        except MipsCacheError as exc:
            # The entry is good; a record that stays only delays a later rebuild.
            self._telemetry.warning(
                "failure record left", dataset=str(entry.dataset), problem=str(exc)
            )
