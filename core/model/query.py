"""Query strings, read into frozen queries: what a caller may choose, and what is refused.

Every query is hashable, so that a rendered answer can be kept under it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.errors import InvalidParameterError
from core.model.periods import EARLIEST_TARGET, Period, parse_date, period_for

_OFF = frozenset({"no", "off", "false"})

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProgramsQuery:
    """How a program list is to be selected and ordered. `limit` 0 means all."""

    include_inactive: bool = False
    show_other_code: bool = False
    hide_no_program_code: bool = False
    priority_codes: tuple[str, ...] = ()
    limit: int = 0


@dataclass(frozen=True, slots=True)
class BalancesQuery:
    """Which period's balances are wanted, and of which accounts."""

    period: Period
    include_inactive: bool = False


def parse_programs_query(parameters: Parameters) -> ProgramsQuery:
    """Read the parameters of /accounts and /tags; unknown ones are ignored.

    Raises InvalidParameterError for a value that is not allowed.
    """
    return ProgramsQuery(
        include_inactive=_flag(parameters, "show_inactive_codes"),
        show_other_code=_flag(parameters, "show_other_code"),
        hide_no_program_code=_flag(parameters, "hide_no_program_code"),
        priority_codes=_codes(parameters, "priority_codes"),
        limit=_limit(parameters, "limit"),
    )


def parse_balances_query(parameters: Parameters, today: date) -> BalancesQuery:
    """Read the parameters of /balances; unknown ones are ignored.

    Raises InvalidParameterError for a value that is not allowed.
    """
    return BalancesQuery(
        period=period_for(_target_date(parameters, "target_date", today), today),
        include_inactive=_flag(parameters, "show_inactive_codes"),
    )


def _flag(parameters: Parameters, name: str) -> bool:
    """Tell whether a switch is on: any value but no, off and false; absent is off."""
    return name in parameters and parameters[name].lower() not in _OFF


def _codes(parameters: Parameters, name: str) -> tuple[str, ...]:
    codes = [part.strip() for part in parameters.get(name, "").split(",")]
    if not all(re.fullmatch(r"[0-9A-Za-z]*", code) for code in codes):
        raise InvalidParameterError(name, "a comma-separated list of codes of letters and digits")
    return tuple(dict.fromkeys(code for code in codes if code))


def _limit(parameters: Parameters, name: str) -> int:
    value = parameters.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise InvalidParameterError(name, "a whole number from 0 (all) upwards")
    return int(value)


def _target_date(parameters: Parameters, name: str, today: date) -> date:
    if name not in parameters:
        return today
    try:
        target = parse_date(parameters[name])
    except ValueError:
        target = None
    if target is None or not EARLIEST_TARGET <= target <= today:
        raise InvalidParameterError(
            name, f"a date as YYYY-MM-DD, from {EARLIEST_TARGET.isoformat()} to today"
        )
    return target
