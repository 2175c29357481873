import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from local.mip.replies import to_json
from local.mip.sample.organisation import (
    ACTIVITY,
    BEGINNING,
    ENDING,
    FOREIGN_SHARES,
    NOT_IN_CHART,
    WITHOUT_BALANCES,
    sample_organisation,
)

ORGANISATION = sample_organisation()
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))

type Amounts = dict[str, dict[int, Decimal]]


def amounts(start: date, end: date, field: str = "DBDETAIL_SUM_POSTEDAMT") -> Amounts:
    """Each account's amounts by record type, its currencies added up."""
    totals: Amounts = defaultdict(lambda: defaultdict(Decimal))
    for record in ORGANISATION.balances(start, end)["extraInformation"]["Level1"]:
        totals[record["DBDETAIL_SUM_SEGMENT_N0"]][record["DBDETAIL_SUM_TYPE"]] += record[field]
    return totals


def months_from(first: date, count: int) -> Iterator[tuple[date, date]]:
    for _ in range(count):
        after = (first + timedelta(days=31)).replace(day=1)
        yield first, after - timedelta(days=1)
        first = after


def accounts_of(segment: str) -> list[dict[str, str]]:
    numbers = {s["TITLE"]: s["COA_SEGID"] for s in ORGANISATION.segments()["COA_SEGID"]}
    return [a for a in ORGANISATION.accounts()["COA_SEGID"] if a["COA_SEGID"] == numbers[segment]]


@pytest.mark.parametrize("period", [NOVEMBER, (date(1999, 12, 1), date(1999, 12, 31))])
def test_start_and_activity_make_the_end(period: tuple[date, date]) -> None:
    for kinds in amounts(*period).values():
        assert kinds[BEGINNING] + kinds[ACTIVITY] == kinds[ENDING]


def test_every_month_starts_where_the_one_before_it_ended() -> None:
    previous = None
    for month in months_from(date(1999, 1, 1), 30):
        totals = amounts(*month)
        if previous:
            assert {c: k[BEGINNING] for c, k in totals.items()} == previous
        previous = {c: k[ENDING] for c, k in totals.items()}


def test_the_parts_of_a_month_make_the_month() -> None:
    whole = amounts(*NOVEMBER)
    part = amounts(date(2026, 11, 1), date(2026, 11, 23))
    rest = amounts(date(2026, 11, 24), date(2026, 11, 30))
    for code, kinds in whole.items():
        assert part[code][BEGINNING] == kinds[BEGINNING]
        assert part[code][ENDING] == rest[code][BEGINNING]
        assert part[code][ACTIVITY] + rest[code][ACTIVITY] == kinds[ACTIVITY]


def test_amounts_are_the_same_in_every_process_and_on_every_machine() -> None:
    """A change of these two figures changes everybody's sample books."""
    totals = amounts(*NOVEMBER)
    assert totals["1010"][ENDING] == Decimal("1512888.37")
    assert totals["4520"][ENDING] == Decimal("-2246106.01")


def test_every_amount_has_exactly_two_places_in_json() -> None:
    text = to_json(ORGANISATION.balances(*NOVEMBER))
    texts: list[str] = []
    json.loads(text, parse_float=lambda t: texts.append(t) or Decimal(t))
    assert len(texts) == text.count('AMT":')
    assert all(len(t.partition(".")[2]) == 2 for t in texts)
    assert any(t.endswith("0") for t in texts)


def test_accounts_in_two_currencies_have_two_records_of_each_type() -> None:
    records = ORGANISATION.balances(*NOVEMBER)["extraInformation"]["Level1"]
    for code in FOREIGN_SHARES:
        mine = [r for r in records if r["DBDETAIL_SUM_SEGMENT_N0"] == code]
        assert [r["DBDETAIL_SUM_TYPE"] for r in mine] == [1, 1, 2, 2, 3, 3]
        assert [r["DBDETAIL_SUM_CURRENCY"] for r in mine] == ["USD", "EUR"] * 3
        assert mine[1]["DBDETAIL_SUM_SRCPOSTEDAMT"] != mine[1]["DBDETAIL_SUM_POSTEDAMT"]
    totals = amounts(*NOVEMBER, field="DBDETAIL_SUM_SRCPOSTEDAMT")
    assert all(k[BEGINNING] + k[ACTIVITY] == k[ENDING] for k in totals.values())


def test_one_account_with_balances_is_missing_from_the_chart_and_a_few_in_it_have_none() -> None:
    charted = {a["COA_CODE"] for a in accounts_of("GL")}
    posted = set(amounts(*NOVEMBER))
    assert posted - charted == {NOT_IN_CHART}
    assert charted - posted == WITHOUT_BALANCES


def test_the_programs_hold_every_case_that_the_service_tells_apart() -> None:
    programs = accounts_of("Program")
    codes = [p["COA_CODE"] for p in programs]
    inactive = [p["COA_CODE"] for p in programs if p["COA_STATUS"] == "I"]
    assert {4, 5, 6, 8} == {len(code) for code in codes}
    assert len({code[:6] for code in codes if len(code) == 8}) < sum(len(c) == 8 for c in codes)
    assert any(len(code) == 8 for code in inactive)
    assert any(not c.isalnum() and c not in " .:/=+-@_" for p in programs for c in p["COA_TITLE"])
    assert codes != sorted(codes)


def test_a_period_before_the_books_begin_or_with_its_ends_exchanged_is_refused() -> None:
    with pytest.raises(ValueError, match="1990-01-01"):
        ORGANISATION.balances(date(1989, 12, 1), date(1989, 12, 31))
    with pytest.raises(ValueError, match="end before"):
        ORGANISATION.balances(date(2026, 11, 2), date(2026, 11, 1))
