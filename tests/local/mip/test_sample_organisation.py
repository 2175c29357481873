import itertools
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal

from local.mip.faults import ACCOUNT, AMOUNT, TYPE
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
SOURCE_AMOUNT = "DBDETAIL_SUM_SRCPOSTEDAMT"

type Amounts = dict[str, dict[int, Decimal]]


def amounts(start: date, end: date, field: str = AMOUNT) -> Amounts:
    """Each account's amounts by record type, its currencies added up."""
    totals: Amounts = defaultdict(lambda: defaultdict(Decimal))
    for record in ORGANISATION.balances(start, end)["extraInformation"]["Level1"]:
        totals[record[ACCOUNT]][record[TYPE]] += record[field]
    return totals


def of_kind(kind: int, totals: Amounts) -> dict[str, Decimal]:
    return {account: kinds[kind] for account, kinds in totals.items()}


def test_start_and_activity_make_the_end_in_every_currency() -> None:
    for field in (AMOUNT, SOURCE_AMOUNT):
        for kinds in amounts(*NOVEMBER, field).values():
            assert kinds[BEGINNING] + kinds[ACTIVITY] == kinds[ENDING]


def test_every_period_starts_where_the_one_before_it_ended() -> None:
    starts = [date(1999, 11, 1), date(1999, 12, 1), date(2000, 1, 1), date(2000, 1, 24)]
    ends = [date(1999, 11, 30), date(1999, 12, 31), date(2000, 1, 23), date(2000, 1, 31)]
    periods = list(map(amounts, starts, ends))
    for earlier, later in itertools.pairwise(periods):
        assert of_kind(ENDING, earlier) == of_kind(BEGINNING, later)
    whole = amounts(date(2000, 1, 1), date(2000, 1, 31))
    assert of_kind(BEGINNING, whole) == of_kind(BEGINNING, periods[2])
    assert of_kind(ENDING, whole) == of_kind(ENDING, periods[3])


def test_every_amount_has_exactly_two_places_in_json() -> None:
    written = re.findall(r'AMT": ?([^,}]+)', to_json(ORGANISATION.balances(*NOVEMBER)))
    assert [text for text in written if not re.fullmatch(r"-?\d+\.\d\d", text)] == []
    assert any(text.endswith("0") for text in written)


def test_accounts_in_two_currencies_have_two_records_of_each_type() -> None:
    records = ORGANISATION.balances(*NOVEMBER)["extraInformation"]["Level1"]
    for code in FOREIGN_SHARES:
        mine = [record for record in records if record[ACCOUNT] == code]
        assert [record[TYPE] for record in mine] == [1, 1, 2, 2, 3, 3]
        assert [record["DBDETAIL_SUM_CURRENCY"] for record in mine] == ["USD", "EUR"] * 3
        assert mine[1][SOURCE_AMOUNT] != mine[1][AMOUNT]


def test_one_account_with_balances_is_missing_from_the_chart_and_a_few_in_it_have_none() -> None:
    charted, posted = {account.code for account in ORGANISATION.gl}, set(amounts(*NOVEMBER))
    assert posted - charted == {NOT_IN_CHART}
    assert charted - posted == WITHOUT_BALANCES


def test_the_programs_hold_every_case_that_the_service_tells_apart() -> None:
    programs = ORGANISATION.programs
    codes = [program.code for program in programs]
    assert {4, 5, 6, 8} == {len(code) for code in codes}
    assert len({code[:6] for code in codes if len(code) == 8}) < sum(len(c) == 8 for c in codes)
    assert any(program.status == "I" and len(program.code) == 8 for program in programs)
    assert any(re.search(r"[^\w .:/=+@-]", program.title) for program in programs)
    assert codes != sorted(codes)
