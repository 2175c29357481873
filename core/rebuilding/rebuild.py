"""The worker's use case: satisfy rebuild messages with one MIP session for all of them."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import ConflictError, MipsCacheError, SessionLostError, UnexpectedError
from core.model.datasets import Dataset
from core.model.entry import CacheEntry, EntryData
from core.ports import Clock, Telemetry, Upstream
from core.rebuilding.entries import Entries
from core.rebuilding.fetch import RECIPES, FetchRequest, MipSource
from core.rebuilding.requests import (
    DatasetErrors,
    DatasetRequest,
    RebuildRequest,
    RebuildResult,
    Stored,
    combined,
    result_of,
)
from core.rebuilding.session import SessionKeeper
from core.settings import WorkerSettings

SUCCESS = "success"
"""The outcome of a successful rebuild; that of a failed one is the error's class name."""


@dataclass(frozen=True, slots=True)
class _Replacement:
    """A dataset to rebuild, and the object that the new entry may replace."""

    request: DatasetRequest
    etag: str
    entry: CacheEntry | None

    @property
    def dataset(self) -> Dataset:
        return self.request.dataset


class Rebuilder:
    """Rebuilds what a batch of messages needs, and nothing else."""

    def __init__(
        self,
        *,
        entries: Entries,
        upstream: Upstream,
        sessions: SessionKeeper,
        telemetry: Telemetry,
        clock: Clock,
        settings: WorkerSettings,
    ) -> None:
        self._entries = entries
        self._upstream = upstream
        self._sessions = sessions
        self._telemetry = telemetry
        self._clock = clock
        self._settings = settings

    def run(self, requests: Sequence[RebuildRequest]) -> dict[str, RebuildResult]:
        """Satisfy the requests and return each one's result by message id.

        1. Log out a session that an earlier worker left, whatever else there is to do.
        2. Look at each wanted entry, and note its ETag, before anything is fetched.
        3. Delete the failure records that these entries have outdated. A dataset needs nothing
           more if its entry is at least as new as every request for it.
        4. If any are left: log in, fetch the chart once, rebuild each dataset, log out.
        5. Log and count the outcome of each dataset that had to be rebuilt.

        Datasets are independent: one that fails does not keep the others from being tried.
        """
        recovery_error = self._recover()
        wanted = combined(requests)
        stored = {request.dataset: self._entries.read(request.dataset) for request in wanted}
        for found in stored.values():
            if found.entry is not None:
                self._entries.delete_outdated_failure(found.entry)
        due = [
            request
            for request in wanted
            if not stored[request.dataset].satisfies(request.newest_sent_at)
        ]
        errors: DatasetErrors
        if recovery_error is None:
            errors = self._rebuild(due, stored)
        else:
            errors = {request.dataset: recovery_error for request in due}
        self._report(errors)
        return {request.message_id: result_of(request, stored, errors) for request in requests}

    def _recover(self) -> MipsCacheError | None:
        try:
            self._sessions.recover()
        except MipsCacheError as exc:
            self._telemetry.warning("session not recovered", problem=str(exc))
            return exc
        return None

    def _rebuild(
        self, due: Sequence[DatasetRequest], stored: Mapping[Dataset, Stored]
    ) -> DatasetErrors:
        prepared = {request.dataset: self._prepare(request, stored) for request in due}
        replacements = [one for one in prepared.values() if isinstance(one, _Replacement)]
        errors = {
            dataset: one for dataset, one in prepared.items() if isinstance(one, MipsCacheError)
        }
        return errors | self._rebuild_in_session(replacements) if replacements else errors

    def _prepare(
        self, request: DatasetRequest, stored: Mapping[Dataset, Stored]
    ) -> _Replacement | MipsCacheError:
        found = stored[request.dataset]
        try:
            etag = self._entries.replaceable_etag(request.dataset, found)
        except MipsCacheError as exc:
            return exc
        return _Replacement(request, etag, found.entry)

    def _rebuild_in_session(
        self, replacements: Sequence[_Replacement]
    ) -> dict[Dataset, MipsCacheError | None]:
        """Rebuild one dataset after the other; what ends the session ends all that are left."""
        errors: dict[Dataset, MipsCacheError | None] = {}
        session_error: MipsCacheError | None = None
        try:
            with self._sessions.session() as token:
                built_at = self._clock()
                source = self._source(token)
                for replacement in replacements:
                    errors[replacement.dataset] = self._try_rebuild(replacement, source, built_at)
        except MipsCacheError as exc:
            session_error = exc
        except Exception as exc:  # noqa: BLE001 - the messages must still be settled one by one
            session_error = _unexpected(exc)
        return {one.dataset: errors.get(one.dataset, session_error) for one in replacements}

    def _source(self, token: str) -> MipSource:
        return MipSource(
            upstream=self._upstream,
            token=token,
            deadline=self._sessions.work_by,
            telemetry=self._telemetry,
            settings=self._settings,
        )

    def _try_rebuild(
        self, replacement: _Replacement, source: MipSource, built_at: datetime
    ) -> MipsCacheError | None:
        """Rebuild one dataset and return what went wrong. Raises SessionLostError alone."""
        began_at = self._clock()
        try:
            self._write(replacement, self._fetch(replacement, source), built_at)
        except SessionLostError:
            raise
        except MipsCacheError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - a defect in one dataset must not stop the others
            return _unexpected(exc)
        dataset, seconds = replacement.dataset, (self._clock() - began_at).total_seconds()
        self._telemetry.info("entry rebuilt", dataset=str(dataset), seconds=round(seconds, 3))
        self._telemetry.seconds("RebuildSeconds", seconds, dataset=dataset.name)
        return None

    def _fetch(self, replacement: _Replacement, source: MipSource) -> EntryData:
        return source.fetch(
            FetchRequest(
                replacement.dataset,
                stored=replacement.entry.data if replacement.entry else None,
                accept_shrink=replacement.request.accept_shrink,
                today=self._settings.today(self._clock()),
            )
        )

    def _write(self, replacement: _Replacement, data: EntryData, built_at: datetime) -> None:
        dataset = replacement.dataset
        ttl = timedelta(seconds=RECIPES[dataset.name].ttl_seconds(self._settings))
        self._entries.replace(CacheEntry(dataset, built_at, built_at + ttl, data), replacement.etag)
        if replacement.entry:
            age = (built_at - replacement.entry.built_at).total_seconds()
            self._telemetry.seconds("EntryAgeAtRebuild", age, dataset=dataset.name)

    def _report(self, errors: DatasetErrors) -> None:
        for dataset, error in errors.items():
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


def _unexpected(exc: Exception) -> UnexpectedError:
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    return UnexpectedError(f"{type(exc).__name__} in {frame.name}, line {frame.lineno}")
