"""The finder's page: what is written into it, and how."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.entry import ProgramLists
from core.model.query import ProgramsQuery
from core.settings import ReaderSettings
from handlers.pages.document import page_headers
from handlers.pages.finder import finder_page
from handlers.pages.template import Markup, fill, source
from handlers.responses import rendered
from tests.builders import NOW, make_entry

SETTINGS = ReaderSettings.from_environment(
    {"CACHE_BUCKET": "bucket", "REBUILD_QUEUE_URL": "http://127.0.0.1/queue"}
)
SCRIPTS = ("finder.js", "notice.js")
VOID = frozenset({"meta", "link", "input"})
HOSTILE = (
    "<script>alert(1)</script>",
    '" onload="alert(1)',
    "' x='",
    "</style>",
    "&amp;",
    "{code}",
)
EXTERNAL = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["']?(?:https?:)?//""", re.IGNORECASE)


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the cells of each row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[dict[str, str]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(dict(attrs).get("id") or tag)
        if tag == "li":
            self.rows.append({})

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and "li" in self._open:
            self.rows[-1][self._open[-1]] = self.rows[-1].get(self._open[-1], "") + data
        elif self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data

    def attributes(self, id_: str) -> dict[str, str | None]:
        return next(attrs for _, attrs in self.elements if attrs.get("id") == id_)


def page(
    active: dict[str, str] | None = None,
    inactive: dict[str, str] | None = None,
    built_at: datetime = NOW,
    **choices: Any,
) -> Page:
    active = {"123456": "Part A"} if active is None else active
    lists = ProgramLists(active, {**active, **(inactive or {})})
    entry = make_entry(built_at=built_at, ttl=timedelta(hours=1), data=lists)
    return Page(finder_page(entry, ProgramsQuery(**choices), SETTINGS))


def test_page_has_a_row_of_name_code_and_tag_per_program() -> None:
    assert page({"2": "Two", "10": "Ten"}).rows == [
        {"b": "No Program", "code": "000000", "span": "No Program / 000000", "li": "  "},
        {"b": "Two", "code": "2", "span": "Two / 2", "li": "  "},
        {"b": "Ten", "code": "10", "span": "Ten / 10", "li": "  "},
    ]


def test_page_heeds_limit_and_priority() -> None:
    rows = page({"1": "A", "2": "B", "3": "C"}, limit=3, priority_codes=("3",)).rows
    assert [row["code"] for row in rows] == ["000000", "3", "1"]


def test_page_marks_inactive_programs_in_words() -> None:
    found = page(inactive={"54321": "Old"}, show_inactive_codes=True)
    assert [row.get("em") for row in found.rows] == [None, None, "inactive"]
    assert found.texts["count"] == "3 programs, 1 of them inactive"


@pytest.mark.parametrize(
    ("programs", "hidden", "text"),
    [
        ({}, True, "0 programs"),
        ({}, False, "1 program"),
        ({"1": "A"}, False, "2 programs"),
        ({f"{n}": "A" for n in range(1000, 2000)}, True, "1,000 programs"),
    ],
)
def test_page_counts_its_programs(programs: dict[str, str], hidden: bool, text: str) -> None:
    assert page(programs, hide_no_program_code=hidden).texts["count"] == text


def test_page_of_an_empty_list_has_no_row() -> None:
    assert page({}, hide_no_program_code=True).rows == []


def test_page_links_to_the_inactive_programs_and_back() -> None:
    without = page(show_other_code=True, limit=5)
    link = without.attributes("switch")["href"]
    assert link == "?show_inactive_codes=yes&show_other_code=yes&limit=5"
    assert without.texts["switch"] == "Show inactive ones too"
    with_inactive = page(show_inactive_codes=True)
    assert with_inactive.attributes("switch")["href"] == "?"
    assert with_inactive.texts["switch"] == "Hide inactive ones"


def test_page_tells_when_its_data_was_fetched_in_utc() -> None:
    local = datetime(2026, 3, 1, 1, 5, 9, 999_999, tzinfo=timezone(timedelta(hours=2)))
    found = page(built_at=local)
    assert found.texts["built"] == "28 February 2026, 23:05 UTC"
    attributes = found.attributes("built")
    assert attributes["datetime"] == "2026-02-28T23:05:09+00:00"
    assert attributes["data-fresh-until"] == "2026-03-01T00:05:09+00:00"


def test_page_of_the_first_year_is_written_too() -> None:
    assert page(built_at=datetime(2, 1, 1, tzinfo=UTC)).texts["built"].startswith("1 January ")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_page_shows_a_hostile_name_and_code_as_text(hostile: str) -> None:
    """A code cannot be hostile as the worker writes it, yet nothing here relies on that."""
    found = page({hostile: hostile}, inactive={f"{hostile}9": hostile}, show_inactive_codes=True)
    plain = page({"1": "A"}, inactive={"2": "B"}, show_inactive_codes=True)
    assert [element for element, _ in found.elements] == [element for element, _ in plain.elements]
    active, inactive = found.rows[1:]
    assert (active["b"], active["code"]) == (hostile, hostile)
    assert active["span"] == f"{hostile} / {hostile}"
    assert inactive["b"] == f"{hostile} "
    assert inactive["span"] == f"{hostile} / {hostile}9"


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_page_gives_every_name_back_as_it_is(name: str) -> None:
    assert page({"1": name}).rows[1].get("b", "") == name


@given(st.text())
def test_fill_leaves_no_character_that_could_end_text_or_an_attribute(value: str) -> None:
    written = fill("notice_head.html", seconds=value)
    assert re.fullmatch(
        r'<noscript><meta http-equiv="refresh" content="[^<>"\']*"></noscript>', written, re.DOTALL
    )


def test_fill_leaves_markup_as_it_is() -> None:
    assert "<i>x</i>" in fill("notice.html", heading="", detail=Markup("<i>x</i>"), next="")


def test_fill_without_a_value_names_the_one_that_is_missing() -> None:
    with pytest.raises(KeyError, match="seconds"):
        fill("notice_head.html")


def test_page_of_the_same_entry_has_the_same_bytes_at_any_time() -> None:
    entry = make_entry()
    first, second = (finder_page(entry, ProgramsQuery(), SETTINGS) for _ in range(2))
    assert rendered(first).etag == rendered(second).etag


@pytest.mark.parametrize("script", SCRIPTS)
def test_policy_allows_this_style_and_script_and_nothing_else(script: str) -> None:
    def hash_of(name: str) -> str:
        digest = hashlib.sha256(source(name).encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    policy = page_headers(script)["Content-Security-Policy"]
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": "'none'",
        "style-src": hash_of("page.css"),
        "script-src": hash_of(script),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_page_has_its_one_style_and_script_and_no_attribute_that_would_be_either() -> None:
    found = page()
    names = [element for element, _ in found.elements]
    assert (names.count("style"), names.count("script")) == (1, 1)
    attributes = {name for _, attrs in found.elements for name in attrs}
    assert [name for name in attributes if name.startswith("on") or name == "style"] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_could_not_end_its_element_early(script: str) -> None:
    assert "</script" not in source(script).lower()
    assert "<!--" not in source(script)


def test_style_could_not_end_its_element_early() -> None:
    assert "</style" not in source("page.css").lower()


@pytest.mark.parametrize("name", ["page.css", *SCRIPTS, "document.html", "finder.html"])
def test_file_of_a_page_refers_to_no_other_host(name: str) -> None:
    assert not EXTERNAL.search(source(name))
    assert "@import" not in source(name)
