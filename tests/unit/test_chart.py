"""MIP's chart of accounts, checked and joined."""

import json
from typing import Any

import pytest

from core.chart import Account, parse_chart
from core.errors import UpstreamDataError
from tests.builders import make_accounts_reply, make_segments_reply
from tests.samples import sample


def test_parse_chart_sample_is_split_by_segment_in_mips_order() -> None:
    chart = parse_chart(
        json.loads(sample("upstream/segments.json")), json.loads(sample("upstream/accounts.json"))
    )
    assert [account.code for account in chart.programs] == ["12345601", "12345600", "54321"]
    assert chart.gl == (
        Account("1000", "A", "Cash"),
        Account("2000", "A", "Grants payable"),
        Account("3000", "I", "Old bank"),
    )


def test_parse_chart_goes_by_title_and_not_by_number() -> None:
    segments = make_segments_reply({"Program": 0, "GL": 1})
    chart = parse_chart(segments, make_accounts_reply(programs=[("1000", "A", "Cash")]))
    assert chart.gl == (Account("1000", "A", "Cash"),)


@pytest.mark.parametrize(
    ("status", "active"), [("A", True), ("I", False), ("D", False), ("", False)]
)
def test_account_is_active_only_with_status_a(status: str, active: bool) -> None:
    assert Account("1000", status, "Cash").is_active is active


def without(field: str) -> dict[str, Any]:
    record = {"COA_SEGID": 0, "COA_CODE": "1", "COA_STATUS": "A", "COA_TITLE": "t"}
    del record[field]
    return record


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        pytest.param(None, "no list COA_SEGID", id="null"),
        pytest.param([], "no list COA_SEGID", id="a list"),
        pytest.param({}, "no list COA_SEGID", id="no key"),
        pytest.param({"COA_SEGID": 1}, "no list COA_SEGID", id="the number"),
        pytest.param({"COA_SEGID": ["GL"]}, "no record", id="titles only"),
        pytest.param({"COA_SEGID": [{"TITLE": "GL"}]}, "no usable COA_SEGID", id="no number"),
        pytest.param(
            {"COA_SEGID": [{"COA_SEGID": "1", "TITLE": "GL"}]}, "no usable COA_SEGID", id="text"
        ),
        pytest.param(
            {"COA_SEGID": [{"COA_SEGID": True, "TITLE": "GL"}]}, "no usable COA_SEGID", id="boolean"
        ),
        pytest.param({"COA_SEGID": [{"COA_SEGID": 1}]}, "no usable TITLE", id="no title"),
        pytest.param(
            make_segments_reply({"GL": 0}), "no segment with the title Program", id="no Program"
        ),
        pytest.param(
            make_segments_reply({"Program": 1}), "no segment with the title GL", id="no GL"
        ),
        pytest.param({"COA_SEGID": []}, "no segment", id="no segments"),
    ],
)
def test_parse_chart_wrong_segments_are_refused(segments: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        parse_chart(segments, make_accounts_reply())


@pytest.mark.parametrize(
    ("accounts", "problem"),
    [
        pytest.param("<html>", "no list COA_SEGID", id="text"),
        pytest.param({"error": "x"}, "no list COA_SEGID", id="error document"),
        pytest.param({"COA_SEGID": [None]}, "no record", id="null record"),
        pytest.param({"COA_SEGID": [without("COA_SEGID")]}, "COA_SEGID", id="no segment"),
        pytest.param({"COA_SEGID": [without("COA_CODE")]}, "COA_CODE", id="no code"),
        pytest.param({"COA_SEGID": [without("COA_STATUS")]}, "COA_STATUS", id="no status"),
        pytest.param({"COA_SEGID": [without("COA_TITLE")]}, "COA_TITLE", id="no title"),
        pytest.param({"COA_SEGID": []}, "no accounts in the segment Program", id="nothing"),
        pytest.param(
            make_accounts_reply(programs=[]), "no accounts in the segment Program", id="no programs"
        ),
        pytest.param(make_accounts_reply(gl=[]), "no accounts in the segment GL", id="no GL"),
    ],
)
def test_parse_chart_wrong_accounts_are_refused(accounts: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        parse_chart(make_segments_reply(), accounts)
