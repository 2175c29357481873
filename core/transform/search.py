"""The program finder: which programs its page lists, and where its links lead."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

from core.model.entry import ProgramLists
from core.model.query import ProgramsQuery, written
from core.transform.views import select_programs, tag


class ListedProgram(NamedTuple):
    """One row of the page. `is_inactive` marks what the default list leaves out."""

    code: str
    name: str
    tag: str
    is_inactive: bool


def listed_programs(
    lists: ProgramLists, query: ProgramsQuery, *, no_program_code: str, other_code: str
) -> list[ListedProgram]:
    """Return the rows, in the order of the tags for the same query."""
    selected = select_programs(lists, query, no_program_code=no_program_code, other_code=other_code)
    known = lists.active.keys() | _added_codes(query, no_program_code, other_code)
    return [
        ListedProgram(code, name, tag(code, name), code not in known)
        for code, name in selected.items()
    ]


def inactive_switch(query: ProgramsQuery) -> str:
    """Return the reference to the same list with, or else without, the inactive programs."""
    return reference_to(replace(query, show_inactive_codes=not query.show_inactive_codes))


def reference_to(query: ProgramsQuery) -> str:
    """Return the relative reference that stands for a query: `?` and its parameters.

    It holds no path, so it is right below API Gateway's stage and behind the edge alike.
    """
    return "?" + urlencode(written(query), safe=",")


def _added_codes(query: ProgramsQuery, no_program_code: str, other_code: str) -> set[str]:
    added = set() if query.hide_no_program_code else {no_program_code}
    return added | {other_code} if query.show_other_code else added
