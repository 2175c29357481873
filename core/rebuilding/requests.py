"""What a batch of messages asks for, how its messages share rebuilds, and what each one gets.

For example, three messages arrive in one batch, and the programs were last built at 12:00:30:

    A, sent 12:00:00: programs                asks for programs built at 12:00:00 or later
    B, sent 12:01:00: programs                asks for programs built at 12:01:00 or later
    C, sent 12:01:30: balances of October     asks for balances built at 12:01:30 or later

1. The requests are combined: the programs have to be as new as 12:01:00, the balances as 12:01:30.
2. The programs of 12:00:30 are too old for that, so both datasets are rebuilt, in one session.
3. Each message is judged by its own time. A is satisfied by the programs of 12:00:30, whatever the
   rebuild came to: it collapsed. B and C succeed or fail with the dataset that they asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import MipsCacheError
from core.model.datasets import KINDS, Dataset
from core.model.entry import CacheEntry

DatasetErrors = Mapping[Dataset, MipsCacheError | None]
"""What each rebuild came to: None where it worked."""


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """A message: it asks for entries of its datasets that are newer than it is itself."""

    message_id: str
    datasets: tuple[Dataset, ...]
    sent_at: datetime
    accept_shrink: bool = False


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """What a message gets: the errors of the datasets that it still waits for.

    `collapsed` tells that every dataset's entry was newer than the message before any work began.
    """

    errors: Mapping[Dataset, MipsCacheError] = field(default_factory=dict)
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What all messages of a batch together ask of one dataset."""

    dataset: Dataset
    newest_sent_at: datetime
    accept_shrink: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a dataset before anything is fetched.

    Without an object `etag` is None; without an entry that can be read `entry` is None. `error`
    is what kept it from being looked at.
    """

    etag: str | None = None
    entry: CacheEntry | None = None
    error: MipsCacheError | None = None

    def satisfies(self, sent_at: datetime) -> bool:
        """Tell whether the entry is as new as a message of that time asks for."""
        return self.entry is not None and self.entry.built_at >= sent_at


def combined(requests: Iterable[RebuildRequest]) -> list[DatasetRequest]:
    """Combine the requests for each dataset, in the order of rebuilding.

    The newest message counts, and an operator's acceptance of a much shorter list in any of them.
    """
    by_dataset: dict[Dataset, DatasetRequest] = {}
    for request in requests:
        for dataset in request.datasets:
            own = DatasetRequest(dataset, request.sent_at, request.accept_shrink)
            earlier = by_dataset.get(dataset, own)
            by_dataset[dataset] = replace(
                own,
                newest_sent_at=max(earlier.newest_sent_at, own.newest_sent_at),
                accept_shrink=earlier.accept_shrink or own.accept_shrink,
            )
    order = list(KINDS)
    return sorted(by_dataset.values(), key=lambda request: order.index(request.dataset.name))


def result_of(
    request: RebuildRequest, stored: Mapping[Dataset, Stored], errors: DatasetErrors
) -> RebuildResult:
    """Judge a message by its own time: a newer one in the batch may ask for more than it does."""
    waiting = [
        dataset for dataset in request.datasets if not stored[dataset].satisfies(request.sent_at)
    ]
    failed = {dataset: error for dataset in waiting if (error := errors[dataset]) is not None}
    return RebuildResult(failed, collapsed=not waiting)
