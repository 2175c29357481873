"""The reader's use case: find an entry, and have it rebuilt where it is stale or missing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeGuard

from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import Dataset
from core.model.failures import FailureRecord
from core.model.freshness import Freshness, freshness_at
from core.model.periods import period_for
from core.ports import CacheReader, Clock, RebuildSender, Telemetry
from core.reading.ask import KnownFailures, RebuildRequests
from core.reading.decide import ASKING, Decision, decide, is_waited_out
from core.reading.load import EntryLoader, LoadedEntry, Missing, earlier_days
from core.reading.wait import Patience
from core.settings import ReaderSettings

RETRY_AFTER_MISS_SECONDS = 10
REBUILD_QUEUED, REBUILD_FAILED = "rebuild-queued", "rebuild-failed"


class Outcome(Enum):
    """How an entry was found."""

    HIT = "fresh"
    STALE = "stale"
    EARLIER_DAY = "the newest entry of the month"
    REBUILT = "long stale, rebuilt while waiting"
    BUILT = "missing, built while waiting"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that can be served.

    `is_failing`: the failure of a rebuild is being waited out. `waited`: a longer wait might have
    changed the answer. `failure`: the rebuilds that failed since this entry, waited out or not.
    """

    loaded: LoadedEntry
    outcome: Outcome
    freshness: Freshness
    is_failing: bool = False
    waited: bool = False
    failure: FailureRecord | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry can be served yet. `detail` is the token for `Cache-Status` (RFC 9211)."""

    retry_after_seconds: int
    detail: str
    failure: FailureRecord | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known about a dataset at one moment; all decisions are made from it."""

    dataset: Dataset
    found: LoadedEntry | Missing
    failure: FailureRecord | None
    at: datetime

    @property
    def is_failing(self) -> bool:
        return is_waited_out(self.failure, self.at)


