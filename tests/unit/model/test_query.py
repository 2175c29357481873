"""Query strings: what each parameter may say."""

from datetime import date, datetime

import pytest

from core.errors import InvalidParameterError
from core.model.periods import Period
from core.model.query import (
    LONGEST_SEARCH,
    BalancesQuery,
    ProgramsQuery,
    latest_day,
    parse_balances_query,
    parse_finder_query,
    parse_programs_query,
)
from tests.builders import OCTOBER, SEPTEMBER, TODAY

SWITCHES = ["show_inactive_codes", "show_other_code", "hide_no_program_code"]


def test_programs_query_without_parameters_has_every_default() -> None:
    assert parse_programs_query({}) == ProgramsQuery()


def test_programs_query_unknown_parameter_is_ignored() -> None:
    assert parse_programs_query({"target_date": "never", "color": "red"}) == ProgramsQuery()


@pytest.mark.parametrize("parameter", SWITCHES)
@pytest.mark.parametrize("value", ["", "yes", "0", "nope", " off"])
def test_switch_any_other_value_is_on(parameter: str, value: str) -> None:
    assert getattr(parse_programs_query({parameter: value}), parameter) is True


@pytest.mark.parametrize("parameter", SWITCHES)
@pytest.mark.parametrize("value", ["no", "off", "false", "fAlSe"])
def test_switch_no_off_false_in_any_case_is_off(parameter: str, value: str) -> None:
    assert getattr(parse_programs_query({parameter: value}), parameter) is False


@pytest.mark.parametrize(
    ("value", "limit"), [("0", 0), ("007", 7), ("0" * 5000 + "8", 8), ("9" * 18, 10**18 - 1)]
)
def test_limit_a_whole_number_is_read(value: str, limit: int) -> None:
    assert parse_programs_query({"limit": value}).limit == limit


@pytest.mark.parametrize("digits", [19, 5000])
def test_limit_of_any_length_is_more_than_any_list_has(digits: int) -> None:
    """Python itself reads no more than 4,300 digits."""
    assert parse_programs_query({"limit": "1" + "0" * digits}).limit > 10**9


@pytest.mark.parametrize("value", ["-1", "", "two", "1.5", " 1", "٣", "1\n"])
def test_limit_negative_or_no_integer_is_refused(value: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^The parameter limit must be a whole number"):
        parse_programs_query({"limit": value})


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("345678,123456", ("345678", "123456"), id="order kept"),
        pytest.param(" 345678 ,, 123456 ,", ("345678", "123456"), id="spaces and empty ones"),
        pytest.param("123456,345678,123456", ("123456", "345678"), id="repeated"),
        pytest.param("AB12", ("AB12",), id="letters"),
    ],
)
def test_priority_codes_are_read_in_the_order_given(value: str, codes: tuple[str, ...]) -> None:
    assert parse_programs_query({"priority_codes": value}).priority_codes == codes


@pytest.mark.parametrize("value", ["12-34", "é", "12 34", "123456,<b>"])
def test_priority_codes_other_characters_are_refused(value: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^The parameter priority_codes must be"):
        parse_programs_query({"priority_codes": value})


def test_invalid_parameter_message_never_quotes_the_value() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_programs_query({"priority_codes": "<script>"})
    assert "script" not in str(caught.value)


def test_queries_are_hashable_so_that_answers_can_be_kept_under_them() -> None:
    assert hash(parse_programs_query({"priority_codes": "1,2"})) == hash(
        ProgramsQuery(priority_codes=("1", "2"))
    )


def test_balances_query_without_parameters_is_the_period_of_today() -> None:
    assert parse_balances_query({}, TODAY, TODAY) == BalancesQuery(OCTOBER)


def test_balances_query_reads_its_switch_and_ignores_what_belongs_to_programs() -> None:
    parameters = {"limit": "x", "priority_codes": "?", "show_inactive_codes": ""}
    query = parse_balances_query(parameters, TODAY, TODAY)
    assert query == BalancesQuery(OCTOBER, show_inactive_codes=True)


@pytest.mark.parametrize(
    ("value", "period"),
    [
        pytest.param("2026-10-15", OCTOBER, id="today"),
        pytest.param("2026-10-01", SEPTEMBER, id="the first"),
        pytest.param("2026-09-17", SEPTEMBER, id="last month"),
        pytest.param("2000-01-01", Period(date(1999, 12, 1), date(1999, 12, 31)), id="earliest"),
    ],
)
def test_target_date_chooses_the_period(value: str, period: Period) -> None:
    assert parse_balances_query({"target_date": value}, TODAY, TODAY).period == period


@pytest.mark.parametrize(
    ("today", "target", "period"),
    [
        pytest.param(TODAY, "2026-10-16", ("2026-10-01", "2026-10-16"), id="tomorrow"),
        pytest.param(date(2026, 10, 31), "2026-11-01", ("2026-10-01", "2026-10-31"), id="the 1st"),
        pytest.param(date(2026, 10, 31), "2026-11-02", ("2026-11-01", "2026-11-02"), id="the 2nd"),
    ],
)
def test_target_date_that_is_today_elsewhere_keeps_its_own_period(
    today: date, target: str, period: tuple[str, str]
) -> None:
    query = parse_balances_query({"target_date": target}, today, date.fromisoformat(target))
    assert query.period == Period.parse(*period)


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        pytest.param("2026-10-15T09:59:59+00:00", date(2026, 10, 15), id="before midnight there"),
        pytest.param("2026-10-15T10:00:00+00:00", date(2026, 10, 16), id="midnight there"),
        pytest.param("2026-10-15T10:00:00+14:00", date(2026, 10, 15), id="another zone"),
    ],
)
def test_latest_day_is_the_one_of_utc_plus_14(now: str, latest: date) -> None:
    assert latest_day(datetime.fromisoformat(now)) == latest


@pytest.mark.parametrize("value", ["2026-10-16", "1999-12-31", "2026-02-30", "", "today"])
def test_target_date_future_too_old_or_no_iso_date_is_refused(value: str) -> None:
    with pytest.raises(
        InvalidParameterError,
        match=r"^The parameter target_date must be a date as YYYY-MM-DD, from 2000-01-01 to today",
    ):
        parse_balances_query({"target_date": value}, TODAY, TODAY)


@pytest.mark.parametrize(
    ("value", "q"),
    [
        pytest.param("  two words ", "two words", id="spaces at the ends"),
        pytest.param("a\x00b\r\nc", "a b  c", id="control characters"),
        pytest.param("a\ud800b", "a b", id="half of a character"),
        pytest.param("<b>&", "<b>&", id="markup"),
        pytest.param("n" * LONGEST_SEARCH, "n" * LONGEST_SEARCH, id="as long as a tag"),
    ],
)
def test_search_is_read_as_people_see_it(value: str, q: str) -> None:
    assert parse_finder_query({"q": value}).q == q


def test_search_that_is_longer_than_a_tag_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^The parameter q must be a text of at most"):
        parse_finder_query({"q": "n" * (LONGEST_SEARCH + 1)})


def test_search_belongs_to_the_page_alone() -> None:
    assert parse_programs_query({"q": "n" * 10_000}) == ProgramsQuery()
