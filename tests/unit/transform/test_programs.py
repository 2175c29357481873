"""The Program segment: what is listed, under which code and name."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UpstreamDataError
from core.transform.programs import check_not_shrunk, program_lists, tag_text
from tests.builders import OMITTED, SAMPLE_PROGRAMS, make_accounts, make_lists

SPECIAL = "Special: @Symbols Program"


def test_program_lists_of_the_example() -> None:
    lists = program_lists(make_accounts(), OMITTED)
    active = [("123456", "Part A"), ("345678", SPECIAL)]
    assert list(lists.active.items()) == active
    assert list(lists.with_inactive.items()) == [*active, ("54321", "Old"), ("765432", "Ignored")]


def test_program_lists_name_differs_where_the_first_part_is_inactive() -> None:
    rows = [("12345600", "I", "Part A"), *SAMPLE_PROGRAMS[1:]]
    lists = program_lists(make_accounts(rows), OMITTED)
    assert lists.active["123456"] == "Part B"
    assert lists.with_inactive["123456"] == "Part A"


def test_program_lists_first_in_code_order_gives_the_name_whatever_mips_order() -> None:
    lists = program_lists(make_accounts(reversed(SAMPLE_PROGRAMS)), OMITTED)
    assert lists.active["123456"] == "Part A"


def test_program_lists_are_in_string_order_of_the_codes() -> None:
    rows = [("90000000", "A", "c"), ("10000000", "A", "a"), ("9000", "A", "-"), ("54321", "I", "b")]
    lists = program_lists(make_accounts(rows), frozenset())
    assert list(lists.active) == ["100000", "900000"]
    assert list(lists.with_inactive) == ["100000", "54321", "900000"]


@pytest.mark.parametrize(
    ("code", "status", "by_default", "with_inactive"),
    [
        pytest.param("20000000", "A", "200000", "200000", id="eight digits, active"),
        pytest.param("20000000", "I", None, "200000", id="eight digits, inactive"),
        pytest.param("20000000", "D", None, "200000", id="another status"),
        pytest.param("200000", "A", "200000", "200000", id="six digits"),
        pytest.param("20000", "A", None, "20000", id="five digits, active"),
        pytest.param("2000", "A", None, None, id="four digits"),
        pytest.param("99990001", "A", None, None, id="omitted, active"),
        pytest.param("99990", "A", None, "99990", id="begins like an omitted one"),
    ],
)
def test_program_lists_code_is_listed_where_it_should_be(
    code: str, status: str, by_default: str | None, with_inactive: str | None
) -> None:
    accounts = make_accounts([("10000000", "A", "Always"), (code, status, "This one")])
    lists = program_lists(accounts, OMITTED)
    assert lists.active.keys() == {"100000", by_default} - {None}
    assert lists.with_inactive.keys() == {"100000", with_inactive} - {None}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("12345600", "I", "Part A"), id="inactive only"),
        pytest.param(("54321", "A", "Old"), id="legacy only"),
        pytest.param(("99990000", "A", "Unfunded"), id="omitted only"),
    ],
)
def test_program_lists_nothing_active_is_refused(row: tuple[str, str, str]) -> None:
    with pytest.raises(UpstreamDataError, match="no active program"):
        program_lists(make_accounts([row]), OMITTED)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        pytest.param("(Special: @Symbols!) Program", SPECIAL, id="forbidden removed"),
        pytest.param("a.b:c/d=e+f-g@h_i", "a.b:c/d=e+f-g@h_i", id="allowed punctuation"),
        pytest.param("R&D, 50% <b>'x'\"y\"", "RD 50 bxy", id="other punctuation"),
        pytest.param("Éducation für 日本 ٣", "Éducation für 日本 ٣", id="letters, digits anywhere"),
        pytest.param("one\ttwo\nthree\r\nfour", "one two three  four", id="tabs and line ends"),
        pytest.param("a\u00a0b\u2003c", "a\u00a0b\u2003c", id="Unicode spaces stay"),
        pytest.param("a\u2028b\u2029c\x85d", "a b c d", id="line separators"),
        pytest.param("a\x00b\x7fc\u200bd", "abcd", id="control characters"),
        pytest.param("Café \U0001f600", "Café", id="emoji"),
        pytest.param("Cafe\u0301", "Caf\u00e9", id="combining accent"),
        pytest.param("a\u0903b", "ab", id="spacing mark"),
        pytest.param("\u0301\u0302\u0903", "200000", id="combining marks alone"),
        pytest.param("! Part A !", "Part A", id="spaces at both ends once the rest is gone"),
        pytest.param(" AwS:::x:y", "AwSx:y", id="reserved prefix, any case, any number of colons"),
        pytest.param("!aws!:x", "awsx", id="reserved prefix once the rest is gone"),
        pytest.param("laws: x", "laws: x", id="aws within"),
        pytest.param("aw\u017f:x", "aw\u017f:x", id="a letter that only looks like an s"),
        pytest.param(" \t ", "200000", id="blank"),
    ],
)
def test_program_name_holds_what_a_tag_allows(title: str, name: str) -> None:
    lists = program_lists(make_accounts([("20000000", "A", title)]), frozenset())
    assert lists.active == {"200000": name}


@given(st.text())
def test_tag_text_is_what_aws_allows_in_a_tag_value(text: str) -> None:
    for character in tag_text(text):
        category = unicodedata.category(character)
        assert category[0] in "LN" or category == "Zs" or re.match(r"[_.:/=+\-@]", character)


@given(st.text())
def test_tag_text_has_no_space_at_an_end_and_no_reserved_prefix(text: str) -> None:
    allowed = tag_text(text)
    assert allowed == allowed.strip()
    assert not allowed.lower().startswith("aws:")
    assert tag_text(allowed) == unicodedata.normalize("NFC", allowed)


@given(st.text(st.characters(categories=["L", "N", "Zs"])))
def test_tag_text_keeps_letters_digits_and_spaces_between_them(text: str) -> None:
    assert tag_text(text) == unicodedata.normalize("NFC", text).strip()


def lists_of(active: int, with_inactive: int) -> object:
    return make_lists(
        {str(code): "" for code in range(active)}, {str(code): "" for code in range(with_inactive)}
    )


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ((10, 10), (20, 20), 0),
        ((10, 10), (5, 5), 50),
        ((3, 3), (2, 2), 34),
        ((10, 10), (1, 1), 100),
        ((0, 0), (1, 1), 50),
    ],
)
def test_check_not_shrunk_within_the_limit_is_accepted(
    before: tuple[int, int], after: tuple[int, int], percent: int
) -> None:
    check_not_shrunk(lists_of(*after), lists_of(*before), percent)


@pytest.mark.parametrize(
    ("before", "after", "percent", "named"),
    [
        pytest.param((10, 10), (4, 10), 50, "active programs", id="active list"),
        pytest.param((10, 20), (10, 9), 50, "of programs", id="list with inactive ones"),
        pytest.param((100, 100), (99, 99), 0, "from 100 to 99", id="not even one"),
        pytest.param((3, 3), (2, 2), 33, "from 3 to 2", id="a third is more than 33 percent"),
    ],
)
def test_check_not_shrunk_beyond_the_limit_is_refused(
    before: tuple[int, int], after: tuple[int, int], percent: int, named: str
) -> None:
    with pytest.raises(UpstreamDataError, match=named):
        check_not_shrunk(lists_of(*after), lists_of(*before), percent)


def test_check_not_shrunk_names_the_codes_that_would_go() -> None:
    before = {f"{code}": f"Name {code}" for code in range(100000, 100012)}
    with pytest.raises(UpstreamDataError) as caught:
        check_not_shrunk(make_lists({"100000": "Name"}), make_lists(before), 50)
    error = str(caught.value)
    assert "accept_shrink" in error
    assert "11 codes would go: 100001 (Name 100001), 100002 (Name 100002)" in error
    assert "100010 (Name 100010), …" in error
    assert "100011" not in error
    with pytest.raises(UpstreamDataError, match=r"1 code would go: 2 \(x{40}\)$"):
        check_not_shrunk(make_lists({"1": "a"}), make_lists({"1": "a", "2": "x" * 50}), 49)
