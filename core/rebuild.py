"""The worker's use case: satisfy rebuild messages with one MIP session for all of them."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.balances import join_balances, unbalanced_accounts
from core.chart import Chart, parse_chart
from core.datasets import PROGRAM_LISTS, Dataset, entry_key
from core.entry import (
    CacheEntry,
    PeriodBalances,
    ProgramLists,
    Tombstone,
    decode,
    encode,
    encode_tombstone,
)
from core.errors import ConflictError, MipsCacheError, SessionLostError, UnreadableEntryError
from core.failure_records import FailureRecords
from core.messages import RebuildMessage
from core.periods import Period
from core.ports import CacheStore, Clock, Telemetry, Upstream
from core.programs import check_not_shrunk, program_lists
from core.session import SessionKeeper

SUCCESS = "success"
"""The outcome of a rebuild that worked; of one that did not, it is the error's class name."""


class UnexpectedError(MipsCacheError):
    """A defect of ours met one dataset; its own text stays out, as it may hold upstream data."""


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
class RebuildRules:
    """What the settings say about entries."""

    cache_prefix: str
    time_zone: ZoneInfo
    codes_to_omit: frozenset[str]
    balance_months: int
    max_shrink_percent: int
    programs_ttl: timedelta
    balances_ttl: timedelta

    def ttl(self, dataset: Dataset) -> timedelta:
        """Return for how long an entry of the dataset is fresh."""
        return self.programs_ttl if dataset == PROGRAM_LISTS else self.balances_ttl


