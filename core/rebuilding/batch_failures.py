"""The failures of one batch: gathered while its messages are settled, then recorded."""

from dataclasses import dataclass
from datetime import timedelta

from core.errors import ConflictError, MipsCacheError, StoreUnavailableError
from core.failure_records import FailureRecords
from core.model.datasets import Dataset
from core.model.failures import FailureRecord
from core.ports import CacheStore, Clock, Telemetry
from core.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class _Failure:
    error: MipsCacheError
    retry_in: timedelta | None
    correlation_id: str


class BatchFailures:
    """One failure for each dataset that failed, however many messages asked for it."""

    def __init__(
        self, store: CacheStore, telemetry: Telemetry, clock: Clock, settings: WorkerSettings
    ) -> None:
        self._records = FailureRecords(store, settings.cache_prefix)
        self._telemetry = telemetry
        self._clock = clock
        self._failures: dict[Dataset, _Failure] = {}

    def add(
        self,
        dataset: Dataset,
        error: MipsCacheError,
        *,
        retry_in: timedelta | None,
        correlation_id: str,
    ) -> None:
        """Add what a message met. `retry_in` None says that the message was dead-lettered.

        Of several messages the first counts, but one that was dead-lettered decides when the next
        attempt is due. A conflict is not a failure: no reader has to wait because of it.
        """
        if isinstance(error, ConflictError):
            return
        if retry_in is None or dataset not in self._failures:
            self._failures[dataset] = _Failure(error, retry_in, correlation_id)

    def record(self) -> None:
        """Write the failure records."""
        for dataset, failure in self._failures.items():
            self._record(dataset, failure)

    def _record(self, dataset: Dataset, failure: _Failure) -> None:
        try:
            record = FailureRecord.of(
                failure.error,
                self._clock(),
                earlier=self._records.read(dataset),
                retry_in=failure.retry_in,
                correlation_id=failure.correlation_id,
            )
            self._records.write(dataset, record)
        except StoreUnavailableError as exc:
            # The message itself is safe; readers only ask again sooner.
            self._telemetry.warning("failure not recorded", dataset=str(dataset), problem=str(exc))
