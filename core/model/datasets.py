"""The things that are cached, and their keys: this is the only module that spells one.

A key holds the schema version and everything that changes the entry's content. What a reader may
choose (inactive codes, limit, order) is not in it: an entry holds enough for every choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.model.periods import Period, recent_periods

SCHEMA = "v1"
"""Version of the entries' shape. A change that old code could not read needs a new one."""

PROGRAMS = "programs"
BALANCES = "balances"
ALL = "all"


@dataclass(frozen=True, slots=True)
class DatasetKind:
    """One row of the table of kinds: there is one dataset of a kind, or one for each period."""

    name: str
    has_periods: bool

    def datasets(self, today: date, balance_months: int) -> list["Dataset"]:
        """Return what is kept fresh of this kind: everything, or the last `balance_months`."""
        if not self.has_periods:
            return [Dataset(self.name)]
        return [Dataset(self.name, period) for period in recent_periods(today, balance_months)]


KINDS: Mapping[str, DatasetKind] = {
    kind.name: kind
    for kind in (
        # Programs first: a balances call that hangs must not keep them away.
        DatasetKind(PROGRAMS, has_periods=False),
        DatasetKind(BALANCES, has_periods=True),
    )
}
"""The table of datasets, in the order of rebuilding. Messages and commands offer what it lists.

A new kind has a row here, a type of data in `core.model.entry` (what is stored of it), and a row in
`core.rebuilding.fetch` (how it is fetched, and for how long it is fresh).
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One cacheable thing: the program lists (no period), or the balances of one period."""

    name: str
    period: Period | None = None

    def __str__(self) -> str:
        return self.name if self.period is None else f"{self.name}/{self.period}"

    def as_json(self) -> dict[str, str]:
        """Name it as messages and payloads do, such as {"dataset": "programs"}."""
        return {"dataset": self.name, **(self.period.as_json() if self.period else {})}


PROGRAM_LISTS = Dataset(PROGRAMS)


def balances_of(period: Period) -> Dataset:
    """Return the dataset that holds one period's balances."""
    return Dataset(BALANCES, period)


def entry_key(prefix: str, dataset: Dataset) -> str:
    """Return the key of a dataset's entry, such as cache/v1/balances/2026-10-01_2026-10-31.json."""
    return f"{prefix}{SCHEMA}/{dataset}.json"


def failure_key(prefix: str, dataset: Dataset) -> str:
    """Return the key of a dataset's failure record."""
    return f"{failures_prefix(prefix)}{dataset}.json"


def login_refusal_key(prefix: str) -> str:
    """Return the key under which refused credentials are noted (no dataset has this name)."""
    return f"{failures_prefix(prefix)}login.json"


def entries_prefix(prefix: str) -> str:
    """Return the prefix of everything of this schema version."""
    return f"{prefix}{SCHEMA}/"


def failures_prefix(prefix: str) -> str:
    """Return the prefix of all failure records."""
    return f"{prefix}{SCHEMA}/failures/"


def dataset_of_key(prefix: str, key: str) -> Dataset | None:
    """Return the dataset whose entry has this key; None for any other object."""
    if not key.startswith(entries_prefix(prefix)):
        return None
    return _dataset_named(key.removeprefix(entries_prefix(prefix)))


def dataset_of_failure_key(prefix: str, key: str) -> Dataset | None:
    """Return the dataset whose failure record has this key; None for any other object."""
    if not key.startswith(failures_prefix(prefix)):
        return None
    return _dataset_named(key.removeprefix(failures_prefix(prefix)))


def _dataset_named(name: str) -> Dataset | None:
    """Return the dataset of `programs.json` or `balances/2026-10-01_2026-10-31.json`."""
    kind_name, slash, dates = name.removesuffix(".json").partition("/")
    kind = KINDS.get(kind_name)
    if kind is None or not name.endswith(".json") or kind.has_periods != bool(slash):
        return None
    if not kind.has_periods:
        return Dataset(kind.name)
    try:
        return Dataset(kind.name, Period.parse(*dates.split("_", 1)))
    except (TypeError, ValueError):
        return None
