"""The program finder: which programs its page lists and finds, and where its links lead."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlencode

from core.model.entry import ProgramLists
from core.model.query import FinderQuery, ProgramsQuery, written
from core.transform.ranking import Rank, Search
from core.transform.views import select_programs, tag


class ListedProgram(NamedTuple):
    """One row of the page. `is_inactive` marks what the default list leaves out."""

    code: str
    name: str
    tag: str
    is_inactive: bool


class Wider(NamedTuple):
    """A list in which a search finds something, and how many programs it finds there."""

    query: FinderQuery
    matches: int


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds programs in the lists of an entry. The codes are those of what is added to a list."""

    lists: ProgramLists
    no_program_code: str
    other_code: str

    def listed(self, query: ProgramsQuery) -> list[ListedProgram]:
        """Return the rows of the whole list, in the order of the tags for the same query."""
        known = self.lists.active.keys() | self._added_codes(query)
        return [
            ListedProgram(code, name, tag(code, name), code not in known)
            for code, name in self._selected(query).items()
        ]

    def unlimited_count(self, query: ProgramsQuery) -> int:
        """Return how many programs the list has without its limit."""
        return len(self._selected(replace(query, limit=0)))

    def wider(self, query: FinderQuery) -> Wider | None:
        """Return the first wider list in which `q` finds anything: for one that finds nothing."""
        for wider in _wider_queries(query):
            if matches := len(find(self.listed(wider), Search(wider.q))):
                return Wider(wider, matches)
        return None

    def _selected(self, query: ProgramsQuery) -> dict[str, str]:
        return select_programs(
            self.lists, query, no_program_code=self.no_program_code, other_code=self.other_code
        )

    def _added_codes(self, query: ProgramsQuery) -> set[str]:
        added = set() if query.hide_no_program_code else {self.no_program_code}
        return added | {self.other_code} if query.show_other_code else added


def find(programs: Iterable[ListedProgram], search: Search) -> list[ListedProgram]:
    """Return the programs that are found, ranked."""
    ranked: dict[Rank, list[ListedProgram]] = {rank: [] for rank in Rank}
    for program in programs:
        rank = search.rank(program.name, program.code)
        if rank is not None:
            ranked[rank].append(program)
    return list(chain.from_iterable(ranked.values()))


def inactive_switch(query: ProgramsQuery) -> str:
    """Return the reference to the same list with, or else without, the inactive programs."""
    return reference_to(replace(query, show_inactive_codes=not query.show_inactive_codes))


def reference_to(query: ProgramsQuery) -> str:
    """Return the relative reference that stands for a query: `?` and its parameters.

    It holds no path, so it is right below API Gateway's stage and behind the edge alike.
    """
    return "?" + urlencode(written(query), safe=",")


def _wider_queries(query: FinderQuery) -> Iterator[FinderQuery]:
    with_inactive = replace(query, show_inactive_codes=True)
    if not query.show_inactive_codes:
        yield with_inactive
    if query.limit:
        yield replace(query, limit=0)
        yield replace(with_inactive, limit=0)
