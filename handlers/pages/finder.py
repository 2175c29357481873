"""The program finder: the page on which a person finds a program and copies its tag."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from core.model.entry import CacheEntry, ProgramLists
from core.model.query import ProgramsQuery
from core.settings import ReaderSettings
from core.transform.search import ListedProgram, inactive_switch, listed_programs
from handlers.pages.document import document, page_headers
from handlers.pages.template import Markup, fill

SCRIPT = "finder.js"


def finder_headers() -> Mapping[str, str]:
    """Return what a browser must be told of this page."""
    return page_headers(SCRIPT)


def finder_page(entry: CacheEntry, query: ProgramsQuery, settings: ReaderSettings) -> str:
    """Write the page of a programs entry: the same programs, in the same order, as the tags.

    It depends on the entry and the query alone, as an entity tag requires: times are absolute,
    and the page's script makes them relative.
    """
    programs = listed_programs(
        cast("ProgramLists", entry.data),
        query,
        no_program_code=settings.no_program_code,
        other_code=settings.other_code,
    )
    main = fill(
        "finder.html",
        tag_key=settings.tag_key,
        built_at=_machine_time(entry.built_at),
        built_at_text=_readable_time(entry.built_at),
        fresh_until=_machine_time(entry.fresh_until),
        count=_count(programs),
        switch=inactive_switch(query),
        switch_text="Hide inactive ones" if query.show_inactive_codes else "Show inactive ones too",
        rows=Markup("\n".join(map(_row, programs))),
    )
    return document(title="Find a cost-center tag", main=main, script=SCRIPT)


def _row(program: ListedProgram) -> Markup:
    template = "finder_inactive_row.html" if program.is_inactive else "finder_row.html"
    return fill(template, name=program.name, code=program.code, tag=program.tag)


def _count(programs: list[ListedProgram]) -> str:
    inactive = sum(program.is_inactive for program in programs)
    text = "1 program" if len(programs) == 1 else f"{len(programs):,} programs"
    return f"{text}, {inactive:,} of them inactive" if inactive else text


def _machine_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _readable_time(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"
