"""Trial balances: joined, added up, and refused where they are not complete."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UpstreamDataError
from core.model.entry import BalanceRow
from core.transform.balances import join_balances, unbalanced_accounts
from tests.builders import (
    SAMPLE_GL,
    SEPTEMBER,
    make_accounts,
    make_balance_record,
    make_balance_records,
    make_balances,
    make_balances_reply,
    make_row,
)
from tests.samples import sample

GL = make_accounts(SAMPLE_GL)
CENTS = st.decimals(-(10**12), 10**12, places=2)


def rows_of(*records: dict[str, Any]) -> tuple[BalanceRow, ...]:
    return join_balances(make_balances_reply(*records), GL, SEPTEMBER).rows


def test_join_balances_sample_is_in_mips_order_with_the_charts_names() -> None:
    reply = json.loads(sample("upstream/balances.json"), parse_float=Decimal)
    assert join_balances(reply, GL, SEPTEMBER).rows == (
        BalanceRow("2000", "Grants payable", "A", "-1250.10", "50.00", "-1200.10"),
        BalanceRow("1000", "Cash", "A", "0.30", "0", "0.30"),
    )


def test_join_balances_keeps_the_period() -> None:
    assert join_balances(make_balances_reply(), GL, SEPTEMBER).period == SEPTEMBER


@pytest.mark.parametrize(
    ("account", "name", "status"),
    [
        pytest.param("3000", "Old bank", "I", id="inactive"),
        pytest.param("9999", "", None, id="missing from the chart"),
    ],
)
def test_join_balances_account_is_named_as_in_the_chart(
    account: str, name: str, status: str | None
) -> None:
    [row] = rows_of(*make_balance_records(account, 5, 0, 5))
    assert row == BalanceRow(account, name, status, "5", "0", "5")


def test_join_balances_records_in_any_order_are_joined() -> None:
    records = [*make_balance_records("1000", 1, 2, 3), *make_balance_records("2000", 4, 5, 9)]
    rows = rows_of(*reversed(records))
    assert rows[0][3:] == ("4", "5", "9")
    assert [row.account for row in rows] == ["2000", "1000"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        pytest.param(Decimal("12.50"), "12.50", id="trailing zero"),
        pytest.param(Decimal("-0.00"), "-0.00", id="negative zero"),
        pytest.param(Decimal("0.1000"), "0.1000", id="four places"),
        pytest.param(Decimal("12345678901234567890.12"), "12345678901234567890.12", id="long"),
        pytest.param(Decimal("1E+3"), "1000", id="exponent"),
        pytest.param(Decimal("1.5E-7"), "0.00000015", id="negative exponent"),
        pytest.param("2.50e2", "250", id="exponent in a text"),
        pytest.param("9" * 36, "9" * 36, id="as many digits as are allowed"),
    ],
)
def test_join_balances_amount_keeps_mips_digits(sent: Any, text: str) -> None:
    (row,) = rows_of(*make_balance_records("1000", sent, 0, sent))
    assert row.start == text


@pytest.mark.parametrize("literal", ["0.10", "0.30000000000000004", "-7"])
def test_join_balances_amount_is_the_text_of_the_reply(literal: str) -> None:
    body = json.dumps(make_balances_reply(*make_balance_records("1000", 0, 0, 777)))
    reply = json.loads(body.replace("777", literal), parse_float=Decimal)
    assert join_balances(reply, GL, SEPTEMBER).rows[0].end == literal


def test_join_balances_several_currencies_are_added_up_exactly() -> None:
    rows = rows_of(
        *make_balance_records("1000", Decimal("0.10"), Decimal("1.00"), Decimal("1.10")),
        make_balance_record("1000", 1, Decimal("0.2")),
        make_balance_record("1000", 3, Decimal("0.2"), DBDETAIL_SUM_CURRENCY="EUR"),
    )
    assert rows == (BalanceRow("1000", "Cash", "A", "0.30", "1.00", "1.30"),)


def test_join_balances_adds_posted_and_not_source_amounts() -> None:
    records = make_balance_records("1000", 1, 1, 2)
    records[0]["DBDETAIL_SUM_SRCPOSTEDAMT"] = 99
    assert rows_of(*records)[0].start == "1"


@given(st.lists(CENTS, min_size=1, max_size=20))
def test_join_balances_sum_is_never_rounded(amounts: list[Decimal]) -> None:
    records = [make_balance_record("1000", kind, "0.00") for kind in (2, 3)]
    (row,) = rows_of(*records, *(make_balance_record("1000", 1, amount) for amount in amounts))
    assert Decimal(row.start) * 100 == sum(int(amount * 100) for amount in amounts)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ([], "not a JSON object"),
        ({}, "no success"),
        (make_balances_reply(result="success"), "no success"),
        ({"executionResult": "SUCCESS"}, "no list Level1"),
        ({"executionResult": "SUCCESS", "extraInformation": []}, "no list Level1"),
        ({"executionResult": "SUCCESS", "extraInformation": {"Level1": {}}}, "no list Level1"),
        ({"executionResult": "SUCCESS", "extraInformation": {"Level1": [5]}}, "not a record"),
    ],
)
def test_join_balances_reply_of_another_shape_is_refused(reply: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        join_balances(reply, GL, SEPTEMBER)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_join_balances_account_without_one_of_its_records_is_refused(missing: int) -> None:
    records = make_balance_records("1000", 1, 2, 3)
    del records[missing - 1]
    with pytest.raises(UpstreamDataError, match="lacks one of its three"):
        rows_of(*make_balance_records("2000", 0, 0, 0), *records)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("DBDETAIL_SUM_SEGMENT_N0", value) for value in (None, "", 1000)],
        *[("DBDETAIL_SUM_TYPE", value) for value in (None, 4, "1", True, [1])],
        *[("DBDETAIL_SUM_POSTEDAMT", value) for value in (None, "", "1,234.50", "(5.00)", True)],
        *[("DBDETAIL_SUM_POSTEDAMT", value) for value in (float("nan"), float("inf"))],
        *[("DBDETAIL_SUM_POSTEDAMT", value) for value in ("\u0665", "1E+99", "9" * 37)],
    ],
)
def test_join_balances_unusable_field_is_refused_by_name(field: str, value: Any) -> None:
    records = make_balance_records("1000", 0, 0, 0)
    records[1][field] = value
    with pytest.raises(UpstreamDataError, match=field):
        rows_of(*records)


@pytest.mark.parametrize(
    ("start", "activity", "end", "balanced"),
    [
        ("0.1", "0.2", "0.30", True),
        ("-0.00", "0", "0.00", True),
        ("100.00", "-25.50", "74.505", False),
        ("100.00", "-25.50", "74.495", False),
        ("100.00", "-25.50", "74.5049", True),
        ("100.00", "-25.50", "74.4951", True),
        ("9" * 34, "1", "1" + "0" * 34, True),
        ("9" * 34, "1", "9" * 34, False),
        ("9" * 33, "0.01", "9" * 33 + ".01", True),
    ],
)
def test_unbalanced_accounts_are_half_a_cent_or_more_off(
    start: str, activity: str, end: str, balanced: bool
) -> None:
    balances = make_balances(SEPTEMBER, [make_row(start=start, activity=activity, end=end)])
    assert unbalanced_accounts(balances) == ([] if balanced else ["1000"])
