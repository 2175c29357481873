"""Asking for rebuilds, with the memory of one reader process: nothing is asked for twice."""

from datetime import datetime, timedelta

from core.errors import QueueUnavailableError
from core.failure_records import read_failure
from core.model.datasets import Dataset
from core.model.failures import FailureRecord
from core.model.messages import RebuildMessage, deduplication_id
from core.model.selection import Selection
from core.ports import CacheReader, Clock, RebuildSender, Telemetry
from core.reading.decide import is_waited_out
from core.reading.load import LoadedEntry, Missing

# A stale hit looks for a failure record at most this often; in between it costs what a hit costs.
RECHECK_STALE = timedelta(seconds=5)
# Nothing is asked for twice, unless neither an entry nor a failure has come of it in all that time.
ASK_AGAIN = timedelta(minutes=15)
QUEUE_PAUSE = timedelta(seconds=30)
"""How long nothing is sent to a queue that could not be reached: each try can take seconds."""


class KnownFailures:
    """The failure records of entries that are stale or missing."""

    def __init__(self, store: CacheReader, clock: Clock, cache_prefix: str) -> None:
        self._store = store
        self._prefix = cache_prefix
        self._clock = clock
        # By ETag: an entry itself would stay in memory for as long as it is stale.
        self._known: dict[Dataset, tuple[str, FailureRecord | None, datetime]] = {}

    def read(self, dataset: Dataset) -> FailureRecord | None:
        """Read the record. Raises StoreUnavailableError."""
        return read_failure(self._store, self._prefix, dataset)

    def of_stale(self, dataset: Dataset, etag: str) -> FailureRecord | None:
        """Return the record beside a stale entry; one that is waited out is read only once.

        A soft purge, which ends the waiting, changes the entry's ETag.
        Raises StoreUnavailableError.
        """
        now = self._clock()
        seen, failure, until = self._known.get(dataset, ("", None, now))
        if seen != etag or now >= until:
            failure = self.read(dataset)
            waited_out = failure is not None and is_waited_out(failure, now)
            until = failure.next_attempt_at if failure and waited_out else now + RECHECK_STALE
            self._known[dataset] = (etag, failure, until)
        return failure


class RebuildRequests:
    """What this process has asked for, and whether the queue can be reached."""

    def __init__(self, queue: RebuildSender, telemetry: Telemetry, clock: Clock) -> None:
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock
        self._asked: dict[Dataset, tuple[str, datetime]] = {}
        self._paused_until: datetime | None = None

    def is_paused(self) -> bool:
        """Tell whether the queue was out of reach a moment ago."""
        return self._paused_until is not None and self._clock() < self._paused_until

    def answered(self, dataset: Dataset) -> None:
        """Forget what was asked, because there is a new entry. If it vanishes, that is a new miss,
        although S3 may show the same as at the miss before: an object can be deleted by hand.
        """
        self._asked.pop(dataset, None)

    def ask(
        self,
        dataset: Dataset,
        seen: LoadedEntry | Missing,
        failure: FailureRecord | None,
        correlation_id: str,
    ) -> bool:
        """Ask for a rebuild unless it was asked for before; False if it could not be queued."""
        now = self._clock()
        rebuild_id = rebuild_id_for(dataset, seen, failure, now)
        asked, asked_at = self._asked.get(dataset, ("", now))
        if asked == rebuild_id and now < asked_at + ASK_AGAIN:
            return True
        reason = "miss" if isinstance(seen, Missing) else "stale"
        try:
            message = RebuildMessage(
                Selection.of(dataset), reason=reason, correlation_id=correlation_id
            )
            message_id = self._queue.send(message, rebuild_id)
        except QueueUnavailableError as exc:
            self._paused_until = self._clock() + QUEUE_PAUSE
            self._telemetry.warning("rebuild not queued", dataset=str(dataset), problem=str(exc))
            return False
        self._asked[dataset] = (rebuild_id, now)
        self._telemetry.info(
            "rebuild queued", dataset=str(dataset), reason=reason, message_id=message_id
        )
        return True


def rebuild_id_for(
    dataset: Dataset,
    seen: LoadedEntry | Missing,
    failure: FailureRecord | None,
    now: datetime,
) -> str:
    """Return the deduplication id of a rebuild: it names the generation that was seen.

    A miss is named by its purge and the minute: SQS may still remember the id of the minute before,
    so each minute a rebuild can be asked for again. Once a rebuild has failed, the failure stands
    for the minute, or each minute would add a message to those that are being retried.
    """
    if isinstance(seen, LoadedEntry):
        entry, failed = seen.entry, failure.dead_letterings if failure else None
        return deduplication_id(dataset, "stale", entry.built_at, entry.fresh_until, failed)
    if failure is not None:
        first, failed = failure.first_failed_at, failure.dead_letterings
        return deduplication_id(dataset, "miss", seen.generation, first, failed)
    minute = now.replace(second=0, microsecond=0)
    return deduplication_id(dataset, "miss", seen.generation, minute)
