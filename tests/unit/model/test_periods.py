"""Which days a balance report covers."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.periods import Period, month_of, parse_date, period_for, recent_periods

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("target", "today", "expected"),
    [
        pytest.param("2026-10-01", "2026-10-01", "2026-09-01_2026-09-30", id="first of this month"),
        pytest.param("2026-10-02", "2026-10-02", "2026-10-01_2026-10-02", id="second of the month"),
        pytest.param("2026-10-09", "2026-10-15", "2026-10-01_2026-10-09", id="earlier this month"),
        pytest.param("2026-08-17", "2026-10-15", "2026-08-01_2026-08-31", id="older month"),
        pytest.param("2025-10-15", "2026-10-15", "2025-10-01_2025-10-31", id="month a year ago"),
        pytest.param("2026-01-01", "2026-01-01", "2025-12-01_2025-12-31", id="new year's day"),
        pytest.param("2024-03-01", "2026-10-15", "2024-02-01_2024-02-29", id="leap february"),
        pytest.param("2023-02-10", "2026-10-15", "2023-02-01_2023-02-28", id="common february"),
    ],
)
def test_period_for_a_target_covers_the_documented_days(
    target: str, today: str, expected: str
) -> None:
    assert str(period_for(date.fromisoformat(target), date.fromisoformat(today))) == expected


@given(DAYS, DAYS)
def test_period_for_any_target_lies_in_one_month_and_ends_before_tomorrow(
    one: date, other: date
) -> None:
    target, today = sorted((one, other))
    period = period_for(target, today)
    assert period.start.day == 1
    assert month_of(period.start).end >= period.end
    assert period.end <= today or period == month_of(target)


@pytest.mark.parametrize("end", ["2024-02-01", "2024-02-15", "2024-02-29"])
def test_period_parse_a_month_or_its_beginning_is_accepted(end: str) -> None:
    assert str(Period.parse("2024-02-01", end)) == f"2024-02-01_{end}"


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        pytest.param("2026-10-31", "2026-10-01", "must not end before", id="backwards"),
        pytest.param("2026-10-02", "2026-10-31", "whole month", id="from the second"),
        pytest.param("2026-10-01", "2026-11-01", "whole month", id="two months"),
        pytest.param("2025-10-01", "2026-10-31", "whole month", id="a year and a month"),
        pytest.param("2026-02-01", "2026-02-29", "YYYY-MM-DD", id="no such day"),
    ],
)
def test_period_parse_anything_else_is_refused(start: str, end: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Period.parse(start, end)


@pytest.mark.parametrize(
    "text", ["", "20261015", "2026-10-1", "2026-13-01", "2026-10-15T00", "٢٠٢٦-10-15", " 2026-10-1"]
)
def test_parse_date_anything_but_a_calendar_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        parse_date(text)


@given(DAYS)
def test_parse_date_reads_what_isoformat_writes(day: date) -> None:
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("today", "months", "expected"),
    [
        pytest.param("2026-10-15", 1, ["2026-10-01_2026-10-15"], id="only the current"),
        pytest.param(
            "2026-01-02",
            3,
            ["2026-01-01_2026-01-02", "2025-12-01_2025-12-31", "2025-11-01_2025-11-30"],
            id="across new year",
        ),
        pytest.param(
            "2026-03-01", 2, ["2026-02-01_2026-02-28", "2026-01-01_2026-01-31"], id="on the first"
        ),
    ],
)
def test_recent_periods_starts_with_the_current_one(
    today: str, months: int, expected: list[str]
) -> None:
    assert [str(p) for p in recent_periods(date.fromisoformat(today), months)] == expected


@given(DAYS, st.integers(1, 24))
def test_recent_periods_follow_on_each_other(today: date, months: int) -> None:
    periods = recent_periods(today, months)
    assert len(periods) == months
    for newer, older in pairwise(periods):
        assert older.end == newer.start - timedelta(days=1)
        assert older.start.day == 1
