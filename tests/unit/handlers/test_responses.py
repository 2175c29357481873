"""What a lookup's result looks like over HTTP."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.model.freshness import freshness_at
from core.reading.lookup import Found, LoadedEntry, NotFound, Outcome
from handlers.responses import (
    PAYLOAD_LIMIT_BYTES,
    Rendered,
    found_response,
    matches,
    not_found_response,
    rendered,
    unavailable_response,
)
from handlers.routes import ROUTES
from tests.builders import NOW, make_entry

EDGE_TTL = 300
TTL = timedelta(hours=1)
BODY = rendered('{"123456": "Part A"}')


def answer(
    *,
    now: datetime = NOW,
    outcome: Outcome = Outcome.HIT,
    path: str = "/accounts",
    if_none_match: str | None = None,
    body: Rendered = BODY,
) -> dict[str, Any]:
    entry = make_entry(built_at=NOW, ttl=TTL)
    found = Found(LoadedEntry(entry, '"s3"'), outcome, freshness_at(now, entry))
    return found_response(found, body, ROUTES[path], if_none_match, EDGE_TTL)


def test_hit_has_every_documented_header() -> None:
    result = answer(now=NOW + timedelta(minutes=1))
    assert result["statusCode"] == 200
    assert result["body"] == BODY.body
    assert result["headers"] == {
        "Content-Type": "application/json",
        "ETag": BODY.etag,
        "Cache-Control": "public, max-age=300, stale-while-revalidate=300, stale-if-error=86400",
        "Cache-Status": "mips-cache; hit; ttl=3540",
        "Last-Modified": "Thu, 15 Oct 2026 12:00:00 GMT",
        "Age": "60",
    }


def test_stale_hit_has_a_negative_ttl_and_no_max_age() -> None:
    headers = answer(now=NOW + TTL + timedelta(seconds=5), outcome=Outcome.STALE)["headers"]
    assert headers["Cache-Status"] == "mips-cache; hit; ttl=-5"
    assert headers["Cache-Control"].startswith("public, max-age=0,")
    assert headers["Age"] == "3605"


def test_entry_built_while_waiting_is_a_miss_that_was_stored() -> None:
    result = answer(outcome=Outcome.BUILT)
    assert result["statusCode"] == 200
    assert result["headers"]["Cache-Status"] == "mips-cache; fwd=uri-miss; stored"


@pytest.mark.parametrize(
    ("left", "max_age"),
    [
        pytest.param(timedelta(hours=1), 300, id="at most the edge's time"),
        pytest.param(timedelta(seconds=300), 300, id="exactly the edge's time"),
        pytest.param(timedelta(seconds=42), 42, id="what is left"),
        pytest.param(timedelta(0), 0, id="nothing left"),
    ],
)
def test_max_age_is_what_is_left_but_at_most_the_edges_time(left: timedelta, max_age: int) -> None:
    cache_control = answer(now=NOW + TTL - left)["headers"]["Cache-Control"]
    assert f"max-age={max_age}," in cache_control


def test_balances_are_private_csv() -> None:
    headers = answer(path="/balances")["headers"]
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("outcome", [Outcome.HIT, Outcome.STALE, Outcome.BUILT])
def test_matching_validator_is_304_without_a_body(outcome: Outcome) -> None:
    result = answer(if_none_match=BODY.etag, outcome=outcome)
    assert (result["statusCode"], result["body"]) == (304, "")
    assert {"ETag", "Cache-Control", "Cache-Status"} <= result["headers"].keys()
    assert "Content-Type" not in result["headers"]


def test_other_validator_is_200_with_the_body() -> None:
    assert answer(if_none_match='"another"')["statusCode"] == 200


@pytest.mark.parametrize(
    ("if_none_match", "expected"),
    [
        pytest.param('"a"', True, id="the same"),
        pytest.param('W/"a"', True, id="weak"),
        pytest.param("*", True, id="any"),
        pytest.param(" * ", True, id="any, with spaces"),
        pytest.param('"b", "a"', True, id="one of them"),
        pytest.param('"b",W/"a" ,"c"', True, id="one of them, weak"),
        pytest.param('"b"', False, id="another"),
        pytest.param("a", False, id="no quotes"),
        pytest.param("", False, id="empty"),
        pytest.param('"*"', False, id="quoted star"),
    ],
)
def test_matches_compares_weakly(if_none_match: str, expected: bool) -> None:
    assert matches(if_none_match, '"a"') is expected


def test_etag_follows_the_bytes() -> None:
    assert rendered("a").etag == rendered("a").etag
    assert rendered("a").etag != rendered("b").etag
    assert rendered("a").etag.startswith('"')


def test_rendered_lone_surrogate_is_replaced() -> None:
    assert rendered("a\ud800b").body == "a?b"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        pytest.param("x" * (PAYLOAD_LIMIT_BYTES - 2), True, id="just fits"),
        pytest.param("x" * (PAYLOAD_LIMIT_BYTES - 1), False, id="one too long"),
        pytest.param('"' * (PAYLOAD_LIMIT_BYTES // 2), False, id="too long once escaped"),
        pytest.param("é" * (PAYLOAD_LIMIT_BYTES // 2 - 1), True, id="letters of two bytes"),
        pytest.param("é" * (PAYLOAD_LIMIT_BYTES // 2), False, id="too long in bytes"),
    ],
)
def test_rendered_fits_what_lambda_can_return(text: str, fits: bool) -> None:
    assert rendered(text).fits is fits


def test_rendered_body_that_cannot_be_returned_is_not_kept() -> None:
    assert rendered("x" * PAYLOAD_LIMIT_BYTES).body == ""


def test_payload_limit_leaves_room_for_headers_below_lambdas_6_mb() -> None:
    assert 6 * 1024 * 1024 - 16 * 1024 < PAYLOAD_LIMIT_BYTES < 6 * 1024 * 1024


@pytest.mark.parametrize("detail", ["rebuild-queued", "rebuild-failed"])
def test_miss_is_503_with_a_time_to_come_back(detail: str) -> None:
    result = not_found_response(NotFound(10, detail))
    assert result["statusCode"] == 503
    assert result["headers"]["Retry-After"] == "10"
    assert result["headers"]["Cache-Control"] == "no-store"
    assert result["headers"]["Cache-Status"] == f"mips-cache; fwd=uri-miss; detail={detail}"
    assert json.loads(result["body"])["status"] == 503


def test_unavailable_tells_what_it_is_told() -> None:
    result = unavailable_response("Please try again.", 30, "fwd=miss; detail=x")
    assert result["statusCode"] == 503
    assert result["headers"]["Retry-After"] == "30"
    assert result["headers"]["Cache-Status"] == "mips-cache; fwd=miss; detail=x"