@dataclass(slots=True)
class _Work:
    """A dataset that some request of the batch asks for."""

    newest_request_at: datetime
    accept_shrink: bool = False
    etag: str = ""
    stored: CacheEntry | None = None
    error: MipsCacheError | None = None

    def satisfied(self, sent_at: datetime) -> bool:
        """Tell whether the entry that was found is as new as a request of that time wants it."""
        return self.stored is not None and self.stored.built_at >= sent_at


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
        rules: RebuildRules,
    ) -> None:
        self._store = store
        self._upstream = upstream
        self._sessions = sessions
        self._telemetry = telemetry
        self._clock = clock
        self._rules = rules
        self._failures = FailureRecords(store, rules.cache_prefix)

    def run(self, requests: Sequence[RebuildRequest]) -> dict[str, RebuildResult]:
        """Work off the requests and return each one's result by message id.

        1. Log out a session that an earlier worker left, whatever else there is to do.
        2. Note each wanted entry's ETag (or absence), before anything is fetched.
        3. Datasets whose entry is at least as new as every request for it need nothing.
        4. If any are left: log in, fetch the chart once, rebuild each dataset, log out.
        5. Tell what became of each dataset that was due, or whose entry could not be read.

        Datasets are independent: one that fails does not keep the others from being tried.
        """
        recovery_error = self._recover()
        asked = {request.message_id: self._datasets(request) for request in requests}
        wanted = self._wanted(requests, asked)
        due = {
            dataset: work
            for dataset, work in wanted.items()
            if work.error is None and not work.satisfied(work.newest_request_at)
        }
        if due and recovery_error is not None:
            _fail_all(due.values(), recovery_error)
        elif due:
            self._rebuild_all(due)
        self._tell_outcomes({name: work for name, work in wanted.items() if work.error} | due)
        return {
            request.message_id: _result(request, asked[request.message_id], wanted)
            for request in requests
        }

    def _recover(self) -> MipsCacheError | None:
        try:
            self._sessions.recover()
        except MipsCacheError as exc:
            self._telemetry.warning("session not recovered", problem=str(exc))
            return exc
        return None

    def _tell_outcomes(self, tried: Mapping[Dataset, _Work]) -> None:
        for dataset, work in tried.items():
            outcome = type(work.error).__name__ if work.error else SUCCESS
            self._telemetry.count("Rebuilds", dataset=dataset.name, outcome=outcome)
            if work.error:
                self._telemetry.warning(
                    "rebuild failed",
                    dataset=str(dataset),
                    error_type=outcome,
                    problem=str(work.error),
                )

    def _datasets(self, request: RebuildRequest) -> list[Dataset]:
        today = self._clock().astimezone(self._rules.time_zone).date()
        return request.message.datasets(today, self._rules.balance_months)

    def _wanted(
        self, requests: Sequence[RebuildRequest], asked: Mapping[str, Sequence[Dataset]]
    ) -> dict[Dataset, _Work]:
        wanted: dict[Dataset, _Work] = {}
        for request in requests:
            for dataset in asked[request.message_id]:
                work = wanted.setdefault(dataset, _Work(request.sent_at))
                work.newest_request_at = max(work.newest_request_at, request.sent_at)
                work.accept_shrink |= request.message.accept_shrink
        for dataset, work in wanted.items():
            self._note_stored(dataset, work)
        # Programs first: a balances call that hangs must not keep them away.
        return dict(sorted(wanted.items(), key=lambda item: item[0] != PROGRAM_LISTS))

    def _note_stored(self, dataset: Dataset, work: _Work) -> None:
        key = entry_key(self._rules.cache_prefix, dataset)
        try:
            stored = self._store.read(key)
            if stored is None:
                tombstone = encode_tombstone(Tombstone.new(dataset))
                work.etag = self._store.create(key, tombstone)
                return
            work.etag = stored.etag
            decoded = decode(stored.body, dataset)
            work.stored = decoded if isinstance(decoded, CacheEntry) else None
        except UnreadableEntryError as exc:
            self._telemetry.warning("entry unreadable", key=key, problem=str(exc))
        except MipsCacheError as exc:
            work.error = exc

    def _rebuild_all(self, due: Mapping[Dataset, _Work]) -> None:
        try:
            with self._sessions.session() as token:
                self._rebuild_in_session(due, token)
        except MipsCacheError as exc:
            # Without a session or a chart nothing could be tried.
            _fail_all((work for work in due.values() if work.error is None), exc)
        except Exception as exc:  # noqa: BLE001 - the messages must still be settled one by one
            _fail_all((work for work in due.values() if work.error is None), _unexpected(exc))

    def _rebuild_in_session(self, due: Mapping[Dataset, _Work], token: str) -> None:
        built_at = self._clock()
        deadline = self._sessions.work_by
        chart = parse_chart(
            self._upstream.segments(token, deadline), self._upstream.accounts(token, deadline)
        )
        waiting = list(due.items())
        while waiting:
            dataset, work = waiting.pop(0)
            work.error = self._try_rebuild(dataset, work, chart, token, built_at)
            if isinstance(work.error, SessionLostError):
                _fail_all((left for _, left in waiting), work.error)
                return

    def _try_rebuild(
        self, dataset: Dataset, work: _Work, chart: Chart, token: str, built_at: datetime
    ) -> MipsCacheError | None:
        began_at = self._clock()
        try:
            data = self._fetch(dataset, work, chart, token)
            self._write(dataset, work, data, built_at)
        except ConflictError as exc:
            self._telemetry.info("write refused", dataset=str(dataset), problem=str(exc))
            return exc
        except MipsCacheError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - a defect in one dataset must not stop the others
            return _unexpected(exc)
        seconds = (self._clock() - began_at).total_seconds()
        self._telemetry.info("entry rebuilt", dataset=str(dataset), seconds=round(seconds, 3))
        self._telemetry.seconds("RebuildSeconds", seconds, dataset=dataset.name)
        return None

    def _fetch(
        self, dataset: Dataset, work: _Work, chart: Chart, token: str
    ) -> ProgramLists | PeriodBalances:
        if dataset.period is not None:
            return self._fetch_balances(dataset.period, chart, token)
        lists = program_lists(chart.programs, self._rules.codes_to_omit)
        stored = work.stored.data if work.stored else None
        if isinstance(stored, ProgramLists) and not work.accept_shrink:
            check_not_shrunk(lists, stored, self._rules.max_shrink_percent)
        return lists

    def _fetch_balances(self, period: Period, chart: Chart, token: str) -> PeriodBalances:
        balances = self._fetch_balances_once(period, chart, token)
        if not unbalanced_accounts(balances):
            return balances
        # A posting may have fallen between MIP's own sums; it will not do so twice.
        balances = self._fetch_balances_once(period, chart, token)
        unbalanced = unbalanced_accounts(balances)
        if unbalanced:
            self._telemetry.warning(
                "balances do not add up", period=str(period), accounts=len(unbalanced)
            )
            self._telemetry.count("BalanceMismatches", len(unbalanced))
        return balances

    def _fetch_balances_once(self, period: Period, chart: Chart, token: str) -> PeriodBalances:
        reply = self._upstream.balances(token, period, self._sessions.work_by)
        return join_balances(reply, chart.gl, period)

    def _write(
        self,
        dataset: Dataset,
        work: _Work,
        data: ProgramLists | PeriodBalances,
        built_at: datetime,
    ) -> None:
        entry = CacheEntry(dataset, built_at, built_at + self._rules.ttl(dataset), data)
        self._store.replace(entry_key(self._rules.cache_prefix, dataset), encode(entry), work.etag)
        self._forget_failure(dataset)
        if work.stored:
            age = (built_at - work.stored.built_at).total_seconds()
            self._telemetry.seconds("EntryAgeAtRebuild", age, dataset=dataset.name)

    def _forget_failure(self, dataset: Dataset) -> None:
        try:
            if self._failures.read(dataset) is not None:
                self._failures.delete(dataset)
        except MipsCacheError as exc:
            # The entry is good; what is left of the record only delays a later rebuild.
            self._telemetry.warning("failure record left", dataset=str(dataset), problem=str(exc))


def _result(
    request: RebuildRequest, datasets: Iterable[Dataset], wanted: Mapping[Dataset, _Work]
) -> RebuildResult:
    """Judge a request by its own time: a newer one in the batch may want more than it does."""
    left = [dataset for dataset in datasets if not wanted[dataset].satisfied(request.sent_at)]
    errors = {}
    for dataset in left:
        error = wanted[dataset].error
        if error is not None:
            errors[dataset] = error
    return RebuildResult(errors, collapsed=not left)


def _unexpected(exc: Exception) -> UnexpectedError:
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    return UnexpectedError(f"{type(exc).__name__} in {frame.name}, line {frame.lineno}")


def _fail_all(works: Iterable[_Work], error: MipsCacheError) -> None:
    for work in works:
        work.error = error
