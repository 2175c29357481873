"""The worker's use case: satisfy rebuild messages with one MIP session for all of them."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.errors import (
    ConflictError,
    MipsCacheError,
    SessionLostError,
    UnexpectedError,
    UnreadableEntryError,
)
from core.failure_records import FailureRecords
from core.model.datasets import PROGRAM_LISTS, Dataset, entry_key
from core.model.entry import CacheEntry, Tombstone, decode, encode, encode_tombstone
from core.model.messages import RebuildMessage
from core.ports import CacheStore, Clock, Telemetry, Upstream
from core.rebuilding.fetch import EntryData, MipSource
from core.rebuilding.session import SessionKeeper
from core.settings import WorkerSettings
from core.transform.chart import Chart

SUCCESS = "success"
"""The outcome of a rebuild that worked; of one that did not, it is the error's class name."""

Outcomes = dict[Dataset, MipsCacheError | None]
"""What became of each dataset: None where it was rebuilt."""


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """A message that asks for newer entries than it is itself."""

    message_id: str
    message: RebuildMessage
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """What became of a request: the errors of the datasets that it still waits for.

    `collapsed` tells that every dataset's entry was newer than the request before any work began.
    """

    errors: Mapping[Dataset, MipsCacheError] = field(default_factory=dict)
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the requests of a batch ask of one dataset, taken together."""

    dataset: Dataset
    newest_request_at: datetime
    accept_shrink: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What was stored before anything was fetched, or the error that kept it from being seen.

    `etag` is None where there was no object.
    """

    etag: str | None = None
    entry: CacheEntry | None = None
    error: MipsCacheError | None = None

    def satisfies(self, sent_at: datetime) -> bool:
        """Tell whether the entry is as new as a request of that time wants it."""
        return self.entry is not None and self.entry.built_at >= sent_at


@dataclass(frozen=True, slots=True)
class _Claim:
    """A dataset to rebuild, and the object that the new entry may replace."""

    wish: _Wish
    etag: str
    entry: CacheEntry | None

    @property
    def dataset(self) -> Dataset:
        return self.wish.dataset


