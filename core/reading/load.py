"""Entries from S3; those that were decoded before are kept in memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.errors import UnreadableEntryError
from core.model.datasets import Dataset, balances_of, entry_key
from core.model.entry import CacheEntry, Tombstone, decode
from core.model.periods import Period
from core.ports import CacheReader, NotModified, StoredObject, Telemetry

ENTRIES_IN_MEMORY = 16
VIEWS_PER_ENTRY = 64
# A view is about as long as its entry. Of a very large one, 64 would not fit into a Lambda.
VIEWS_BYTES_PER_ENTRY = 64 * 1024 * 1024
DAYS_BACK = 7
"""How old the newest entry of a month may be, to stand in for today's."""


@dataclass(slots=True)
class LoadedEntry:
    """An entry in memory, with what was rendered from it. Served only after S3 confirmed it."""

    entry: CacheEntry
    s3_etag: str
    size_bytes: int = 0
    views: OrderedDict[object, object] = field(default_factory=OrderedDict)

    def view[T](self, key: object, render: Callable[[], T]) -> T:
        """Return what was rendered under the key before, or render and keep it."""
        if key not in self.views:
            self.views[key] = render()
            if len(self.views) > self._most_views():
                self.views.popitem(last=False)
        return self.views[key]  # type: ignore[return-value]

    def _most_views(self) -> int:
        fitting = VIEWS_BYTES_PER_ENTRY // max(self.size_bytes, 1)
        return max(1, min(fitting, VIEWS_PER_ENTRY))


@dataclass(frozen=True, slots=True)
class Missing:
    """No readable entry; `generation` tells this absence from an earlier or later one."""

    generation: str | None = None
    entry: None = None


class EntryLoader:
    """The entries of the cache. A decoded entry is kept, and used while S3 says it is unchanged."""

    def __init__(self, store: CacheReader, telemetry: Telemetry, cache_prefix: str) -> None:
        self._store = store
        self._telemetry = telemetry
        self._prefix = cache_prefix
        self._loaded: OrderedDict[Dataset, LoadedEntry] = OrderedDict()
        self._unreadable: dict[Dataset, str] = {}

    def load(self, dataset: Dataset) -> LoadedEntry | Missing:
        """Return what S3 holds now, in one request. Raises StoreUnavailableError."""
        key = entry_key(self._prefix, dataset)
        known = self._loaded.get(dataset)
        if known is None:
            return self._decoded(dataset, self._store.read(key))
        stored = self._store.read_if_changed(key, known.s3_etag)
        if isinstance(stored, NotModified):
            self._loaded.move_to_end(dataset)
            return known
        del self._loaded[dataset]
        return self._decoded(dataset, stored)

    def _decoded(self, dataset: Dataset, stored: StoredObject | None) -> LoadedEntry | Missing:
        if stored is None:
            return Missing()
        try:
            found = decode(stored.body, dataset)
        except UnreadableEntryError as exc:
            self._tell_unreadable(dataset, stored.etag, exc)
            return Missing(f"unreadable {stored.etag}")
        if isinstance(found, Tombstone):
            return Missing(found.id if found.purged_at else None)
        return self._remember(LoadedEntry(found, stored.etag, len(stored.body)))

    def _tell_unreadable(self, dataset: Dataset, etag: str, exc: UnreadableEntryError) -> None:
        """Log it once, not at every look while it is being replaced."""
        if self._unreadable.get(dataset) != etag:
            self._unreadable[dataset] = etag
            key = entry_key(self._prefix, dataset)
            self._telemetry.warning("entry unreadable", key=key, problem=str(exc))

    def _remember(self, loaded: LoadedEntry) -> LoadedEntry:
        self._loaded[loaded.entry.dataset] = loaded
        if len(self._loaded) > ENTRIES_IN_MEMORY:
            self._loaded.popitem(last=False)
        return loaded


def earlier_days(period: Period | None) -> Iterator[Dataset]:
    """Yield the balances up to each earlier day of the same month, newest first, a week back.

    There is none up to the 1st: on that day a report covers the month before.
    """
    if period is not None:
        last = period.end.day
        for day in range(last - 1, max(1, last - 1 - DAYS_BACK), -1):
            yield balances_of(Period(period.start, period.end.replace(day=day)))
