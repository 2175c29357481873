"""Which programs the finder lists and finds, in which order, and where its links lead."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.entry import ProgramLists
from core.model.query import FinderQuery, ProgramsQuery, parse_finder_query
from core.transform.ranking import Search, fold
from core.transform.search import Finder, ListedProgram, Wider, find, inactive_switch, reference_to
from core.transform.views import select_programs, tag

RANKING = json.loads((Path(__file__).parents[2] / "samples" / "ranking.json").read_text("utf-8"))
LISTS = ProgramLists(
    active={"123456": "Part A", "345678": "Special"},
    with_inactive={"123456": "Part A", "345678": "Special", "54321": "Old", "765432": "Ignored"},
)
CODES = {"no_program_code": "000000", "other_code": "000001"}


def listed(lists: ProgramLists = LISTS, **choices: Any) -> list[ListedProgram]:
    return Finder(lists, **CODES).listed(ProgramsQuery(**choices))


def inactive(lists: ProgramLists = LISTS, **choices: Any) -> list[str]:
    return [program.code for program in listed(lists, **choices) if program.is_inactive]


@pytest.mark.parametrize("case", RANKING["cases"], ids=lambda case: repr(case["q"]))
def test_search_finds_ranks_and_marks_as_the_table_says(case: dict[str, Any]) -> None:
    """The browser test runs the same table through the page."""
    programs = listed(ProgramLists(RANKING["programs"], {}), hide_no_program_code=True)
    search = Search(case["q"])
    found = find(programs, search)
    assert [program.code for program in found] == case["found"]
    if "marked" in case:
        texts = [text for program in found for text in (program.name, program.code)]
        parts = [part for text in texts for part in search.marked(text)]
        assert [part for part, is_marked in parts if is_marked] == case["marked"]


@given(st.text(), st.text())
@example("oﬃce", "f")
def test_marked_parts_are_together_the_whole_text_and_none_is_empty(text: str, search: str) -> None:
    parts = [part for part, _ in Search(search).marked(text)]
    assert "".join(parts) == text
    assert "" not in parts


def test_whatever_separates_words_or_is_no_character_is_folded_to_a_space() -> None:
    assert fold("a\u2028b\x00c\ud800d\u1680e") == "a b c d e"


@given(st.text())
def test_every_name_is_found_by_itself(name: str) -> None:
    program = ListedProgram("123456", name, "", is_inactive=False)
    assert find([program], Search(name)) == [program]


@given(st.text(), st.text())
def test_folding_a_text_is_folding_its_parts(one: str, other: str) -> None:
    """So that what matches the folded text can be marked in the text itself."""
    assert fold(one) + fold(other) == fold(one + other)


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


@pytest.mark.parametrize("choices", [{}, {"show_other_code": True}])
def test_programs_that_the_default_list_leaves_out_are_inactive(choices: dict[str, Any]) -> None:
    """What is added to a list never is."""
    assert inactive(**choices) == []
    assert inactive(show_inactive_codes=True, **choices) == ["54321", "765432"]


def test_added_code_that_is_also_an_inactive_program_counts_as_the_added_one() -> None:
    lists = ProgramLists({}, {"000000": "A program", "000001": "Another"})
    assert inactive(lists, show_inactive_codes=True, show_other_code=True) == []
    choices = {"show_inactive_codes": True, "hide_no_program_code": True}
    assert inactive(lists, **choices) == ["000000", "000001"]


@pytest.mark.parametrize(
    ("query", "wider"),
    [
        (FinderQuery(q="old"), {"show_inactive_codes": True}),
        (FinderQuery(q="special", limit=1), {"limit": 0}),
        (FinderQuery(q="old", limit=1), {"limit": 0, "show_inactive_codes": True}),
        (
            FinderQuery(q="old", limit=1, show_inactive_codes=True),
            {"limit": 0, "show_inactive_codes": True},
        ),
    ],
)
def test_wider_list_is_the_nearest_one_in_which_anything_is_found(
    query: FinderQuery, wider: dict[str, Any]
) -> None:
    assert Finder(LISTS, **CODES).wider(query) == Wider(FinderQuery(q=query.q, **wider), matches=1)


def test_nothing_is_wider_for_a_search_that_no_list_answers() -> None:
    assert Finder(LISTS, **CODES).wider(FinderQuery(q="nowhere")) is None


@pytest.mark.parametrize(
    "query",
    [
        FinderQuery(),
        FinderQuery(q="Étude & 100% = a+b"),
        FinderQuery(True, True, True, ("345678", "54321"), 7, "x"),
    ],
)
def test_reference_is_read_back_as_the_query_it_was_made_from(query: FinderQuery) -> None:
    reference = reference_to(query)
    assert reference.startswith("?")
    parameters = {name: values[-1] for name, values in parse_qs(reference[1:]).items()}
    assert parse_finder_query(parameters) == query


def test_reference_names_what_differs_from_the_default_and_leaves_commas_readable() -> None:
    assert reference_to(FinderQuery()) == "?"
    assert reference_to(FinderQuery(priority_codes=("1", "2"))) == "?priority_codes=1,2"


def test_inactive_switch_changes_that_choice_alone() -> None:
    query = FinderQuery(limit=3, q="x")
    assert inactive_switch(query) == "?show_inactive_codes=yes&limit=3&q=x"
    assert inactive_switch(FinderQuery(limit=3, show_inactive_codes=True)) == "?limit=3"
