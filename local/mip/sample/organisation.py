"""The sample organisation, in the shapes in which MIP Cloud reports an organisation.

Every amount is a `Decimal` with two places. Nothing here depends on the clock or on chance.
"""

import csv
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from local.mip.sample.ledger import balance_cents

ORGANISATION = "Sample Non-Profit"
GL_SEGMENT, PROGRAM_SEGMENT, FUND_SEGMENT = 0, 1, 2
SEGMENT_TITLES = {GL_SEGMENT: "GL", PROGRAM_SEGMENT: "Program", FUND_SEGMENT: "Fund"}

BEGINNING, ACTIVITY, ENDING = 1, 2, 3
_DESCRIPTIONS = {
    BEGINNING: "Beginning Balance",
    ACTIVITY: "Current Activity",
    ENDING: "Ending Balance",
}

NOT_IN_CHART = "2990"
"""This account has balances, but the chart does not list it."""

WITHOUT_BALANCES = frozenset({"1540", "1545", "9910", "9920"})
"""The chart lists these accounts, but nothing was ever posted to them."""

FOREIGN_SHARES = {"1070": 25, "1110": 40, "7540": 10}
"""Percentage of these accounts' balances that is kept in euros, the rest being in dollars."""

_DOLLARS_PER_100_EUROS = 108

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """One code of a segment. `status` is `A` (active) or `I` (inactive)."""

    code: str
    status: str
    title: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """A chart of three segments, each in the order in which MIP lists it, and the books."""

    programs: tuple[ChartAccount, ...]
    gl: tuple[ChartAccount, ...]
    funds: tuple[ChartAccount, ...]

    def with_programs(self, programs: Iterable[ChartAccount]) -> Self:
        """Return the same organisation with other programs."""
        return replace(self, programs=tuple(programs))

    def segments(self) -> dict[str, list[Record]]:
        """Return what MIP answers to `segments`."""
        return {
            "COA_SEGID": [
                {"COA_SEGID": number, "TITLE": title} for number, title in SEGMENT_TITLES.items()
            ]
        }

    def accounts(self) -> dict[str, list[Record]]:
        """Return what MIP answers to `segments/accounts`: the codes of all segments."""
        return {
            "COA_SEGID": [
                {
                    "COA_SEGID": segment,
                    "COA_CODE": account.code,
                    "COA_STATUS": account.status,
                    "COA_TITLE": account.title,
                }
                for segment, accounts in self._segments()
                for account in accounts
            ]
        }

    def balances(self, start: date, end: date) -> dict[str, Any]:
        """Return what MIP answers to `GetAccountBalances` for the days start to end, inclusive.

        Raises ValueError when the period ends before it starts, or starts before the books do.
        """
        if start > end:
            raise ValueError("the period must not end before it starts")
        codes = sorted({account.code for account in self.gl} - WITHOUT_BALANCES | {NOT_IN_CHART})
        records = [record for code in codes for record in _balance_records(code, start, end)]
        return {"executionResult": "SUCCESS", "extraInformation": {"Level1": records}}

    def _segments(self) -> Iterator[tuple[int, tuple[ChartAccount, ...]]]:
        yield GL_SEGMENT, self.gl
        yield PROGRAM_SEGMENT, self.programs
        yield FUND_SEGMENT, self.funds


@functools.cache
def sample_organisation() -> Organisation:
    """Return the organisation that the CSV files beside this module describe."""
    return Organisation(
        programs=_read("programs.csv"), gl=_read("gl_accounts.csv"), funds=_read("funds.csv")
    )


def _read(name: str) -> tuple[ChartAccount, ...]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return tuple(ChartAccount(**row) for row in csv.DictReader(file))


def _balance_records(code: str, start: date, end: date) -> Iterator[Record]:
    before = balance_cents(code, start.toordinal())
    after = balance_cents(code, end.toordinal() + 1)
    parts = list(zip(_currencies(code, before), _currencies(code, after), strict=True))
    for kind in (BEGINNING, ACTIVITY, ENDING):
        for (currency, posted, source), (_, posted_after, source_after) in parts:
            yield {
                "DBDETAIL_SUM_SEGMENT_N0": code,
                "DBDETAIL_SUM_TYPE": kind,
                "DBDETAIL_SUM_DESC": _DESCRIPTIONS[kind],
                "DBDETAIL_SUM_CURRENCY": currency,
                "DBDETAIL_SUM_POSTEDAMT": _amount(kind, posted, posted_after),
                "DBDETAIL_SUM_SRCPOSTEDAMT": _amount(kind, source, source_after),
                "DBDETAIL_SUM_FROMDATE": start.isoformat(),
                "DBDETAIL_SUM_THRUDATE": end.isoformat(),
            }


def _currencies(code: str, cents: int) -> list[tuple[str, int, int]]:
    """Split a balance in dollar cents into (currency, dollar cents, cents of that currency)."""
    foreign = cents * FOREIGN_SHARES.get(code, 0) // 100
    home = cents - foreign
    if code not in FOREIGN_SHARES:
        return [("USD", home, home)]
    return [("USD", home, home), ("EUR", foreign, foreign * 100 // _DOLLARS_PER_100_EUROS)]


def _amount(kind: int, before: int, after: int) -> Decimal:
    cents = {BEGINNING: before, ACTIVITY: after - before, ENDING: after}[kind]
    return Decimal(cents).scaleb(-2)
