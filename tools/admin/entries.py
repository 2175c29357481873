"""What a stored version is: an entry, a tombstone, or nothing that can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import UnreadableEntryError
from core.model.datasets import Dataset
from core.model.entry import CacheEntry, PeriodBalances, decode, encode
from tools.admin.bucket import Bucket, Stored
from tools.admin.datasets import key_of
from tools.admin.errors import AwsError
from tools.admin.stack import Stack

SCHEDULE_ON = (
    "The next rebuild replaces it, and the schedule is on: `schedule off` keeps it until it is no "
    "longer fresh, or somebody refreshes."
)
SCHEDULE_OFF = (
    "The schedule is off, so it stays until it is no longer fresh, or somebody refreshes. "
    "When MIP's data is good again: `schedule on`."
)


@dataclass(frozen=True)
class NotAnEntry:
    """A version that is no entry: `state` is `purged`, `unreadable` or `deleted`."""

    state: str
    reason: str


def read_entry(bucket: Bucket, dataset: Dataset, version_id: str) -> CacheEntry | NotAnEntry:
    """Read one version of a dataset's entry."""
    body = bucket.read_version(key_of(dataset), version_id)
    return NotAnEntry("deleted", "it was deleted") if body is None else entry_of(body, dataset)


def entry_of(body: bytes, dataset: Dataset) -> CacheEntry | NotAnEntry:
    """Read what is stored under a dataset's key."""
    try:
        decoded = decode(body, dataset)
    except UnreadableEntryError as exc:
        return NotAnEntry("unreadable", str(exc))
    if isinstance(decoded, CacheEntry):
        return decoded
    return NotAnEntry("purged", "a purge put it there: it is no entry")


def count_items(entry: CacheEntry) -> int:
    """Count an entry's programs, inactive ones too, or its accounts."""
    if isinstance(entry.data, PeriodBalances):
        return len(entry.data.rows)
    return len(entry.data.with_inactive)


def texts_of(entry: CacheEntry) -> Mapping[str, str]:
    """Return what an entry says of each code or account, as one text each."""
    if isinstance(entry.data, PeriodBalances):
        return {
            row.account: f"{row.name}: {row.start}, {row.activity}, {row.end}"
            for row in entry.data.rows
        }
    inactive = {code: f"{name} (inactive)" for code, name in entry.data.with_inactive.items()}
    return {**inactive, **entry.data.active}


def put(
    stack: Stack, entry: CacheEntry, present: Stored | None, now: datetime, fresh_for: timedelta
) -> tuple[CacheEntry, str | None]:
    """Write an entry in the place of the present object; return it, and its version.

    `built_at` stays in the past, so that no message in the queue takes it for its own rebuild.
    Raises RefusedError if another write came first.
    """
    fresh = replace(entry, fresh_until=now + fresh_for)
    version = stack.bucket.replace(key_of(entry.dataset), encode(fresh), present)
    return fresh, version


def what_comes_next(stack: Stack) -> list[str]:
    """Tell what will replace an entry that was put by hand, and where an older one may linger."""
    try:
        sentences = [SCHEDULE_ON if stack.schedule().is_on else SCHEDULE_OFF]
    except AwsError as exc:
        # The entry is written. A missing right to look at the schedule must not hide that.
        sentences = [
            f"The next rebuild replaces it. Whether the schedule is on is not known: {exc}."
        ]
    if "EdgeDistribution" in stack.resources:
        sentences.append("The edge cache may serve what it has for up to EdgeTtlSeconds.")
    return sentences
