"""What a lookup's result looks like over HTTP."""

import json
from bisect import bisect_left
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from core.model.failures import FailureRecord
from core.model.freshness import freshness_at
from core.reading.load import LoadedEntry
from core.reading.lookup import Found, NotFound, Outcome
from handlers.proxy import response
from handlers.responses import (
    PAYLOAD_LIMIT_BYTES,
    Rendered,
    found_response,
    matches,
    not_found_response,
    rendered,
)
from handlers.routes import ROUTES
from local.functions.sandbox import MAX_RESPONSE_BYTES
from tests.builders import NOW, make_entry, make_failure

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
    return found_response(found, body, ROUTES[path], headers or {}, edge_ttl_seconds=300)


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
        pytest.param(timedelta(seconds=42), 42, id="what is left"),
        pytest.param(timedelta(seconds=-5), 0, id="nothing left"),
    ],
)
def test_max_age_is_what_is_left_but_at_most_the_edges_time(left: timedelta, max_age: int) -> None:
    cache_control = answer(now=NOW + TTL - left)["headers"]["Cache-Control"]
    assert f"max-age={max_age}," in cache_control


@pytest.mark.parametrize(
    ("path", "content_type", "cache_control"),
    [
        ("/accounts", "application/json", "public, max-age=300, "),
        ("/tags", "application/json", "public, max-age=300, "),
        ("/balances", "text/csv; charset=utf-8", "private, no-cache"),
        ("/", "text/html; charset=utf-8", "public, max-age=300, "),
    ],
)
def test_all_but_the_balances_may_be_kept_by_a_shared_cache(
    path: str, content_type: str, cache_control: str
) -> None:
    headers = answer(path=path)["headers"]
    assert headers["Content-Type"] == content_type
    assert headers["Cache-Control"].startswith(cache_control)


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
        pytest.param({"if-modified-since": "yesterday"}, 200, id="no date"),
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


@pytest.mark.parametrize("character", ["x", '"', "\\", "\n", "\x00", "é", "字", "𐐷"])
def test_body_that_just_fits_is_within_lambdas_limit_however_json_spells_it(
    character: str,
) -> None:
    def is_too_long(count: int) -> bool:
        return not rendered(character * count).fits

    longest = bisect_left(range(PAYLOAD_LIMIT_BYTES + 1), True, key=is_too_long) - 1
    whole = response(200, {"Any-Header": "x" * 4096}, character * longest)
    size_bytes = len(json.dumps(whole, ensure_ascii=False).encode())
    assert MAX_RESPONSE_BYTES - 16 * 1024 < size_bytes <= MAX_RESPONSE_BYTES


def test_rendered_body_that_cannot_be_returned_is_not_kept() -> None:
    assert rendered("x" * PAYLOAD_LIMIT_BYTES).body == ""


@pytest.mark.parametrize(
    ("failure", "detail"),
    [
        (None, "The data is being fetched from the accounting system"),
        (make_failure(), "Every fetch from MIP Cloud has failed since 15 October 2026, 12:00 UTC."),
    ],
)
def test_miss_is_503_with_a_time_to_come_back_and_a_reason(
    failure: FailureRecord | None, detail: str
) -> None:
    result = not_found_response(NotFound(10, "a-reason", failure))
    assert (result["statusCode"], json.loads(result["body"])["status"]) == (503, 503)
    assert json.loads(result["body"])["detail"].startswith(detail)
    assert result["headers"] == {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        "Retry-After": "10",
        "Cache-Status": "mips-cache; fwd=uri-miss; detail=a-reason",
    }


@pytest.mark.parametrize(("path", "minutes"), [("/", 5), ("/tags", 0)])
def test_last_modified_is_when_the_body_came_to_be(path: str, minutes: int) -> None:
    """The page also tells of a failure that came after its entry; the data do not."""
    failure = make_failure(first_failed_at=NOW + timedelta(minutes=5))
    told = answer(path=path, failure=failure)["headers"]["Last-Modified"]
    assert parsedate_to_datetime(told) == NOW + timedelta(minutes=minutes)