class Rebuilder:
    """Rebuilds what a batch of requests needs, and nothing else."""

    def __init__(
        self,
        *,
        store: CacheStore,
        upstream: Upstream,
        sessions: SessionKeeper,
        telemetry: Telemetry,
        clock: Clock,
        settings: WorkerSettings,
    ) -> None:
        self._store = store
        self._upstream = upstream
        self._sessions = sessions
        self._telemetry = telemetry
        self._clock = clock
        self._settings = settings
        self._failures = FailureRecords(store, settings.cache_prefix)

    def run(self, requests: Sequence[RebuildRequest]) -> dict[str, RebuildResult]:
        """Satisfy the requests and return each one's result by message id.

        1. Log out a session that an earlier worker left, whatever else there is to do.
        2. Look at each wanted entry, and note its ETag, before anything is fetched.
        3. Delete the failure records that these entries have outdated. A dataset whose entry is at
           least as new as every request for it needs nothing more.
        4. If any are left: log in, fetch the chart once, rebuild each dataset, log out.
        5. Tell what became of each dataset that was not as new as it should be.

        Datasets are independent: one that fails does not keep the others from being tried.
        """
        recovery_error = self._recover()
        asked = {request.message_id: self._datasets(request) for request in requests}
        wishes = _wishes(requests, asked)
        found = {wish.dataset: self._look_at(wish.dataset) for wish in wishes}
        for seen in found.values():
            if seen.entry is not None:
                self._forget_failure(seen.entry, if_older=True)
        due = [wish for wish in wishes if not found[wish.dataset].satisfies(wish.newest_request_at)]
        if recovery_error is None:
            outcomes = self._rebuild(due, found)
        else:
            outcomes = dict.fromkeys((wish.dataset for wish in due), recovery_error)
        self._report(outcomes)
        return {
            request.message_id: _result(request, asked[request.message_id], found, outcomes)
            for request in requests
        }

    def _recover(self) -> MipsCacheError | None:
        try:
            self._sessions.recover()
        except MipsCacheError as exc:
            self._telemetry.warning("session not recovered", problem=str(exc))
            return exc
        return None

    def _datasets(self, request: RebuildRequest) -> list[Dataset]:
        today = self._settings.today(self._clock())
        return request.message.datasets(today, self._settings.balance_months)

    def _look_at(self, dataset: Dataset) -> _Found:
        key = entry_key(self._settings.cache_prefix, dataset)
        try:
            stored = self._store.read(key)
        except MipsCacheError as exc:
            return _Found(error=exc)
        if stored is None:
            return _Found()
        try:
            decoded = decode(stored.body, dataset)
        except UnreadableEntryError as exc:
            self._telemetry.warning("entry unreadable", key=key, problem=str(exc))
            return _Found(stored.etag)
        return _Found(stored.etag, decoded if isinstance(decoded, CacheEntry) else None)

    def _rebuild(self, due: Iterable[_Wish], found: Mapping[Dataset, _Found]) -> Outcomes:
        outcomes: Outcomes = {}
        claims = []
        for wish in due:
            try:
                claims.append(self._claim(wish, found[wish.dataset]))
            except MipsCacheError as exc:
                outcomes[wish.dataset] = exc
        return outcomes | self._rebuild_in_session(claims) if claims else outcomes

    def _claim(self, wish: _Wish, found: _Found) -> _Claim:
        """Name the object that may be replaced. Where there is none, a tombstone becomes it.

        So a purge wins over the first rebuild of all, too: it replaces the tombstone by its own.
        """
        if found.error is not None:
            raise found.error
        if found.etag is not None:
            return _Claim(wish, found.etag, found.entry)
        key = entry_key(self._settings.cache_prefix, wish.dataset)
        tombstone = encode_tombstone(Tombstone.new(wish.dataset))
        return _Claim(wish, self._store.create(key, tombstone), None)

    def _rebuild_in_session(self, claims: Sequence[_Claim]) -> Outcomes:
        """Rebuild one dataset after the other; what ends the session ends all that are left."""
        outcomes: Outcomes = {}
        error: MipsCacheError | None = None
        try:
            with self._sessions.session() as token:
                built_at = self._clock()
                source = self._source(token)
                chart = source.chart()
                for claim in claims:
                    outcomes[claim.dataset] = self._try_rebuild(claim, source, chart, built_at)
        except MipsCacheError as exc:
            error = exc
        except Exception as exc:  # noqa: BLE001 - the messages must still be settled one by one
            error = _unexpected(exc)
        return {claim.dataset: outcomes.get(claim.dataset, error) for claim in claims}

    def _source(self, token: str) -> MipSource:
        return MipSource(
            upstream=self._upstream,
            token=token,
            deadline=self._sessions.work_by,
            telemetry=self._telemetry,
            settings=self._settings,
        )

    def _try_rebuild(
        self, claim: _Claim, source: MipSource, chart: Chart, built_at: datetime
    ) -> MipsCacheError | None:
        """Rebuild one dataset and return what went wrong. Raises SessionLostError alone."""
        began_at = self._clock()
        try:
            self._write(claim, self._fetch(claim, source, chart), built_at)
        except SessionLostError:
            raise
        except MipsCacheError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - a defect in one dataset must not stop the others
            return _unexpected(exc)
        seconds = (self._clock() - began_at).total_seconds()
        self._telemetry.info("entry rebuilt", dataset=str(claim.dataset), seconds=round(seconds, 3))
        self._telemetry.seconds("RebuildSeconds", seconds, dataset=claim.dataset.name)
        return None

    def _fetch(self, claim: _Claim, source: MipSource, chart: Chart) -> EntryData:
        stored = claim.entry.data if claim.entry else None
        accept_shrink, period = claim.wish.accept_shrink, claim.dataset.period
        if period is None:
            return source.programs(chart, stored=stored, accept_shrink=accept_shrink)
        today = self._settings.today(self._clock())
        return source.balances(
            chart, period, stored=stored, accept_shrink=accept_shrink, today=today
        )

    def _write(self, claim: _Claim, data: EntryData, built_at: datetime) -> None:
        dataset = claim.dataset
        entry = CacheEntry(dataset, built_at, built_at + self._ttl(dataset), data)
        key = entry_key(self._settings.cache_prefix, dataset)
        self._store.replace(key, encode(entry), claim.etag)
        self._forget_failure(entry, if_older=False)
        if claim.entry:
            age = (built_at - claim.entry.built_at).total_seconds()
            self._telemetry.seconds("EntryAgeAtRebuild", age, dataset=dataset.name)

    def _ttl(self, dataset: Dataset) -> timedelta:
        settings = self._settings
        is_programs = dataset == PROGRAM_LISTS
        seconds = settings.programs_ttl_seconds if is_programs else settings.balances_ttl_seconds
        return timedelta(seconds=seconds)

    def _forget_failure(self, entry: CacheEntry, *, if_older: bool) -> None:
        """Delete the failure record of an entry; `if_older`, only one from before it was built.

        A write whose answer was lost ends as a conflict; the message that comes back for it finds
        the entry, and with it the record of an earlier failure.
        """
        try:
            record = self._failures.read(entry.dataset)
            if record and (not if_older or record.last_failed_at <= entry.built_at):
                self._failures.delete(entry.dataset)
        except MipsCacheError as exc:
            # The entry is good; what is left of the record only delays a later rebuild.
            self._telemetry.warning(
                "failure record left", dataset=str(entry.dataset), problem=str(exc)
            )

    def _report(self, outcomes: Outcomes) -> None:
        for dataset, error in outcomes.items():
            outcome = type(error).__name__ if error else SUCCESS
            self._telemetry.count("Rebuilds", dataset=dataset.name, outcome=outcome)
            if isinstance(error, ConflictError):
                self._telemetry.info("write refused", dataset=str(dataset), problem=str(error))
            elif error:
                self._telemetry.warning(
                    "rebuild failed",
                    dataset=str(dataset),
                    error_type=outcome,
                    problem=str(error),
                )


