"""MIP's chart of accounts: each segment judged by itself, when it is asked for."""

import json
from typing import Any

import pytest

from core.errors import UpstreamDataError
from core.transform.chart import Account, Chart
from tests.builders import make_accounts_reply, make_segments_reply
from tests.samples import sample


def record(**changes: Any) -> dict[str, Any]:
    """Make an account of the GL segment, with changes; `...` leaves a field out."""
    whole = {"COA_SEGID": 0, "COA_CODE": "1", "COA_STATUS": "A", "COA_TITLE": "t"} | changes
    return {name: value for name, value in whole.items() if value is not ...}


def test_chart_sample_is_split_by_segment_in_mips_order() -> None:
    chart = Chart(
        json.loads(sample("upstream/segments.json")), json.loads(sample("upstream/accounts.json"))
    )
    assert [account.code for account in chart.programs] == ["12345601", "12345600", "54321"]
    assert chart.gl == (
        Account("1000", "A", "Cash"),
        Account("2000", "A", "Grants payable"),
        Account("3000", "I", "Old bank"),
    )


def test_chart_goes_by_title_and_not_by_number() -> None:
    segments = make_segments_reply({"Program": 0, "GL": 1})
    chart = Chart(segments, make_accounts_reply(programs=[("1000", "A", "Cash")]))
    assert chart.gl == (Account("1000", "A", "Cash"),)


@pytest.mark.parametrize(
    ("status", "active"), [("A", True), ("I", False), ("D", False), ("", False)]
)
def test_account_is_active_only_with_status_a(status: str, active: bool) -> None:
    assert Account("1000", status, "Cash").is_active is active


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        pytest.param([], "no list COA_SEGID", id="a list"),
        pytest.param({"COA_SEGID": 1}, "no list COA_SEGID", id="the number"),
        pytest.param({"COA_SEGID": ["GL"]}, "no segment with the title GL", id="titles only"),
        pytest.param(make_segments_reply({"Fund": 0}), "no segment with the title GL", id="no GL"),
        pytest.param({"COA_SEGID": [{"TITLE": "GL"}]}, "no usable COA_SEGID", id="no number"),
        pytest.param(
            {"COA_SEGID": [{"COA_SEGID": "0", "TITLE": "GL"}]}, "no usable COA_SEGID", id="text"
        ),
        pytest.param(
            {"COA_SEGID": [{"COA_SEGID": True, "TITLE": "GL"}]}, "no usable COA_SEGID", id="boolean"
        ),
    ],
)
def test_segment_that_is_not_numbered_is_refused(segments: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        _ = Chart(segments, make_accounts_reply()).gl


@pytest.mark.parametrize(
    ("accounts", "problem"),
    [
        pytest.param({"error": "x"}, "no list COA_SEGID", id="error document"),
        pytest.param(make_accounts_reply(gl=[]), "no accounts in the segment GL", id="no GL"),
        pytest.param({"COA_SEGID": [record(COA_SEGID=False)]}, "no accounts", id="false is not 0"),
        pytest.param({"COA_SEGID": [record(COA_CODE=...)]}, "COA_CODE", id="no code"),
        pytest.param({"COA_SEGID": [record(COA_CODE=1000)]}, "COA_CODE", id="code is a number"),
        pytest.param({"COA_SEGID": [record(COA_STATUS=None)]}, "COA_STATUS", id="no status"),
        pytest.param({"COA_SEGID": [record(COA_TITLE=...)]}, "COA_TITLE", id="no title"),
    ],
)
def test_segment_whose_accounts_are_wrong_is_refused(accounts: Any, problem: str) -> None:
    with pytest.raises(UpstreamDataError, match=problem):
        _ = Chart(make_segments_reply(), accounts).gl


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        7,
        [],
        {},
        {"COA_SEGID": None},
        {"COA_SEGID": 5, "COA_CODE": None},
        {"COA_SEGID": 1, "COA_TITLE": 3},
    ],
)
def test_record_of_another_segment_is_not_looked_at(foreign: Any) -> None:
    segments, accounts = make_segments_reply(), make_accounts_reply(gl=[("1000", "A", "Cash")])
    segments["COA_SEGID"].insert(0, foreign)
    accounts["COA_SEGID"].insert(0, foreign)
    assert Chart(segments, accounts).gl == (Account("1000", "A", "Cash"),)
