"""What a caller asked for: selected, ordered, formatted."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.entry import PeriodBalances
from core.model.query import BalancesQuery, ProgramsQuery
from core.transform.programs import program_lists
from core.transform.views import accounts_json, balances_csv, select_programs, tag, tags_json
from tests.builders import OMITTED, SEPTEMBER, make_accounts, make_balances, make_row

LISTS = program_lists(make_accounts(), OMITTED)
NO_PROGRAM = ("000000", "No Program")
OTHER = ("000001", "Other")
PART_A = ("123456", "Part A")
SPECIAL = ("345678", "Special: @Symbols Program")
OLD = ("54321", "Old")
IGNORED = ("765432", "Ignored")


def selected(**choices: Any) -> list[tuple[str, str]]:
    programs = select_programs(
        LISTS, ProgramsQuery(**choices), no_program_code="000000", other_code="000001"
    )
    return list(programs.items())


HIDE, OTHERS = {"hide_no_program_code": True}, {"show_other_code": True}
INACTIVES = {"show_inactive_codes": True}
DEFAULT = [NO_PROGRAM, PART_A, SPECIAL]
SELECTIONS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "default": ({}, DEFAULT),
    "inactive": (INACTIVES, [*DEFAULT, OLD, IGNORED]),
    "without No Program, with Other": (HIDE | OTHERS, [OTHER, PART_A, SPECIAL]),
    "priority": ({"priority_codes": ("345678", "123456")}, [NO_PROGRAM, SPECIAL, PART_A]),
    "priority behind the added ones": (
        {"priority_codes": ("345678",)} | OTHERS,
        [NO_PROGRAM, OTHER, SPECIAL, PART_A],
    ),
    "unknown and unlisted priorities": (
        {"priority_codes": ("999999", "54321", "345678")},
        [NO_PROGRAM, SPECIAL, PART_A],
    ),
    "inactive priority": (
        {"priority_codes": ("765432",)} | INACTIVES,
        [NO_PROGRAM, IGNORED, PART_A, SPECIAL, OLD],
    ),
    "added ones are no priorities": (
        {"priority_codes": ("000001", "000000")} | OTHERS,
        [NO_PROGRAM, OTHER, PART_A, SPECIAL],
    ),
    "limit counts the added ones": ({"limit": 2} | OTHERS, [NO_PROGRAM, OTHER]),
    "limit after the order": ({"limit": 1, "priority_codes": ("345678",)} | HIDE, [SPECIAL]),
    "limit beyond the end": ({"limit": 99}, DEFAULT),
}


@pytest.mark.parametrize(("choices", "expected"), SELECTIONS.values(), ids=SELECTIONS)
def test_select_programs_orders_and_cuts_as_asked(
    choices: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert selected(**choices) == expected


def test_select_programs_leaves_the_entry_as_it_is() -> None:
    selected(limit=1, priority_codes=("345678",))
    assert list(LISTS.active) == ["123456", "345678"]


def test_accounts_json_is_an_object_in_order_with_plain_letters() -> None:
    assert accounts_json({"2": "Été", "1": "b"}) == '{"2": "Été", "1": "b"}'


def test_tags_json_is_an_array_of_names_and_codes_with_plain_letters() -> None:
    assert tags_json({"123456": "Part A", "1": "Été"}) == '["Part A / 123456", "Été / 1"]'


@pytest.mark.parametrize("space", ["", " ", "  ", "\u00a0"])
def test_tag_name_is_cut_to_245_characters_and_ends_in_no_space(space: str) -> None:
    name = "n" * (245 - len(space))
    assert tag("123456", name + space) == tag("123456", name + space + "more") == f"{name} / 123456"


@given(st.text(), st.text(alphabet="0123456789", min_size=5, max_size=6))
def test_tag_fits_into_aws_256_characters(name: str, code: str) -> None:
    assert len(tag(code, name)) <= 256


def lines_of(balances: PeriodBalances, **choices: Any) -> list[str]:
    text = balances_csv(balances, BalancesQuery(SEPTEMBER, **choices))
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").split("\r\n")


ACTIVE = make_row("1000")
INACTIVE = make_row("3000", name="Old bank", status="I")
UNKNOWN = make_row("9999", name="", status=None)


def test_balances_csv_has_the_documented_header_and_crlf() -> None:
    assert lines_of(make_balances(SEPTEMBER, [ACTIVE])) == [
        "AccountNumber,AccountName,PeriodStart,PeriodEnd,StartBalance,Activity,EndBalance",
        "1000,Cash,2026-09-01,2026-09-30,100.00,-25.50,74.50",
    ]


def test_balances_csv_by_default_only_active_accounts() -> None:
    lines = lines_of(make_balances(SEPTEMBER, [INACTIVE, ACTIVE, UNKNOWN]))
    assert [line[:4] for line in lines[1:]] == ["1000"]


def test_balances_csv_with_inactive_ones_every_account_in_mips_order() -> None:
    balances = make_balances(SEPTEMBER, [INACTIVE, UNKNOWN, ACTIVE])
    lines = lines_of(balances, show_inactive_codes=True)
    assert [line[:4] for line in lines[1:]] == ["3000", "9999", "1000"]
    assert lines[2] == "9999,,2026-09-01,2026-09-30,100.00,-25.50,74.50"


def test_balances_csv_no_account_left_is_the_header_alone() -> None:
    assert len(lines_of(make_balances(SEPTEMBER, [INACTIVE]))) == 1


@pytest.mark.parametrize("name", ['Cash, "petty"', "two\r\nlines", "Çà et là", " x "])
def test_balances_csv_any_name_is_read_back(name: str) -> None:
    text = balances_csv(make_balances(SEPTEMBER, [make_row(name=name)]), BalancesQuery(SEPTEMBER))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1][1] == name
