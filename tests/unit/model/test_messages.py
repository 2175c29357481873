"""Rebuild messages: what they may say, and how rebuilds are named."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidMessageError
from core.model.datasets import PROGRAM_LISTS
from core.model.messages import (
    RebuildMessage,
    correlation_id_of,
    deduplication_id,
    parse_message,
)
from core.model.periods import month_of
from core.model.selection import Selection
from tests.builders import NOW, OCTOBER, OCTOBER_BALANCES, SEPTEMBER_BALANCES, TODAY, make_body

PROGRAMS = Selection("programs")
OCTOBER_DATES = {"from": "2026-10-01", "to": "2026-10-31"}


def test_parse_message_reads_every_option() -> None:
    body = make_body(
        "balances", **OCTOBER_DATES, reason="x" * 256, accept_shrink=True, correlation_id="c-1"
    )
    assert parse_message(body, TODAY) == RebuildMessage(
        Selection("balances", month_of(TODAY)), "x" * 256, accept_shrink=True, correlation_id="c-1"
    )


@pytest.mark.parametrize("options", [{}, {"accept_shrink": False}])
def test_parse_message_refuses_to_shrink_unless_it_is_told(options: dict[str, bool]) -> None:
    assert parse_message(make_body(**options), TODAY) == RebuildMessage(PROGRAMS)


REFUSED = {
    "empty": ("", "not JSON"),
    "bottomless": ("[" * 100_000, "not JSON"),
    "array": ('["programs"]', "not a JSON object"),
    "unknown dataset": (make_body("payroll"), "dataset must be one of programs, balances, all"),
    "unknown key": (make_body(resaon="typo"), r"unknown keys \['resaon'\]"),
    "long unknown key": (make_body(**{"x" * 99: 1}), r"\['x{40}'\]"),
    "no period": (make_body("balances"), "balances needs both from and to"),
    "period of programs": (make_body(**OCTOBER_DATES), "dataset balances only"),
    "reason is a number": (make_body(reason=5), "reason must be a text"),
    "reason is null": (make_body(reason=None), "reason must be"),
    "long reason": (make_body(reason="x" * 257), "at most 256"),
    "shrink as number": (make_body(accept_shrink=1), "accept_shrink must be true or false"),
    "list as an id": (make_body(correlation_id=[]), "correlation_id must be"),
}


@pytest.mark.parametrize(("body", "problem"), REFUSED.values(), ids=REFUSED)
def test_parse_message_a_wrong_body_is_refused(body: str, problem: str) -> None:
    with pytest.raises(InvalidMessageError, match=problem):
        parse_message(body, TODAY)


def test_parse_message_error_repeats_no_value_of_the_body() -> None:
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(make_body("secret-name", reason="secret-reason"), TODAY)
    assert "secret" not in str(caught.value)


MESSAGES = st.builds(
    RebuildMessage,
    selection=st.sampled_from([Selection("all"), PROGRAMS, Selection("balances", OCTOBER)]),
    reason=st.none() | st.text(max_size=256),
    accept_shrink=st.booleans(),
    correlation_id=st.none() | st.text(max_size=256),
)


@given(MESSAGES)
def test_message_to_body_is_read_back_as_it_was(message: RebuildMessage) -> None:
    assert parse_message(message.to_body(), TODAY) == message


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_parse_message_any_body_is_read_or_refused_but_never_breaks(body: str) -> None:
    try:
        parse_message(body, TODAY)
    except InvalidMessageError:
        assert correlation_id_of(body) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(make_body(correlation_id="c-1"), "c-1", id="given"),
        pytest.param(make_body(), None, id="absent"),
        pytest.param(make_body("nonsense", correlation_id="c-1"), "c-1", id="wrong message"),
        pytest.param(make_body(correlation_id=5), None, id="no text"),
        pytest.param(make_body(correlation_id="x" * 300), None, id="too long"),
        pytest.param("no json", None, id="no JSON"),
    ],
)
def test_correlation_id_of_any_body_is_found_or_none(body: str, expected: str | None) -> None:
    assert correlation_id_of(body) == expected


def test_deduplication_id_differs_with_everything_that_matters_and_nothing_else() -> None:
    later = NOW + timedelta(microseconds=1)
    generations = [
        (PROGRAM_LISTS, "stale", NOW, NOW, None),
        (OCTOBER_BALANCES, "stale", NOW, NOW, None),
        (SEPTEMBER_BALANCES, "stale", NOW, NOW, None),
        (PROGRAM_LISTS, "miss", NOW, NOW, None),
        (PROGRAM_LISTS, "stale", later, NOW, None),
        (PROGRAM_LISTS, "stale", NOW, later, None),
        (PROGRAM_LISTS, "stale", NOW, NOW, 1),
        (PROGRAM_LISTS, "stale", NOW, NOW, 2),
    ]
    ids = {deduplication_id(*generation) for generation in generations * 2}
    assert len(ids) == len(generations)


@given(st.lists(st.text(), max_size=4))
def test_deduplication_id_is_what_sqs_allows(parts: list[str]) -> None:
    dedup_id = deduplication_id(SEPTEMBER_BALANCES, *parts)
    assert len(dedup_id) <= 128
    assert dedup_id.replace("-", "").isalnum()
    assert dedup_id.isascii()
