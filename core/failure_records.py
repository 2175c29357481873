"""Where failure records are kept: one object per dataset, beside the entries."""

from collections.abc import Iterator

from core.model.datasets import Dataset, dataset_of_failure_key, failure_key, failures_prefix
from core.model.failures import FailureRecord, decode_failure, encode_failure
from core.ports import CacheStore, ObjectReader


def read_failure(store: ObjectReader, prefix: str, dataset: Dataset) -> FailureRecord | None:
    """Read a dataset's record; None if there is none, or none that can be read.

    Raises StoreUnavailableError.
    """
    stored = store.read(failure_key(prefix, dataset))
    return decode_failure(stored.body) if stored else None


class FailureRecords:
    """The failure records of the cache. Every method raises StoreUnavailableError."""

    def __init__(self, store: CacheStore, cache_prefix: str) -> None:
        self._store = store
        self._prefix = cache_prefix

    def read(self, dataset: Dataset) -> FailureRecord | None:
        """Read a dataset's record; None if there is none, or none that can be read."""
        return read_failure(self._store, self._prefix, dataset)

    def write(self, dataset: Dataset, record: FailureRecord) -> None:
        """Write a dataset's record over the one before."""
        self._store.put(failure_key(self._prefix, dataset), encode_failure(record))

    def delete(self, *datasets: Dataset) -> None:
        """Delete the records of datasets; absent ones do not matter."""
        self._store.delete([failure_key(self._prefix, dataset) for dataset in datasets])

    def datasets(self) -> Iterator[Dataset]:
        """List the datasets that have a record, readable or not."""
        for summary in self._store.list(failures_prefix(self._prefix)):
            dataset = dataset_of_failure_key(self._prefix, summary.key)
            if dataset is not None:
                yield dataset
