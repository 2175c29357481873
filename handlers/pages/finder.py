"""The program finder: the page on which a person finds a program and copies its tag."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from core.model.entry import CacheEntry, ProgramLists
from core.model.failures import Trouble
from core.model.query import LONGEST_SEARCH, FinderQuery, written
from core.settings import ReaderSettings
from core.transform.ranking import Search
from core.transform.search import (
    Finder,
    ListedProgram,
    Wider,
    find,
    inactive_switch,
    reference_to,
)
from handlers.pages.document import document, page_headers
from handlers.pages.template import Markup, escaped, fill
from handlers.wording import readable_time, trouble_text

SCRIPTS = ("ranking.js", "finder.js")
ADVICE = "Try fewer letters, another word of the name, or the beginning of the code."
INACTIVE = Markup(" <em>inactive</em>")


def finder_headers() -> Mapping[str, str]:
    """Return what a browser must be told of this page."""
    return page_headers(*SCRIPTS)


def finder_page(
    entry: CacheEntry, query: FinderQuery, settings: ReaderSettings, trouble: Trouble | None
) -> str:
    """Write the page of a programs entry: those of the tags' programs that are found, ranked.

    It depends on what it is given alone, as an entity tag requires: times are absolute, and the
    page's script makes them relative.
    """
    lists = cast("ProgramLists", entry.data)
    finder = Finder(lists, settings.no_program_code, settings.other_code)
    listed, search = finder.listed(query), Search(query.q) if query.q else None
    found = find(listed, search) if search else listed
    main = fill(
        "finder.html",
        tag_key=settings.tag_key,
        built_at=_machine_time(entry.built_at),
        built_at_text=readable_time(entry.built_at),
        fresh_until=_machine_time(entry.fresh_until),
        trouble=f"{trouble_text(trouble)} This is the last list that it gave." if trouble else "",
        q=query.q,
        longest=LONGEST_SEARCH,
        kept=_lines(fill("finder_kept.html", name=n, value=v) for n, v in _kept(query)),
        count=_found_count(len(found), len(listed)) if search else _count(listed),
        switch=inactive_switch(query),
        switch_text="Hide inactive ones" if query.show_inactive_codes else "Show inactive ones too",
        limited=_limited(finder, query),
        help=_help(finder, query) if search and not found else "",
        rows=_rows(found, search),
    )
    return document(title="Find a cost-center tag", main=main, scripts=SCRIPTS)


def _kept(query: FinderQuery) -> Iterable[tuple[str, str]]:
    """Return what a new search keeps of the address."""
    return written(replace(query, q="")).items()


def _rows(programs: Iterable[ListedProgram], search: Search | None) -> Markup:
    return _lines(
        fill(
            "finder_row.html",
            name=_marked(program.name, search) if search else program.name,
            flag=INACTIVE if program.is_inactive else "",
            code=_marked(program.code, search) if search else program.code,
            tag=program.tag,
        )
        for program in programs
    )


def _marked(text: str, search: Search) -> Markup:
    parts = (
        f"<mark>{escaped(part)}</mark>" if is_marked else escaped(part)
        for part, is_marked in search.marked(text)
    )
    return Markup("".join(parts))


def _lines(parts: Iterable[Markup]) -> Markup:
    return Markup("\n".join(parts))


def _count(programs: list[ListedProgram]) -> str:
    inactive = sum(program.is_inactive for program in programs)
    text = _programs(len(programs))
    return f"{text}, {inactive:,} of them inactive" if inactive else text


def _found_count(found: int, listed: int) -> str:
    return f"{found:,} of {_programs(listed)}" if found else "No program matches."


def _programs(count: int) -> str:
    return "1 program" if count == 1 else f"{count:,} programs"


def _limited(finder: Finder, query: FinderQuery) -> Markup:
    total = finder.unlimited_count(query)
    if not query.limit or query.limit >= total:
        return Markup()
    return fill(
        "finder_limited.html",
        limit=f"{query.limit:,}",
        total=f"{total:,}",
        all=reference_to(replace(query, limit=0)),
    )


def _help(finder: Finder, query: FinderQuery) -> Markup:
    wider = finder.wider(query)
    return fill(
        "finder_help.html",
        advice=_wider(wider, query) if wider else ADVICE,
        all=reference_to(replace(query, q="")),
    )


def _wider(wider: Wider, query: FinderQuery) -> Markup:
    inactive = "inactive " if wider.query.show_inactive_codes != query.show_inactive_codes else ""
    beyond = f" beyond the limit of {query.limit:,}" if wider.query.limit != query.limit else ""
    one = wider.matches == 1
    noun, verb = ("program", "matches") if one else ("programs", "match")
    text = f"{wider.matches:,} {inactive}{noun}{beyond} {verb}"
    return fill("finder_wider.html", reference=reference_to(wider.query), text=text)


def _machine_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