class Lookup:
    """Finds entries for one reader process, which remembers what it has loaded and asked for."""

    def __init__(
        self,
        *,
        store: CacheReader,
        queue: RebuildSender,
        telemetry: Telemetry,
        clock: Clock,
        sleep: Callable[[float], None],
        settings: ReaderSettings,
    ) -> None:
        self._entries = EntryLoader(store, telemetry, settings.cache_prefix)
        self._failures = KnownFailures(store, clock, settings.cache_prefix)
        self._requests = RebuildRequests(queue, telemetry, clock)
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._settings = settings

    def find(self, dataset: Dataset, patience: Patience, correlation_id: str) -> Found | NotFound:
        """Find the entry of a dataset.

        1. Ask S3 for the object; what is in memory counts only if S3 says that it is unchanged.
        2. Unless it is fresh, look for a failure record.
        3. Decide. Ask for a rebuild and wait for it, if that was decided.
        4. Serve the new entry, or act on what the last look found.

        Raises StoreUnavailableError when S3 fails or is too slow, QueueUnavailableError when a
        rebuild of a missing entry cannot be queued and nothing else can be served.
        """
        seen = self._look_up(dataset, patience)
        decision = self._decide(seen, can_ask=self._can_ask(patience))
        asked = decision in ASKING and self._requests.ask(
            dataset, seen.found, seen.failure, correlation_id
        )
        waits = asked and decision is Decision.ASK_AND_WAIT
        last = self._wait(seen, patience) if waits else seen
        if _is_newer(last.found, seen.found):
            return self._rebuilt(seen, last.found)
        return self._act(last, patience, asked=asked, waited=waits)

    def _look_up(self, dataset: Dataset, patience: Patience) -> _Seen:
        found = self._load(dataset, patience)
        now = self._clock()
        if isinstance(found, LoadedEntry) and now < found.entry.fresh_until:
            self._requests.answered(dataset)
            return _Seen(dataset, found, None, now)
        failure = self._failure_beside(dataset, found, patience)
        return _Seen(dataset, found, failure, self._clock())

    def _load(self, dataset: Dataset, patience: Patience) -> LoadedEntry | Missing:
        if not patience.allows_a_call():
            raise StoreUnavailableError("no time is left to ask S3")
        return self._entries.load(dataset)

    def _failure_beside(
        self, dataset: Dataset, found: LoadedEntry | Missing, patience: Patience
    ) -> FailureRecord | None:
        """Read the failure record beside what is stale or missing."""
        if not patience.allows_a_call():
            return None
        if isinstance(found, Missing):
            return self._failures.read(dataset)
        try:
            return self._failures.of_stale(dataset, found.s3_etag)
        except StoreUnavailableError as exc:
            # There is an entry to be served: that is worth more than an error.
            self._telemetry.warning("failure record not read", problem=str(exc))
            return None

    def _can_ask(self, patience: Patience) -> bool:
        return patience.allows_a_call() and not self._requests.is_paused()

    def _decide(self, seen: _Seen, *, can_ask: bool) -> Decision:
        return decide(
            seen.found.entry,
            seen.failure,
            seen.at,
            grace=timedelta(seconds=self._settings.grace_seconds),
            is_current_period=self._is_current(seen),
            can_ask=can_ask,
        )

    def _is_current(self, seen: _Seen) -> bool:
        """Tell whether it is today's period, or that of a day which has begun elsewhere."""
        today, period = self._settings.today(seen.at), seen.dataset.period
        return period is not None and period >= period_for(today, today)

    def _wait(self, seen: _Seen, patience: Patience) -> _Seen:
        """Look until there is a newer entry, the rebuild has failed, or the time is up."""
        last = seen
        for _ in patience.pauses(self._sleep):
            try:
                last = replace(last, found=self._load(seen.dataset, patience), at=self._clock())
                if _is_newer(last.found, seen.found) or not patience.allows_a_call():
                    break
                failure = self._failures.read(seen.dataset)
                last = replace(last, failure=failure, at=self._clock())
            except StoreUnavailableError:
                if isinstance(last.found, Missing):
                    raise
                break
            if last.is_failing:
                break
        return last

    def _rebuilt(self, before: _Seen, loaded: LoadedEntry) -> Found:
        self._requests.answered(before.dataset)
        outcome = Outcome.BUILT if isinstance(before.found, Missing) else Outcome.REBUILT
        return Found(loaded, outcome, freshness_at(self._clock(), loaded.entry), waited=True)

    def _act(
        self, seen: _Seen, patience: Patience, *, asked: bool, waited: bool
    ) -> Found | NotFound:
        """Serve what there is, or say when to come back, without asking for a rebuild."""
        falls_back = self._decide(seen, can_ask=False) is Decision.FALL_BACK
        found = self._newest_of_month(seen.dataset, patience) if falls_back else seen.found
        if isinstance(found, Missing):
            return _not_found(seen, asked=asked)
        freshness = freshness_at(self._clock(), found.entry)
        outcome = Outcome.HIT if freshness.is_fresh else Outcome.STALE
        return Found(
            loaded=found,
            outcome=Outcome.EARLIER_DAY if falls_back else outcome,
            freshness=freshness,
            is_failing=seen.is_failing,
            waited=waited,
            failure=seen.failure,
        )

    def _newest_of_month(self, dataset: Dataset, patience: Patience) -> LoadedEntry | Missing:
        found = (self._load(earlier, patience) for earlier in earlier_days(dataset.period))
        return next((day for day in found if isinstance(day, LoadedEntry)), Missing())


def _is_newer(last: LoadedEntry | Missing, first: LoadedEntry | Missing) -> TypeGuard[LoadedEntry]:
    if isinstance(last, Missing):
        return False
    return isinstance(first, Missing) or last.entry.built_at > first.entry.built_at


def _not_found(seen: _Seen, *, asked: bool) -> NotFound:
    if seen.failure is not None and seen.is_failing:
        seconds = (seen.failure.next_attempt_at - seen.at).total_seconds()
        return NotFound(int(seconds) + 1, REBUILD_FAILED, seen.failure)
    if not asked:
        raise QueueUnavailableError("no rebuild can be queued at the moment")
    return NotFound(RETRY_AFTER_MISS_SECONDS, REBUILD_QUEUED, seen.failure)
