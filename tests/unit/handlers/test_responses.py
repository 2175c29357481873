"""What a lookup's result looks like over HTTP."""

import json
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from core.model.failures import FailureRecord
from core.model.freshness import freshness_at
from core.reading.load import LoadedEntry
from core.reading.lookup import Found, NotFound, Outcome
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
from tests.builders import NOW, make_entry, make_failure

EDGE_TTL = 300
TTL = timedelta(hours=1)
BODY = rendered('{"123456": "Part A"}')


def answer(
    *,
    now: datetime = NOW,
    outcome: Outcome = Outcome.HIT,
    path: str = "/accounts",
    is_failing: bool = False,
    headers: dict[str, str] | None = None,
    body: Rendered = BODY,
    failure: FailureRecord | None = None,
) -> dict[str, Any]:
    entry = make_entry(built_at=NOW, ttl=TTL)
    loaded, freshness = LoadedEntry(entry, '"s3"'), freshness_at(now, entry)
    found = Found(loaded, outcome, freshness, is_failing, failure=failure)
    return found_response(found, body, ROUTES[path], headers or {}, EDGE_TTL)


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
    }


@pytest.mark.parametrize(
    ("outcome", "since_built", "is_failing", "cache_status"),
    [
        (Outcome.HIT, 0, False, "hit; ttl=3600"),
        (Outcome.STALE, 3605, False, "hit; ttl=-5"),
        (Outcome.STALE, 3605, True, "hit; ttl=-5; detail=rebuild-failed"),
        (Outcome.EARLIER_DAY, 0, True, "hit; ttl=-1; detail=earlier-day"),
        (Outcome.EARLIER_DAY, 3605, False, "hit; ttl=-5; detail=earlier-day"),
        (Outcome.REBUILT, 0, False, "fwd=stale; stored"),
        (Outcome.BUILT, 0, False, "fwd=uri-miss; stored"),
    ],
)
def test_cache_status_tells_how_the_entry_was_found(
    outcome: Outcome, since_built: int, is_failing: bool, cache_status: str
) -> None:
    now = NOW + timedelta(seconds=since_built)
    result = answer(now=now, outcome=outcome, is_failing=is_failing)
    assert result["statusCode"] == 200
    assert result["headers"]["Cache-Status"] == f"mips-cache; {cache_status}"


@pytest.mark.parametrize(
    ("left", "max_age"),
    [
        pytest.param(timedelta(hours=1), 300, id="at most the edge's time"),
        pytest.param(timedelta(seconds=300), 300, id="exactly the edge's time"),
        pytest.param(timedelta(seconds=42), 42, id="what is left"),
        pytest.param(timedelta(0), 0, id="nothing left"),
        pytest.param(timedelta(seconds=-5), 0, id="stale"),
    ],
)
def test_max_age_is_what_is_left_but_at_most_the_edges_time(left: timedelta, max_age: int) -> None:
    cache_control = answer(now=NOW + TTL - left)["headers"]["Cache-Control"]
    assert f"max-age={max_age}," in cache_control


def test_balances_are_private_csv() -> None:
    headers = answer(path="/balances")["headers"]
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("path", ["/accounts", "/balances", "/"])
def test_304_has_the_headers_of_the_200_and_no_body(path: str) -> None:
    fresh, known = answer(path=path), answer(path=path, headers={"if-none-match": BODY.etag})
    assert (known["statusCode"], known["body"]) == (304, "")
    assert known["headers"] == fresh["headers"]


LAST_MODIFIED = "Thu, 15 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"if-none-match": '"another"'}, 200, id="another version"),
        pytest.param({"if-modified-since": LAST_MODIFIED}, 304, id="the time of this version"),
        pytest.param({"if-modified-since": f" {LAST_MODIFIED} "}, 304, id="with spaces"),
        pytest.param(
            {"if-modified-since": "Thu, 15 Oct 2026 12:00:01 GMT"}, 200, id="a later time"
        ),
        pytest.param({"if-modified-since": "Thu, 15 Oct 2099 12:00:00 GMT"}, 200, id="the future"),
        pytest.param({"if-modified-since": "yesterday"}, 200, id="no date"),
        pytest.param({"if-modified-since": ""}, 200, id="empty"),
        pytest.param(
            {"if-none-match": '"another"', "if-modified-since": LAST_MODIFIED},
            200,
            id="If-None-Match decides",
        ),
        pytest.param(
            {"if-none-match": BODY.etag, "if-modified-since": "yesterday"},
            304,
            id="If-None-Match alone decides",
        ),
    ],
)
def test_version_that_the_client_has_is_304(headers: dict[str, str], status: int) -> None:
    assert answer(headers=headers)["statusCode"] == status


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


def test_miss_while_rebuilds_fail_says_since_when() -> None:
    failure = make_failure(error_type="TimedOutError")
    detail = json.loads(not_found_response(NotFound(10, "rebuild-failed", failure))["body"])[
        "detail"
    ]
    assert detail == (
        "MIP Cloud has not answered since 15 October 2026, 12:00 UTC. It is tried again by itself."
    )


@pytest.mark.parametrize(("path", "minutes"), [("/", 5), ("/tags", 0)])
def test_last_modified_is_when_the_body_came_to_be(path: str, minutes: int) -> None:
    """The page also tells of a failure that came after its entry; the data do not."""
    failure = make_failure(first_failed_at=NOW + timedelta(minutes=5))
    told = answer(path=path, failure=failure)["headers"]["Last-Modified"]
    assert parsedate_to_datetime(told) == NOW + timedelta(minutes=minutes)


def test_unavailable_tells_what_it_is_told() -> None:
    result = unavailable_response("Please try again.", 30, "fwd=miss; detail=x")
    assert result["statusCode"] == 503
    assert result["headers"]["Retry-After"] == "30"
    assert result["headers"]["Cache-Status"] == "mips-cache; fwd=miss; detail=x"
