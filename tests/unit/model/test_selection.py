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


@pytest.mark.parametrize(("selection", "datasets"), SELECTIONS.values(), ids=SELECTIONS)
def test_selection_covers_and_lists_what_it_names(
    selection: Selection, datasets: list[Dataset]
) -> None:
    assert [dataset for dataset in EVERYTHING if selection.covers(dataset)] == datasets
    assert selection.datasets(TODAY, 2) == datasets


@pytest.mark.parametrize(("selection", "_"), SELECTIONS.values(), ids=SELECTIONS)
def test_selection_as_json_is_read_back_as_it_was(selection: Selection, _: object) -> None:
    assert parse_selection(selection.as_json(), TODAY) == selection


@pytest.mark.parametrize(
    ("start", "end", "period"),
    [
        ("2026-10-01", "2026-10-31", Period(OCTOBER.start, date(2026, 10, 31))),
        ("2026-10-01", "2026-10-15", OCTOBER),
        ("1999-12-01", "1999-12-31", Period(date(1999, 12, 1), date(1999, 12, 31))),
    ],
    ids=["whole current month", "month to a day", "oldest period"],
)
def test_parse_selection_reads_every_period_that_a_report_can_have(
    start: str, end: str, period: Period
) -> None:
    document = {"dataset": "balances", "from": start, "to": end}
    assert parse_selection(document, TODAY) == Selection("balances", period)


CHOICES = "dataset must be one of programs, balances, all"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param({}, CHOICES, id="no dataset"),
        pytest.param({"dataset": "Programs"}, CHOICES, id="wrong case"),
        pytest.param({"dataset": None}, CHOICES, id="null"),
        pytest.param({"dataset": ["all"]}, CHOICES, id="list"),
        *[
            pytest.param({"dataset": name, **half}, "dataset balances only", id=f"{half} of {name}")
            for name in ("programs", "all")
            for half in ({"from": "2026-09-01"}, {"to": "2026-09-30"})
        ],
        pytest.param(
            {"dataset": "balances", "from": "2026-09-01"}, "both from and to", id="no end"
        ),
        pytest.param(
            {"dataset": "balances", "to": "2026-09-30"}, "both from and to", id="no start"
        ),
    ],
)
def test_parse_selection_of_the_wrong_dataset_is_refused(
    document: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_selection(document, TODAY)


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        pytest.param("2026-10-31", "2026-10-01", "must not end before", id="from after to"),
        pytest.param("2026-10-15", "2026-10-31", "whole month", id="half a month"),
        pytest.param("2026-09-01", "2026-10-31", "whole month", id="two months"),
        pytest.param("2026-11-01", "2026-11-30", "current month", id="future"),
        pytest.param("1999-11-01", "1999-11-30", "1999-12-01", id="too old"),
        pytest.param("2026-10-1", "2026-10-31", "YYYY-MM-DD", id="no date"),
        pytest.param(20261001, "2026-10-31", "must be texts", id="number"),
        pytest.param("2026-10-01", None, "must be texts", id="null"),
        pytest.param([0] * 10, "2026-10-31", "must be texts", id="list of ten"),
    ],
)
def test_parse_selection_of_a_wrong_period_is_refused(start: Any, end: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_selection({"dataset": "balances", "from": start, "to": end}, TODAY)


def test_parse_selection_on_the_first_of_a_month_allows_that_month() -> None:
    document = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}
    assert parse_selection(document, OCTOBER.start).period == month_of(OCTOBER.start)


def test_period_of_a_day_that_has_begun_in_another_time_zone_is_allowed() -> None:
    """A reader may ask for it, so a worker at UTC-12 must take the message."""
    begun = Selection("balances", Period(date(2026, 11, 1), date(2026, 11, 2)))

    assert parse_selection(begun.as_json(), today=date(2026, 10, 31)) == begun
