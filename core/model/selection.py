"""Which datasets a rebuild message, a purge or a refresh is about.

{"dataset": "all"}                                                      everything
{"dataset": "programs"}                                                 one kind
{"dataset": "balances"}                                                 one kind, every period
{"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}       one period
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from core.model.datasets import ALL, KINDS, Dataset
from core.model.periods import EARLIEST_TARGET, Period, period_for

CHOICES = (*KINDS, ALL)
ZONES_APART = timedelta(days=2)
"""How far ahead another time zone's date can be: UTC+14 is 26 hours ahead of UTC-12."""

PERIOD_NEEDED = "the dataset {} needs both from and to, as YYYY-MM-DD"


@dataclass(frozen=True, slots=True)
class Selection:
    """A kind of dataset or `all`; with a period, one dataset of that kind."""

    name: str
    period: Period | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Select one dataset."""
        return cls(dataset.name, dataset.period)

    def covers(self, dataset: Dataset) -> bool:
        """Tell whether a dataset is selected."""
        return self.name in (ALL, dataset.name) and self.period in (None, dataset.period)

    def datasets(self, today: date, balance_months: int) -> list[Dataset]:
        """Return the selected datasets, in the order of rebuilding.

        Without a period these are the ones that are kept fresh: of a kind that has periods, the
        newest `balance_months`, newest first.
        """
        if self.period is not None:
            return [Dataset(self.name, self.period)]
        selected = [kind for kind in KINDS.values() if self.name in (ALL, kind.name)]
        return [dataset for kind in selected for dataset in kind.datasets(today, balance_months)]

    def as_json(self) -> dict[str, str]:
        """Name it as messages and payloads do."""
        return {"dataset": self.name, **(self.period.as_json() if self.period else {})}


def parse_selection(document: Mapping[str, Any], today: date) -> Selection:
    """Read `dataset`, `from` and `to` of a message or an admin payload.

    Raises ValueError, which says what is allowed and repeats nothing of the document.
    """
    name = document.get("dataset")
    if name not in CHOICES:
        raise ValueError(f"dataset must be one of {', '.join(CHOICES)}")
    if "from" not in document and "to" not in document:
        return Selection(name)
    if name == ALL or not KINDS[name].has_periods:
        periodic = [kind.name for kind in KINDS.values() if kind.has_periods]
        raise ValueError(f"from and to go with the dataset {' or '.join(periodic)} only")
    if "from" not in document or "to" not in document:
        raise ValueError(PERIOD_NEEDED.format(name))
    return Selection(name, _requested_period(document, today))


def _requested_period(document: Mapping[str, Any], today: date) -> Period:
    """Read `from` and `to`: a whole month or a month's 1st to a day in it, up to today's month."""
    try:
        period = Period.parse(document["from"], document["to"])
    except TypeError as exc:
        raise ValueError("from and to must be texts, written as YYYY-MM-DD") from exc
    except ValueError as exc:
        raise ValueError(f"from and to: {exc}") from exc
    earliest = period_for(EARLIEST_TARGET, today).start
    if not earliest <= period.start <= today + ZONES_APART:
        raise ValueError(
            f"from and to must lie between {earliest.isoformat()} and the current month"
        )
    return period
