"""Query strings, read into frozen queries: what a caller may choose, and what is refused.

A parameter is declared once, as a field of its name: how its text is read, and how it is written
into a link. Every query is hashable, so that a rendered answer can be kept under it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.errors import InvalidParameterError
from core.model.periods import EARLIEST_TARGET, Period, parse_date, period_for

FIRST_ZONE = timedelta(hours=14)
"""A day begins first in UTC+14 (Kiritimati)."""

LONGEST_SEARCH = 256
"""Characters of a search: as many as a tag value can have, so that a whole one can be pasted."""

_OFF = frozenset({"no", "off", "false"})
_LIMIT_DIGITS = 18
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Parameters = Mapping[str, str]


def read_switch(text: str) -> bool:
    """Read a switch: any value but no, off and false, in any case, is on."""
    return text.lower() not in _OFF


def read_codes(text: str) -> tuple[str, ...]:
    """Read comma-separated codes; empty ones, repeated ones and spaces around them do not count."""
    codes = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9A-Za-z]*", code) for code in codes):
        raise ValueError("a comma-separated list of codes of letters and digits")
    return tuple(dict.fromkeys(code for code in codes if code))


def read_limit(text: str) -> int:
    """Read a whole number of any length; no list is so long that a 19th digit would matter."""
    if not re.fullmatch(r"[0-9]+", text):
        raise ValueError("a whole number from 0 (all) upwards")
    return int(text.lstrip("0")[:_LIMIT_DIGITS] or "0")


def read_search(text: str) -> str:
    """Read what is searched for; control characters and lone surrogates count as spaces."""
    if len(text) > LONGEST_SEARCH:
        raise ValueError(f"a text of at most {LONGEST_SEARCH} characters, as long as a tag can be")
    # Neither can be typed, and a surrogate could be written into no link.
    return _CONTROL.sub(" ", text).strip()


def parameter(default: Any, read: Callable[[str], Any], write: Callable[[Any], str] = str) -> Any:
    """Declare a parameter. `read` raises ValueError, which says what is allowed."""
    return field(default=default, metadata={"read": read, "write": write})


def switch() -> Any:
    """Declare a parameter that is off unless it is given."""
    return parameter(default=False, read=read_switch, write=lambda _on: "yes")


@dataclass(frozen=True, slots=True)
class ProgramsQuery:
    """How a program list is to be selected and ordered. `limit` 0 means all."""

    show_inactive_codes: bool = switch()
    show_other_code: bool = switch()
    hide_no_program_code: bool = switch()
    priority_codes: tuple[str, ...] = parameter((), read_codes, ",".join)
    limit: int = parameter(0, read_limit)


@dataclass(frozen=True, slots=True)
class FinderQuery(ProgramsQuery):
    """Which of these programs the page is to find. An empty `q` finds all of them."""

    q: str = parameter("", read_search)


@dataclass(frozen=True, slots=True)
class BalancesQuery:
    """Which period's balances are wanted, and of which accounts."""

    period: Period
    show_inactive_codes: bool = switch()


def parse_programs_query(parameters: Parameters) -> ProgramsQuery:
    """Read the parameters of the program lists; unknown ones are ignored.

    Raises InvalidParameterError for a value that is not allowed.
    """
    return ProgramsQuery(**_read(ProgramsQuery, parameters))


def parse_finder_query(parameters: Parameters) -> FinderQuery:
    """Read the parameters of the page; unknown ones are ignored.

    Raises InvalidParameterError for a value that is not allowed.
    """
    return FinderQuery(**_read(FinderQuery, parameters))


def parse_balances_query(parameters: Parameters, today: date, latest: date) -> BalancesQuery:
    """Read the parameters of /balances; unknown ones are ignored.

    `today` stands for an absent `target_date`; `latest` is the last day that it may name. A day
    after today keeps its own period. Raises InvalidParameterError for a value that is not allowed.
    """
    target = _target_date(parameters, "target_date", today, latest)
    period = period_for(target, max(today, target))
    return BalancesQuery(period, **_read(BalancesQuery, parameters))


def latest_day(now: datetime) -> date:
    """Return the date in the time zone where days begin first."""
    return (now.astimezone(UTC) + FIRST_ZONE).date()


def written(query: ProgramsQuery) -> dict[str, str]:
    """Return the parameters that are read as this query."""
    return {
        declared.name: declared.metadata["write"](value)
        for declared in fields(query)
        if (value := getattr(query, declared.name)) != declared.default
    }


def _read(query: type, parameters: Parameters) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for declared in fields(query):
        if "read" in declared.metadata and declared.name in parameters:
            try:
                values[declared.name] = declared.metadata["read"](parameters[declared.name])
            except ValueError as exc:
                raise InvalidParameterError(declared.name, str(exc)) from exc
    return values


def _target_date(parameters: Parameters, name: str, today: date, latest: date) -> date:
    if name not in parameters:
        return today
    try:
        target = parse_date(parameters[name])
    except ValueError:
        target = None
    if target is None or not EARLIEST_TARGET <= target <= latest:
        raise InvalidParameterError(
            name, f"a date as YYYY-MM-DD, from {EARLIEST_TARGET.isoformat()} to today"
        )
    return target
