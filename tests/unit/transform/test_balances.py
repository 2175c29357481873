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


def test_join_balances_inactive_account_keeps_its_status() -> None:
    (row,) = rows_of(*make_balance_records("3000", 0, 0, 0))
    assert (row.name, row.status) == ("Old bank", "I")


def test_join_balances_account_missing_from_the_chart_is_kept_without_a_name() -> None:
    (row,) = rows_of(*make_balance_records("9999", 5, 0, 5))
    assert (row.account, row.name, row.status) == ("9999", "", None)


def test_join_balances_account_without_balances_has_no_row() -> None:
    rows = rows_of(*make_balance_records("1000", 0, 0, 0))
    assert [row.account for row in rows] == ["1000"]


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
        pytest.param(0, "0", id="integer"),
        pytest.param(Decimal("0.1000"), "0.1000", id="four places"),
        pytest.param("1234.5", "1234.5", id="text"),
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


@pytest.mark.parametrize("literal", ["0.10", "100.00", "0.30000000000000004", "-7", "99.999"])
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
        pytest.param(None, "not a JSON object", id="null"),
        pytest.param([], "not a JSON object", id="list"),
        pytest.param({}, "no success", id="nothing"),
        pytest.param(make_balances_reply(result="FAILURE"), "no success", id="failure"),
        pytest.param(make_balances_reply(result="success"), "no success", id="another spelling"),
        pytest.param(make_balances_reply(result=None), "no success", id="null result"),
        pytest.param({"executionResult": "SUCCESS"}, "no list Level1", id="no information"),
        pytest.param(
            {"executionResult": "SUCCESS", "extraInformation": []}, "no list Level1", id="a list"
        ),
        pytest.param(
            {"executionResult": "SUCCESS", "extraInformation": {"Level1": {}}},
            "no list Level1",
            id="no records list",
        ),
        pytest.param(
            {"executionResult": "SUCCESS", "extraInformation": {"Level1": [5]}},
            "not a record",
            id="no record",
        ),
    ],
)
def test_join_balances_reply_of_another_shape_is_refused(reply: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        join_balances(reply, GL, SEPTEMBER)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_join_balances_account_without_one_of_its_records_is_refused(missing: int) -> None:
    records = [
        record
        for record in make_balance_records("1000", 1, 2, 3)
        if record["DBDETAIL_SUM_TYPE"] != missing
    ]
    with pytest.raises(UpstreamDataError, match="lacks one of its three"):
        rows_of(*make_balance_records("2000", 0, 0, 0), *records)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("DBDETAIL_SUM_SEGMENT_N0", None, id="no account"),
        pytest.param("DBDETAIL_SUM_SEGMENT_N0", "", id="empty account"),
        pytest.param("DBDETAIL_SUM_SEGMENT_N0", 1000, id="account as number"),
        pytest.param("DBDETAIL_SUM_TYPE", None, id="no type"),
        pytest.param("DBDETAIL_SUM_TYPE", 4, id="unknown type"),
        pytest.param("DBDETAIL_SUM_TYPE", "1", id="type as text"),
        pytest.param("DBDETAIL_SUM_TYPE", True, id="type as boolean"),
        pytest.param("DBDETAIL_SUM_TYPE", [1], id="type as list"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", None, id="no amount"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "", id="empty amount"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "1,234.50", id="thousands"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "(5.00)", id="parentheses"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", float("nan"), id="no number"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", float("inf"), id="infinite"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", True, id="boolean"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "\u0665", id="other digits"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "1E+99", id="absurd exponent"),
        pytest.param("DBDETAIL_SUM_POSTEDAMT", "9" * 37, id="too many digits"),
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
        pytest.param("100.00", "-25.50", "74.50", True, id="adds up"),
        pytest.param("0.1", "0.2", "0.30", True, id="no float's dust"),
        pytest.param("-0.00", "0", "0.00", True, id="zeros"),
        pytest.param("100.00", "-25.50", "74.51", False, id="a cent off"),
        pytest.param("100.00", "-25.50", "74.505", False, id="half a cent over"),
        pytest.param("100.00", "-25.50", "74.495", False, id="half a cent short"),
        pytest.param("100.00", "-25.50", "74.5049", True, id="less than half a cent over"),
        pytest.param("100.00", "-25.50", "74.4951", True, id="less than half a cent short"),
        pytest.param("9" * 34, "1", "1" + "0" * 34, True, id="large"),
        pytest.param("9" * 34, "1", "9" * 34, False, id="large and one off"),
        pytest.param("9" * 33, "0.01", "9" * 33 + ".01", True, id="large with cents"),
    ],
)
def test_unbalanced_accounts_are_those_that_do_not_add_up(
    start: str, activity: str, end: str, balanced: bool
) -> None:
    balances = make_balances(SEPTEMBER, [make_row(start=start, activity=activity, end=end)])
    assert unbalanced_accounts(balances) == ([] if balanced else ["1000"])
