"""Which programs the finder lists, and where its links lead."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from core.model.entry import ProgramLists
from core.model.query import ProgramsQuery, parse_programs_query
from core.transform.search import ListedProgram, inactive_switch, listed_programs, reference_to
from core.transform.views import select_programs, tag

LISTS = ProgramLists(
    active={"123456": "Part A", "345678": "Special"},
    with_inactive={"123456": "Part A", "345678": "Special", "54321": "Old", "765432": "Ignored"},
)
CODES = {"no_program_code": "000000", "other_code": "000001"}
EVERY_CHOICE = ProgramsQuery(
    show_inactive_codes=True,
    show_other_code=True,
    hide_no_program_code=True,
    priority_codes=("345678", "54321"),
    limit=7,
)


def listed(lists: ProgramLists = LISTS, **choices: Any) -> list[ListedProgram]:
    return listed_programs(lists, ProgramsQuery(**choices), **CODES)


def inactive(lists: ProgramLists = LISTS, **choices: Any) -> list[str]:
    return [program.code for program in listed(lists, **choices) if program.is_inactive]


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"show_inactive_codes": True},
        {"show_other_code": True},
        {"hide_no_program_code": True},
        {"priority_codes": ("345678", "999999")},
        {"limit": 2},
    ],
)
def test_listed_programs_are_those_of_the_tags_in_their_order(choices: dict[str, Any]) -> None:
    selected = select_programs(LISTS, ProgramsQuery(**choices), **CODES)
    assert [(program.code, program.name) for program in listed(**choices)] == list(selected.items())


def test_listed_program_has_the_value_of_its_tag() -> None:
    long_name = "n" * 300
    [program] = listed(ProgramLists({"1": long_name}, {}), hide_no_program_code=True)
    assert program.name == long_name
    assert program.tag == tag("1", long_name)


def test_listed_programs_that_the_default_list_leaves_out_are_inactive() -> None:
    assert inactive(show_inactive_codes=True) == ["54321", "765432"]


def test_listed_programs_of_the_default_list_are_all_active() -> None:
    assert inactive(show_other_code=True) == []


def test_added_codes_are_never_inactive() -> None:
    assert inactive(show_inactive_codes=True, show_other_code=True) == ["54321", "765432"]


def test_added_code_that_is_also_an_inactive_program_counts_as_the_added_one() -> None:
    lists = ProgramLists({}, {"000000": "A program"})
    assert inactive(lists, show_inactive_codes=True) == []


def test_inactive_program_under_the_code_of_what_is_not_added_is_marked() -> None:
    lists = ProgramLists({}, {"000000": "A program", "000001": "Another"})
    choices = {"show_inactive_codes": True, "hide_no_program_code": True}
    assert inactive(lists, **choices) == ["000000", "000001"]


@pytest.mark.parametrize(
    "query",
    [
        ProgramsQuery(),
        ProgramsQuery(show_inactive_codes=True),
        ProgramsQuery(show_other_code=True),
        ProgramsQuery(hide_no_program_code=True),
        ProgramsQuery(priority_codes=("1", "2")),
        ProgramsQuery(limit=3),
        EVERY_CHOICE,
    ],
)
def test_reference_is_read_back_as_the_query_it_was_made_from(query: ProgramsQuery) -> None:
    reference = reference_to(query)
    assert reference.startswith("?")
    parameters = {name: values[-1] for name, values in parse_qs(reference[1:]).items()}
    assert parse_programs_query(parameters) == query


def test_reference_to_the_default_list_has_no_parameters() -> None:
    assert reference_to(ProgramsQuery()) == "?"


def test_inactive_switch_changes_that_choice_alone() -> None:
    assert inactive_switch(ProgramsQuery(limit=3)) == "?show_inactive_codes=yes&limit=3"
    assert inactive_switch(ProgramsQuery(limit=3, show_inactive_codes=True)) == "?limit=3"