def _wishes(
    requests: Iterable[RebuildRequest], asked: Mapping[str, Iterable[Dataset]]
) -> list[_Wish]:
    """Fold the requests into one wish per dataset: the newest time, and any operator's word."""
    wishes: dict[Dataset, _Wish] = {}
    for request in requests:
        for dataset in asked[request.message_id]:
            wish = wishes.get(dataset, _Wish(dataset, request.sent_at, accept_shrink=False))
            wishes[dataset] = replace(
                wish,
                newest_request_at=max(wish.newest_request_at, request.sent_at),
                accept_shrink=wish.accept_shrink or request.message.accept_shrink,
            )
    # Programs first: a balances call that hangs must not keep them away.
    return sorted(wishes.values(), key=lambda wish: wish.dataset != PROGRAM_LISTS)


def _result(
    request: RebuildRequest,
    datasets: Iterable[Dataset],
    found: Mapping[Dataset, _Found],
    outcomes: Outcomes,
) -> RebuildResult:
    """Judge a request by its own time: a newer one in the batch may want more than it does."""
    left = [dataset for dataset in datasets if not found[dataset].satisfies(request.sent_at)]
    errors = {dataset: error for dataset in left if (error := outcomes[dataset]) is not None}
    return RebuildResult(errors, collapsed=not left)


def _unexpected(exc: Exception) -> UnexpectedError:
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    return UnexpectedError(f"{type(exc).__name__} in {frame.name}, line {frame.lineno}")
