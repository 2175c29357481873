"""Which days a balance report covers.

On the 1st of a month it is the whole month before; in the current month, the 1st to the target
day; otherwise the target's whole month.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

EARLIEST_TARGET = date(2000, 1, 1)
"""No report is asked for a day before this one; its period is December 1999."""


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """A month, or its 1st to a day in it. Both ends are included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("a period must not end before it starts")
        if self.start.day != 1 or (self.start.year, self.start.month) != (
            self.end.year,
            self.end.month,
        ):
            raise ValueError("a period must be a whole month, or a month's 1st to a day in it")

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read two dates as YYYY-MM-DD. Raises ValueError, which says what a period must be."""
        return cls(parse_date(start), parse_date(end))

    def __str__(self) -> str:
        return f"{self.start.isoformat()}_{self.end.isoformat()}"

    def as_json(self) -> dict[str, str]:
        """Return both ends as messages, payloads and entries name them."""
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}


def parse_date(value: str) -> date:
    """Read YYYY-MM-DD; the other spellings of ISO 8601 are refused.

    Raises ValueError.
    """
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("a date must be written as YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as exc:
        raise ValueError("a date must be written as YYYY-MM-DD") from exc


def month_of(day: date) -> Period:
    """Return the whole month that holds the day."""
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(day.replace(day=1), day.replace(day=last))


def period_for(target: date, today: date) -> Period:
    """Return the period that a report for the target day covers, seen from today."""
    if target.day == 1:
        return month_of(target - timedelta(days=1))
    if (target.year, target.month) == (today.year, today.month):
        return Period(target.replace(day=1), target)
    return month_of(target)


def recent_periods(today: date, months: int) -> list[Period]:
    """Return the current period and the whole months before it, newest first, `months` in all."""
    periods = [period_for(today, today)]
    while len(periods) < months:
        periods.append(month_of(periods[-1].start - timedelta(days=1)))
    return periods
