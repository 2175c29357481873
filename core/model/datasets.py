"""The things that are cached, and their keys: this is the only module that spells one.

A key holds the schema version and everything that changes the entry's content. What a reader may
choose (inactive codes, limit, order) is not in it: an entry holds enough for every choice.
"""

import re
from dataclasses import dataclass

from core.model.periods import Period

SCHEMA = "v1"
"""Version of the entries' shape. A change that old code could not read needs a new one."""

PROGRAMS = "programs"
BALANCES = "balances"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One cacheable thing: the program lists (no period), or the balances of one period."""

    name: str
    period: Period | None = None

    def __str__(self) -> str:
        return self.name if self.period is None else f"{self.name}/{self.period}"

    def as_json(self) -> dict[str, str]:
        """Name it as messages and payloads do, such as {"dataset": "programs"}."""
        if self.period is None:
            return {"dataset": self.name}
        start, end = self.period.start.isoformat(), self.period.end.isoformat()
        return {"dataset": self.name, "from": start, "to": end}


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
    if name == f"{PROGRAMS}.json":
        return PROGRAM_LISTS
    match = re.fullmatch(rf"{BALANCES}/([0-9-]{{10}})_([0-9-]{{10}})\.json", name)
    if match is None:
        return None
    try:
        return balances_of(Period.parse(*match.groups()))
    except ValueError:
        return None
