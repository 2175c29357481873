"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from core.errors import QueueUnavailableError, StoreUnavailableError, UnreadableEntryError
from core.failure_records import FailureRecords
from core.model.datasets import Dataset, entry_key
from core.model.entry import CacheEntry, Tombstone, decode
from core.model.failures import FailureRecord
from core.model.freshness import Freshness, freshness_at
from core.model.messages import RebuildMessage, deduplication_id
from core.model.selection import Selection
from core.ports import CacheStore, Clock, NotModified, RebuildQueue, Telemetry
from core.timing import Deadline

ENTRIES_IN_MEMORY = 16
VIEWS_PER_ENTRY = 64
# A view is about as long as its entry. Of a very large one, 64 would not fit into a Lambda.
VIEWS_BYTES_PER_ENTRY = 64 * 1024 * 1024
FIRST_POLL_SECONDS = 0.15
LONGEST_POLL_SECONDS = 1.0
RETRY_AFTER_MISS_SECONDS = 10
# A stale hit looks for a failure record at most this often; in between it costs what a hit costs.
RECHECK_STALE = timedelta(seconds=5)
# Nothing is asked for twice, unless neither an entry nor a failure has come of it in all that time.
ASK_AGAIN = timedelta(minutes=15)


class Outcome(Enum):
    """How an entry was found."""

    HIT = "hit"
    STALE = "stale"
    BUILT = "built while waiting"


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
class Found:
    """An entry that can be served."""

    loaded: LoadedEntry
    outcome: Outcome
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry can be served yet. `detail` is the token for `Cache-Status` (RFC 9211)."""

    retry_after_seconds: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Missing:
    """No readable entry; `generation` tells this absence from an earlier or later one."""

    generation: str | None


class Lookup:
    """Finds entries, and remembers for its reader process what it has loaded and asked for."""

    def __init__(
        self,
        *,
        store: CacheStore,
        queue: RebuildQueue,
        telemetry: Telemetry,
        clock: Clock,
        sleep: Callable[[float], None],
        cache_prefix: str,
    ) -> None:
        self._store = store
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._prefix = cache_prefix
        self._failures = FailureRecords(store, cache_prefix)
        self._loaded: OrderedDict[Dataset, LoadedEntry] = OrderedDict()
        self._unreadable: dict[Dataset, str] = {}
        self._asked: dict[Dataset, tuple[str, datetime]] = {}
        # By ETag: an entry itself would stay in memory for as long as it is stale.
        self._stale_checked_until: dict[Dataset, tuple[str, datetime]] = {}

    def find(self, dataset: Dataset, deadline: Deadline, correlation_id: str) -> Found | NotFound:
        """Find the entry of a dataset.

        1. Ask S3 for the object; what is in memory counts only if S3 says that it is unchanged.
        2. Fresh: done.
        3. Stale: queue a rebuild unless one was queued or a failure is being waited out; done,
           even if the queue is out of reach.
        4. Missing or unreadable: if a failure is being waited out, say until when. Otherwise
           queue a rebuild and poll S3 until the entry is there, the rebuild has failed, or the
           deadline has passed.

        Raises StoreUnavailableError when S3 fails, QueueUnavailableError when a rebuild of a
        missing entry cannot be queued.
        """
        seen = self._read(dataset)
        if isinstance(seen, _Missing):
            return self._after_miss(dataset, deadline, correlation_id)
        freshness = freshness_at(self._clock(), seen.entry)
        if freshness.is_fresh:
            return Found(seen, Outcome.HIT, freshness)
        self._rebuild_stale(dataset, seen, correlation_id)
        return Found(seen, Outcome.STALE, freshness)

    def _read(self, dataset: Dataset) -> LoadedEntry | _Missing:
        known = self._loaded.get(dataset)
        key = entry_key(self._prefix, dataset)
        stored = self._store.read_if_changed(key, known.s3_etag) if known else self._store.read(key)
        if isinstance(stored, NotModified) and known:
            self._loaded.move_to_end(dataset)
            return known
        self._loaded.pop(dataset, None)
        if stored is None or isinstance(stored, NotModified):
            return _Missing(None)
        try:
            decoded = decode(stored.body, dataset)
        except UnreadableEntryError as exc:
            # Told once, not at every look while it is being replaced.
            if self._unreadable.get(dataset) != stored.etag:
                self._unreadable[dataset] = stored.etag
                self._telemetry.warning("entry unreadable", key=key, problem=str(exc))
            return _Missing(f"unreadable {stored.etag}")
        if isinstance(decoded, Tombstone):
            return _Missing(decoded.id if decoded.purged_at else None)
        loaded = LoadedEntry(decoded, stored.etag, len(stored.body))
        self._remember(dataset, loaded)
        return loaded

    def _read_again(self, dataset: Dataset) -> LoadedEntry | _Missing:
        """Look once more, just before asking for a rebuild.

        Another reader may have asked, and been answered, while this one was busy, first of all
        with making its queue client; a message sent now would be newer than that answer.
        """
        self._queue.connect()
        return self._read(dataset)

    def _remember(self, dataset: Dataset, loaded: LoadedEntry) -> None:
        self._loaded[dataset] = loaded
        # Whatever was asked for has been answered: should the entry vanish, that is a new miss,
        # even if S3 does not tell it from the one before.
        self._asked.pop(dataset, None)
        if len(self._loaded) > ENTRIES_IN_MEMORY:
            self._loaded.popitem(last=False)

    def _rebuild_stale(self, dataset: Dataset, seen: LoadedEntry, correlation_id: str) -> None:
        now = self._clock()
        checked, until = self._stale_checked_until.get(dataset, ("", now))
        if checked == seen.s3_etag and now < until:
            return
        try:
            failure = self._failures.read(dataset)
            if failure and failure.next_attempt_at > now:
                self._stale_checked_until[dataset] = (seen.s3_etag, failure.next_attempt_at)
                return
            if self._read_again(dataset) is not seen:
                return
            self._send(dataset, "stale", _stale_id(dataset, seen.entry, failure), correlation_id)
            self._stale_checked_until[dataset] = (seen.s3_etag, now + RECHECK_STALE)
        except (QueueUnavailableError, StoreUnavailableError) as exc:
            # Stale data is worth more than an error; the next reader tries to queue again.
            self._telemetry.warning("rebuild not queued", dataset=str(dataset), problem=str(exc))

    def _after_miss(
        self, dataset: Dataset, deadline: Deadline, correlation_id: str
    ) -> Found | NotFound:
        now = self._clock()
        failure = self._failures.read(dataset)
        if failure and failure.next_attempt_at > now:
            return _paused(failure, now)
        seen = self._read_again(dataset)
        if isinstance(seen, LoadedEntry):
            return Found(seen, Outcome.BUILT, freshness_at(self._clock(), seen.entry))
        self._send(dataset, "miss", _miss_id(dataset, seen, failure, now), correlation_id)
        return self._wait(dataset, deadline, now)

    def _wait(self, dataset: Dataset, deadline: Deadline, asked_at: datetime) -> Found | NotFound:
        pause = FIRST_POLL_SECONDS
        while (remaining := deadline.remaining()) > 0:
            self._sleep(min(pause, remaining))
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
            seen = self._read(dataset)
            now = self._clock()
            if isinstance(seen, LoadedEntry):
                return Found(seen, Outcome.BUILT, freshness_at(now, seen.entry))
            if deadline.remaining() <= 0:
                break  # a second request to a slow S3 could pass API Gateway's 29 s
            failure = self._failures.read(dataset)
            if failure and failure.last_failed_at >= asked_at and failure.next_attempt_at > now:
                return _paused(failure, now)
        return NotFound(RETRY_AFTER_MISS_SECONDS, "rebuild-queued")

    def _send(self, dataset: Dataset, reason: str, dedup_id: str, correlation_id: str) -> None:
        now = self._clock()
        asked, asked_at = self._asked.get(dataset, ("", now))
        if asked == dedup_id and now < asked_at + ASK_AGAIN:
            return
        message = RebuildMessage(
            Selection.of(dataset), reason=reason, correlation_id=correlation_id
        )
        message_id = self._queue.send(message, dedup_id)
        self._asked[dataset] = (dedup_id, now)
        self._telemetry.info(
            "rebuild queued", dataset=str(dataset), reason=reason, message_id=message_id
        )


def _stale_id(dataset: Dataset, entry: CacheEntry, failure: FailureRecord | None) -> str:
    failed = failure.dead_letterings if failure else None
    return deduplication_id(dataset, "stale", entry.built_at, entry.fresh_until, failed)


def _miss_id(
    dataset: Dataset, missing: _Missing, failure: FailureRecord | None, now: datetime
) -> str:
    """Name a miss by its generation and the minute; once a rebuild failed, by the failure.

    The minute lets a miss be asked for again although SQS may still remember the id; while a
    rebuild is failing it would only add a message a minute to those that are being retried.
    """
    if failure is not None:
        first, failed = failure.first_failed_at, failure.dead_letterings
        return deduplication_id(dataset, "miss", missing.generation, first, failed)
    minute = now.replace(second=0, microsecond=0)
    return deduplication_id(dataset, "miss", missing.generation, minute)


def _paused(failure: FailureRecord, now: datetime) -> NotFound:
    wait = (failure.next_attempt_at - now).total_seconds()
    detail = "rebuild-failed" if failure.dead_lettered else "rebuild-queued"
    return NotFound(max(1, int(wait) + 1), detail)
