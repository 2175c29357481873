"""Rebuild messages: what they may say, and how rebuilds are named."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidMessageError
from core.model.datasets import PROGRAM_LISTS, balances_of
from core.model.messages import (
    RebuildMessage,
    correlation_id_of,
    deduplication_id,
    parse_message,
)
from core.model.periods import month_of
from tests.builders import NOW, OCTOBER_BALANCES, SEPTEMBER_BALANCES, TODAY, make_body

OCTOBER_DATES = {"from": "2026-10-01", "to": "2026-10-31"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(make_body(), RebuildMessage(PROGRAM_LISTS), id="programs"),
        pytest.param(make_body("all"), RebuildMessage(None), id="all"),
        pytest.param(
            make_body("balances", **OCTOBER_DATES),
            RebuildMessage(balances_of(month_of(TODAY))),
            id="whole current month",
        ),
        pytest.param(
            make_body("balances", **{"from": "2026-10-01", "to": "2026-10-15"}),
            RebuildMessage(OCTOBER_BALANCES),
            id="month to a day",
        ),
        pytest.param(
            make_body("balances", **{"from": "1999-12-01", "to": "1999-12-31"}),
            RebuildMessage(balances_of(month_of(date(1999, 12, 1)))),
            id="oldest period",
        ),
        pytest.param(
            make_body(reason="month end", accept_shrink=True, correlation_id="c-1"),
            RebuildMessage(PROGRAM_LISTS, "month end", accept_shrink=True, correlation_id="c-1"),
            id="every option",
        ),
        pytest.param(
            make_body(accept_shrink=False), RebuildMessage(PROGRAM_LISTS), id="shrink refused"
        ),
    ],
)
def test_parse_message_a_valid_body_is_read(body: str, message: RebuildMessage) -> None:
    assert parse_message(body, TODAY) == message


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param("", "no JSON", id="empty"),
        pytest.param("programs", "no JSON", id="bare word"),
        pytest.param('{"dataset": "programs"', "no JSON", id="truncated"),
        pytest.param("[" * 100_000, "no JSON", id="bottomless"),
        pytest.param('["programs"]', "no JSON object", id="array"),
        pytest.param('"programs"', "no JSON object", id="string"),
        pytest.param("{}", "dataset must be one of programs, balances, all", id="no dataset"),
        pytest.param(make_body("payroll"), "dataset must be one of", id="unknown dataset"),
        pytest.param(make_body("Programs"), "dataset must be one of", id="wrong case"),
        pytest.param('{"dataset": ["all"]}', "dataset must be one of", id="dataset as a list"),
        pytest.param(make_body(resaon="typo"), r"unknown keys \['resaon'\]", id="unknown key"),
        pytest.param(make_body("balances"), "need both from and to", id="no period"),
        pytest.param(
            make_body("balances", **{"from": "2026-10-01"}), "need both from and to", id="no end"
        ),
        pytest.param(make_body(**OCTOBER_DATES), "dataset balances only", id="period of programs"),
        pytest.param(
            make_body("all", **OCTOBER_DATES), "dataset balances only", id="period of all"
        ),
        pytest.param(make_body(reason=5), "reason must be", id="reason is a number"),
        pytest.param(make_body(reason=None), "reason must be", id="reason is null"),
        pytest.param(make_body(reason="x" * 257), "at most 256", id="long reason"),
        pytest.param(make_body(accept_shrink="yes"), "accept_shrink must be", id="shrink as text"),
        pytest.param(make_body(accept_shrink=1), "accept_shrink must be", id="shrink as number"),
        pytest.param(make_body(correlation_id=[]), "correlation_id must be", id="list as an id"),
    ],
)
def test_parse_message_a_wrong_body_is_refused(body: str, problem: str) -> None:
    with pytest.raises(InvalidMessageError, match=problem):
        parse_message(body, TODAY)


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        pytest.param("2026-10-31", "2026-10-01", "must not end before", id="from after to"),
        pytest.param("2026-10-15", "2026-10-31", "whole month", id="half a month"),
        pytest.param("2026-09-01", "2026-10-31", "whole month", id="two months"),
        pytest.param("2026-11-01", "2026-11-30", "current month", id="future"),
        pytest.param("1999-11-01", "1999-11-30", "1999-12-01", id="too old"),
        pytest.param("2026-10-1", "2026-10-31", "YYYY-MM-DD", id="no date"),
        pytest.param(20261001, "2026-10-31", "a date must be a text", id="number"),
        pytest.param("2026-10-01", None, "a date must be a text", id="null"),
        pytest.param([0] * 10, "2026-10-31", "a date must be a text", id="list of ten"),
    ],
)
def test_parse_message_a_wrong_period_is_refused(start: Any, end: Any, problem: str) -> None:
    with pytest.raises(InvalidMessageError, match=problem):
        parse_message(make_body("balances", **{"from": start, "to": end}), TODAY)


def test_parse_message_error_repeats_no_value_of_the_body() -> None:
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(make_body("secret-name", reason="secret-reason"), TODAY)
    assert "secret" not in str(caught.value)


MESSAGES = st.builds(
    RebuildMessage,
    dataset=st.sampled_from([None, PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES]),
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


def test_datasets_of_one_dataset_is_that_one() -> None:
    assert RebuildMessage(OCTOBER_BALANCES).datasets(TODAY, 4) == [OCTOBER_BALANCES]


def test_datasets_of_all_is_programs_then_the_recent_periods() -> None:
    assert RebuildMessage(None).datasets(TODAY, 2) == [
        PROGRAM_LISTS,
        OCTOBER_BALANCES,
        SEPTEMBER_BALANCES,
    ]


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


def test_deduplication_id_same_generation_is_the_same() -> None:
    assert deduplication_id(PROGRAM_LISTS, "stale", NOW) == deduplication_id(
        PROGRAM_LISTS, "stale", NOW
    )


def test_deduplication_id_differs_with_everything_that_matters() -> None:
    later = NOW + timedelta(microseconds=1)
    ids = [
        deduplication_id(PROGRAM_LISTS, "stale", NOW, NOW, None),
        deduplication_id(OCTOBER_BALANCES, "stale", NOW, NOW, None),
        deduplication_id(SEPTEMBER_BALANCES, "stale", NOW, NOW, None),
        deduplication_id(PROGRAM_LISTS, "miss", NOW, NOW, None),
        deduplication_id(PROGRAM_LISTS, "stale", later, NOW, None),
        deduplication_id(PROGRAM_LISTS, "stale", NOW, later, None),
        deduplication_id(PROGRAM_LISTS, "stale", NOW, NOW, 1),
        deduplication_id(PROGRAM_LISTS, "stale", NOW, NOW, 2),
    ]
    assert len(set(ids)) == len(ids)


@given(st.lists(st.text(), max_size=4))
def test_deduplication_id_is_what_sqs_allows(parts: list[str]) -> None:
    dedup_id = deduplication_id(SEPTEMBER_BALANCES, *parts)
    assert len(dedup_id) <= 128
    assert dedup_id.replace("-", "").isalnum()
    assert dedup_id.isascii()
