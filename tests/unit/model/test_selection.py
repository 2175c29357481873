"""Which datasets a message or a command is about."""

from datetime import date
from typing import Any

import pytest

from core.model.datasets import PROGRAM_LISTS, Dataset
from core.model.periods import Period, month_of
from core.model.selection import Selection, parse_selection
from tests.builders import OCTOBER, OCTOBER_BALANCES, SEPTEMBER, SEPTEMBER_BALANCES, TODAY

EVERYTHING = [PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES]
SELECTIONS = {
    "all": (Selection("all"), EVERYTHING),
    "programs": (Selection("programs"), [PROGRAM_LISTS]),
    "balances": (Selection("balances"), [OCTOBER_BALANCES, SEPTEMBER_BALANCES]),
    "one period": (Selection("balances", SEPTEMBER), [SEPTEMBER_BALANCES]),
}


def period(start: Any, end: Any) -> dict[str, Any]:
    return {"dataset": "balances", "from": start, "to": end}


@pytest.mark.parametrize(("selection", "datasets"), SELECTIONS.values(), ids=SELECTIONS)
def test_selection_names_its_datasets_and_is_read_back(
    selection: Selection, datasets: list[Dataset]
) -> None:
    assert [dataset for dataset in EVERYTHING if selection.covers(dataset)] == datasets
    assert selection.datasets(TODAY, 2) == datasets
    assert parse_selection(selection.as_json(), TODAY) == selection


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-10-01", "2026-10-31"), ("2026-10-01", "2026-10-15"), ("1999-12-01", "1999-12-31")],
)
def test_parse_selection_reads_every_period_that_a_report_can_have(start: str, end: str) -> None:
    assert parse_selection(period(start, end), TODAY).period == Period.parse(start, end)


CHOICES = "dataset must be one of programs, balances, all"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no dataset": ({}, CHOICES),
    "wrong case": ({"dataset": "Programs"}, CHOICES),
    "list": ({"dataset": ["all"]}, CHOICES),
    "period of programs": ({"dataset": "programs", "from": "2026-09-01"}, "dataset balances only"),
    "period of all": ({"dataset": "all", "to": "2026-09-30"}, "dataset balances only"),
    "no end": ({"dataset": "balances", "from": "2026-09-01"}, "both from and to"),
    "no start": ({"dataset": "balances", "to": "2026-09-30"}, "both from and to"),
    "from after to": (period("2026-10-31", "2026-10-01"), "must not end before"),
    "two months": (period("2026-09-01", "2026-10-31"), "whole month"),
    "future": (period("2026-11-01", "2026-11-30"), "current month"),
    "too old": (period("1999-11-01", "1999-11-30"), "1999-12-01"),
    "no date": (period("2026-10-1", "2026-10-31"), "YYYY-MM-DD"),
    "number": (period(20261001, "2026-10-31"), "must be texts"),
    "null": (period("2026-10-01", None), "must be texts"),
}


@pytest.mark.parametrize(("document", "problem"), REFUSED.values(), ids=REFUSED)
def test_parse_selection_of_anything_else_is_refused(
    document: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_selection(document, TODAY)


def test_parse_selection_on_the_first_of_a_month_allows_that_month() -> None:
    assert parse_selection(period("2026-10-01", "2026-10-31"), OCTOBER.start).period == month_of(
        OCTOBER.start
    )


def test_period_of_a_day_that_has_begun_in_another_time_zone_is_allowed() -> None:
    """A reader may ask for it, so a worker at UTC-12 must take the message."""
    begun = Selection("balances", Period(date(2026, 11, 1), date(2026, 11, 2)))
    assert parse_selection(begun.as_json(), today=date(2026, 10, 31)) == begun
