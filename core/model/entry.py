"""A cache entry: one JSON object, of one schema version, that a reader can serve from.

Shape (`v1`):

    {"schema": "v1", "dataset": "programs", "built_at": "…", "fresh_until": "…", "data": {…}}

    data of programs:  {"active": {code: name, …}, "with_inactive": {code: name, …}}, by code
    data of balances:  {"from": "…", "to": "…", "rows": [[account, name, status, start, activity,
                       end], …]} in MIP's order; amounts are MIP's decimal texts; an account that
                       the chart lacks has an empty name and the status null

Times are ISO 8601 with an offset. `built_at` is when the fetch from MIP began, so everything that
was true at MIP before that moment is in the entry.

A tombstone stands in the place of an entry that does not exist: it has an `id` instead of `data`.

    {"schema": "v1", "dataset": "programs", "id": "…", "purged_at": "…"}

So there is always an object whose ETag a rebuild can compare, and a purge is a write like any
other: a rebuild that began before it is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import MINYEAR, datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import uuid4

from core.errors import UnreadableEntryError
from core.model.datasets import BALANCES, PROGRAMS, SCHEMA, Dataset
from core.model.periods import Period
from core.timing import read_time


@dataclass(frozen=True, slots=True)
class ProgramLists:
    """Both deduplicated lists, code to name, in the order of the codes."""

    active: Mapping[str, str]
    with_inactive: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {"active": dict(self.active), "with_inactive": dict(self.with_inactive)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], _: Dataset) -> Self:
        """Read the data of an entry. Raises UnreadableEntryError."""
        return cls(_names(data, "active"), _names(data, "with_inactive"))


class BalanceRow(NamedTuple):
    """One GL account in one period. Amounts are decimal texts in the base currency."""

    account: str
    name: str
    status: str | None
    start: str
    activity: str
    end: str


@dataclass(frozen=True, slots=True)
class PeriodBalances:
    """The accounts that have balances in a period, in MIP's order."""

    period: Period
    rows: tuple[BalanceRow, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {**self.period.as_json(), "rows": self.rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], dataset: Dataset) -> Self:
        """Read the data of an entry. Raises UnreadableEntryError."""
        try:
            period = Period.parse(data["from"], data["to"])
        except (KeyError, TypeError, ValueError) as exc:
            raise UnreadableEntryError("its data does not name a period") from exc
        _require(period == dataset.period, "its period is not the one of its key")
        rows = data.get("rows")
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise UnreadableEntryError("its rows do not have the documented shape")
        return cls(period, tuple(BalanceRow(*row) for row in rows))


EntryData = ProgramLists | PeriodBalances

DATA_TYPES: Mapping[str, type[EntryData]] = {PROGRAMS: ProgramLists, BALANCES: PeriodBalances}
"""What is stored of each kind of dataset (`core.model.datasets: KINDS`)."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What the cache holds of one dataset, and until when it counts as fresh."""

    dataset: Dataset
    built_at: datetime
    fresh_until: datetime
    data: EntryData

    def marked_stale(self, now: datetime) -> Self:
        """Return the same entry, stale from now on (a soft purge).

        One that is stale already begins a new generation, so that readers who wait for an earlier
        rebuild, or wait out its failure, ask for this rebuild too.
        """
        just_before = self.fresh_until - timedelta(microseconds=1)
        return replace(self, fresh_until=min(now, just_before))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Stands in the place of an entry that does not exist. `id` tells one purge from the next.

    `purged_at` is None for the tombstone that the worker puts before a first rebuild.
    """

    dataset: Dataset
    id: str
    purged_at: datetime | None = None

    @classmethod
    def new(cls, dataset: Dataset, purged_at: datetime | None = None) -> Self:
        """Make a tombstone with an id of its own."""
        return cls(dataset, uuid4().hex, purged_at)


def encode_tombstone(tombstone: Tombstone) -> bytes:
    """Write a tombstone as JSON."""
    document = {"schema": SCHEMA, "dataset": tombstone.dataset.name, "id": tombstone.id}
    if tombstone.purged_at is not None:
        document["purged_at"] = tombstone.purged_at.isoformat()
    return json.dumps(document).encode()


def encode(entry: CacheEntry) -> bytes:
    """Write an entry as JSON."""
    document = {
        "schema": SCHEMA,
        "dataset": entry.dataset.name,
        "built_at": entry.built_at.isoformat(),
        "fresh_until": entry.fresh_until.isoformat(),
        "data": entry.data.as_json(),
    }
    # A lone surrogate, which JSON can smuggle into a name, must not keep an entry from being built.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def decode(body: bytes, dataset: Dataset) -> CacheEntry | Tombstone:
    """Read what is stored under the key of a dataset.

    Raises UnreadableEntryError when the body is truncated, not JSON, of another schema version, of
    another dataset or period, or not of the documented shape. The message tells which, and holds
    nothing of the body.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise UnreadableEntryError("the object is not JSON") from exc
    _require(isinstance(document, dict), "the object is not a JSON object")
    _require(document.get("schema") == SCHEMA, f"its schema is not {SCHEMA}")
    _require(document.get("dataset") == dataset.name, f"its dataset is not {dataset.name}")
    if "id" in document:
        return _tombstone(document, dataset)
    return CacheEntry(
        dataset=dataset,
        built_at=_time(document, "built_at"),
        fresh_until=_time(document, "fresh_until"),
        data=_data(document.get("data"), dataset),
    )


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise UnreadableEntryError(problem)


def _tombstone(document: Mapping[str, Any], dataset: Dataset) -> Tombstone:
    tombstone_id = document["id"]
    if not isinstance(tombstone_id, str) or not tombstone_id:
        raise UnreadableEntryError("the id of the tombstone is not a text")
    purged_at = _time(document, "purged_at") if "purged_at" in document else None
    return Tombstone(dataset, tombstone_id, purged_at)


def _time(document: Mapping[str, Any], name: str) -> datetime:
    try:
        # HTTP dates are written from UTC; the first and last hours of time may have no such form.
        moment = read_time(document.get(name, ""))
    except (TypeError, ValueError, OverflowError) as exc:
        raise UnreadableEntryError(f"its {name} is not an ISO 8601 time with an offset") from exc
    # There must be a moment before it, for a soft purge.
    _require(moment.year > MINYEAR, f"its {name} is out of range")
    return moment


def _data(data: object, dataset: Dataset) -> EntryData:
    if not isinstance(data, dict):
        raise UnreadableEntryError("its data is not a JSON object")
    return DATA_TYPES[dataset.name].from_json(data, dataset)


def _names(data: Mapping[str, Any], list_name: str) -> Mapping[str, str]:
    names = data.get(list_name)
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise UnreadableEntryError(f"its list {list_name} is not a JSON object of names")
    # The worker writes it in order. Sorting it again would cost a quarter of the decoding.
    return names if list(names) == sorted(names) else dict(sorted(names.items()))


def _is_row(row: object) -> bool:
    if not isinstance(row, list) or len(row) != len(BalanceRow._fields):
        return False
    status = row[BalanceRow._fields.index("status")]
    return all(value is status or isinstance(value, str) for value in row) and (
        status is None or isinstance(status, str)
    )
