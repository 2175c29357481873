"""The finder's page: what is written into it, and how."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.entry import ProgramLists
from core.model.failures import Trouble
from core.model.query import LONGEST_SEARCH, FinderQuery
from handlers.pages import finder, notice
from handlers.pages.finder import finder_headers, finder_page
from handlers.pages.template import fill, source
from handlers.proxy import problem
from tests.builders import NOW, make_entry, make_reader_settings

SETTINGS = make_reader_settings()
FILES = ("page.css", *finder.SCRIPTS, *notice.SCRIPTS, "document.html", "finder.html")
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
    """What a browser would make of a page: its elements, their texts, and the cells of each row."""

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
        texts = self.rows[-1] if "li" in self._open else self.texts
        for name in self._open:
            texts[name] = texts.get(name, "") + data

    def attributes(self, id_: str) -> dict[str, str | None]:
        return next(attrs for _, attrs in self.elements if attrs.get("id") == id_)

    def links(self) -> list[str | None]:
        return [attrs["href"] for tag, attrs in self.elements if tag == "a"]


def page(
    active: dict[str, str] | None = None,
    inactive: dict[str, str] | None = None,
    built_at: datetime = NOW,
    trouble: Trouble | None = None,
    **choices: Any,
) -> Page:
    active = {"123456": "Part A"} if active is None else active
    lists = ProgramLists(active, {**active, **(inactive or {})})
    entry = make_entry(built_at=built_at, ttl=timedelta(hours=1), data=lists)
    return Page(finder_page(entry, FinderQuery(**choices), SETTINGS, trouble))


def codes(found: Page) -> list[str]:
    return [row["code"] for row in found.rows]


def test_page_names_the_tag_and_has_a_row_of_name_code_and_tag_per_program() -> None:
    found = page({"2": "Two", "10": "Ten"})
    assert found.texts["main"].count("CostCenter") == 1
    assert [(row["b"], row["code"], row["span"]) for row in found.rows] == [
        ("No Program", "000000", "No Program / 000000"),
        ("Two", "2", "Two / 2"),
        ("Ten", "10", "Ten / 10"),
    ]


def test_page_of_a_search_has_what_is_found_ranked_and_marked() -> None:
    found = page({"1": "Encore", "2": "Data Core", "3": "Core 3", "4": "Other"}, q="core")
    assert codes(found) == ["3", "2", "1"]
    assert [row["mark"] for row in found.rows] == ["Core", "Core", "core"]
    assert [row["span"] for row in found.rows] == ["Core 3 / 3", "Data Core / 2", "Encore / 1"]
    assert found.texts["count"] == "3 of 5 programs"
    assert found.attributes("query")["value"] == "core"
    assert found.attributes("switch")["href"] == "?show_inactive_codes=yes&q=core"


def test_page_heeds_limit_and_priority_and_says_what_is_left_out() -> None:
    found = page({"1": "A", "2": "B", "3": "C"}, limit=3, priority_codes=("3",), q="c")
    assert codes(found) == ["3"]
    assert found.texts["count"] == "1 of 3 programs"
    assert found.texts["limited"] == (
        "Only the first 3 of 4 programs are listed and searched. List all of them"
    )
    assert ("a", {"class": "keeps", "href": "?priority_codes=3&q=c"}) in found.elements
    assert "limited" not in page({"1": "A"}, limit=2).texts


def test_page_of_a_new_search_keeps_the_other_parameters() -> None:
    found = page(show_other_code=True, priority_codes=("1", "2"), limit=9, q="x")
    inputs = {attrs["name"]: attrs["value"] for tag, attrs in found.elements if tag == "input"}
    assert inputs == {"q": "x", "show_other_code": "yes", "priority_codes": "1,2", "limit": "9"}
    assert ("form", {"id": "search", "role": "search"}) in found.elements
    assert found.attributes("query")["maxlength"] == str(LONGEST_SEARCH)


@pytest.mark.parametrize(
    ("choices", "advice", "link"),
    [
        ({"q": "old b"}, "1 inactive program matches: show", "?show_inactive_codes=yes&q=old+b"),
        ({"q": "old"}, "2 inactive programs match: show", "?show_inactive_codes=yes&q=old"),
        ({"q": "part", "limit": 1}, "1 program beyond the limit of 1 matches: show", "?q=part"),
        (
            {"q": "old", "limit": 1},
            "2 inactive programs beyond the limit of 1 match: show",
            "?show_inactive_codes=yes&q=old",
        ),
        ({"q": "nothing"}, "Try fewer letters, another word", "?"),
    ],
)
def test_page_that_found_nothing_says_what_would_help(
    choices: dict[str, Any], advice: str, link: str
) -> None:
    found = page(inactive={"1": "Old A", "2": "Old B"}, **choices)
    assert found.texts["count"] == "No program matches."
    assert found.rows == []
    assert found.texts["help"].strip().startswith(advice)
    assert link in found.links()


def test_page_marks_inactive_programs_in_words() -> None:
    found = page(inactive={"54321": "Old"}, show_inactive_codes=True)
    assert [row.get("em") for row in found.rows] == [None, None, "inactive"]
    assert found.texts["count"] == "3 programs, 1 of them inactive"


@pytest.mark.parametrize(
    ("is_unanswered", "text"),
    [
        (True, "MIP Cloud has not answered since 15 October 2026, 12:00 UTC."),
        (False, "Every fetch from MIP Cloud has failed since 15 October 2026, 12:00 UTC."),
    ],
)
def test_page_says_since_when_nothing_new_has_come(is_unanswered: bool, text: str) -> None:
    told = page(trouble=Trouble(NOW, is_unanswered)).texts["trouble"]
    assert told == f"{text} This is the last list that it gave."


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


def test_page_of_an_empty_list_has_no_row_and_advises_nothing() -> None:
    found = page({}, hide_no_program_code=True)
    assert (found.rows, found.texts.get("help")) == ([], None)


def test_page_links_to_the_inactive_programs_and_back() -> None:
    without, with_inactive = page(), page(show_inactive_codes=True)
    assert without.attributes("switch")["href"] == "?show_inactive_codes=yes"
    assert without.texts["switch"] == "Show inactive ones too"
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
def test_page_shows_a_hostile_name_code_and_search_as_text(hostile: str) -> None:
    """A code cannot be hostile as the worker writes it, yet nothing here relies on that."""
    found = page({hostile: hostile}, q=hostile)
    plain = page({"1": "A"}, q="1")
    names = [element for element, _ in found.elements if element != "mark"]
    assert names == [element for element, _ in plain.elements if element != "mark"]
    [row] = found.rows
    assert (row["b"], row["code"], row["span"]) == (hostile, hostile, f"{hostile} / {hostile}")
    assert found.attributes("query")["value"] == hostile


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_page_gives_every_name_back_as_it_is(name: str) -> None:
    assert page({"1": name}).rows[1].get("b", "") == name
    found = page({"1": name}, hide_no_program_code=True, q=name[:9])
    assert [row.get("b", "") for row in found.rows] == [name]


@given(st.text())
def test_fill_leaves_no_character_that_could_end_text_or_an_attribute(value: str) -> None:
    written = fill("notice_head.html", seconds=value)
    assert re.fullmatch(
        r'<noscript><meta http-equiv="refresh" content="[^<>"\']*"></noscript>', written, re.DOTALL
    )


def test_page_of_the_same_entry_has_the_same_bytes_at_any_time() -> None:
    first, second = (finder_page(make_entry(), FinderQuery(), SETTINGS, None) for _ in range(2))
    assert first == second


def error_page() -> tuple[Mapping[str, str], str]:
    answer = notice.for_people(problem(503, "Not yet.", {"Retry-After": "9"}), "text/html")
    return answer["headers"], answer["body"]


def list_page() -> tuple[Mapping[str, str], str]:
    return finder_headers(), finder_page(make_entry(), FinderQuery(), SETTINGS, None)


@pytest.mark.parametrize("written", [list_page, error_page])
def test_policy_allows_the_style_and_script_of_the_page_and_nothing_else(written: Any) -> None:
    def hash_of(pattern: str) -> str:
        [content] = re.findall(pattern, body, re.DOTALL)
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    headers, body = written()
    assert body.startswith("<!doctype html>")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": "'none'",
        "style-src": hash_of("<style>(.*?)</style>"),
        "script-src": hash_of('<script type="module">(.*?)</script>'),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_page_has_no_attribute_that_would_be_style_or_script() -> None:
    attributes = {name for _, attrs in page().elements for name in attrs}
    assert [name for name in attributes if name.startswith("on") or name == "style"] == []


@pytest.mark.parametrize("name", FILES)
def test_file_of_a_page_refers_to_no_other_host_and_has_no_comment_of_html(name: str) -> None:
    """After a comment's beginning, a script would not end with its element."""
    assert not EXTERNAL.search(source(name))
    assert "@import" not in source(name)
    assert "<!--" not in source(name)
