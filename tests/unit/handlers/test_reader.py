"""The reader's answers over fakes: what a preference does, what is counted, how long it takes."""

from datetime import timedelta
from typing import Any

import pytest

from core.model.datasets import PROGRAM_LISTS, failure_key
from core.model.entry import CacheEntry
from core.model.failures import encode_failure
from handlers.proxy import parse_request
from handlers.reader import respond
from handlers.time_budget import GATEWAY_SECONDS
from tests.builders import (
    NOW,
    PREFIX,
    make_entry,
    make_failure,
    make_stale_entry,
    store_entries,
    store_tombstones,
)
from tests.wired import WiredReader


@pytest.fixture
def api() -> WiredReader:
    return WiredReader()


def status_and_preference(response: dict[str, Any]) -> tuple[int, str | None]:
    return response["statusCode"], response["headers"].get("Preference-Applied")


@pytest.mark.parametrize(
    ("setting", "prefer", "waited", "applied"),
    [
        pytest.param(20, None, 20, None, id="no preference"),
        pytest.param(20, "wait=0", 0, "wait=0", id="not at all"),
        pytest.param(20, "wait=7", 7, "wait=7", id="shorter"),
        pytest.param(20, "wait=20", 20, "wait=20", id="just as long"),
        pytest.param(20, "wait=600", 20, "wait=20", id="longer: capped by what can be waited"),
        pytest.param(5, "wait=7", 5, "wait=5", id="longer: capped by the setting"),
        pytest.param(29, None, 20, None, id="a setting beyond what can be waited"),
        pytest.param(29, "wait=25", 20, "wait=20", id="both beyond what can be waited"),
        pytest.param(20, "wait=soon", 20, None, id="malformed"),
    ],
)
@pytest.mark.parametrize("found", ["nothing", "long stale"])
def test_wait_is_the_shortest_of_setting_preference_and_what_can_be_waited(
    setting: int, prefer: str | None, waited: int, applied: str | None, found: str
) -> None:
    api = WiredReader(miss_wait_seconds=setting)
    if found == "long stale":
        store_entries(api.store, make_stale_entry())
    headers = {"Prefer": prefer} if prefer else {}
    response = api.get("/tags", headers)
    expected = 200 if found == "long stale" else 503
    assert status_and_preference(response) == (expected, applied)
    assert sum(api.clock.sleeps) == pytest.approx(waited)


def test_preference_is_echoed_where_the_rebuild_came_in_time(api: WiredReader) -> None:
    api.clock.plan(1, lambda: store_entries(api.store, make_entry()))
    assert status_and_preference(api.get("/tags", {"Prefer": "wait=5"})) == (200, "wait=5")


@pytest.mark.parametrize("stale_minutes", [-1, 1])
def test_preference_is_not_echoed_where_there_was_nothing_to_wait_for(
    api: WiredReader, stale_minutes: int
) -> None:
    """A cache may keep this answer, and give it to somebody who prefers something else."""
    store_entries(api.store, make_entry(built_at=NOW - timedelta(hours=24, minutes=stale_minutes)))
    assert status_and_preference(api.get("/tags", {"Prefer": "wait=5"})) == (200, None)


FRESH, STALE = make_entry(), make_stale_entry()


def metrics(api: WiredReader) -> list[str]:
    return [metric for metric, _, _ in api.telemetry.metrics]


@pytest.mark.parametrize(
    ("stored", "rebuilt", "headers", "counted"),
    [
        pytest.param(FRESH, None, {}, ["Hits"], id="hit"),
        pytest.param(FRESH, None, {"If-None-Match": "*"}, ["Hits", "NotModified"], id="known"),
        pytest.param(STALE, None, {"Prefer": "wait=0"}, ["StaleHits"], id="stale"),
        pytest.param(STALE, FRESH, {}, ["StaleHits"], id="rebuilt"),
        pytest.param(None, FRESH, {}, ["Misses", "Waits"], id="built"),
        pytest.param(None, None, {}, ["Misses"], id="missed"),
    ],
)
def test_answer_is_counted_by_how_it_was_found(
    api: WiredReader,
    stored: CacheEntry | None,
    rebuilt: CacheEntry | None,
    headers: dict[str, str],
    counted: list[str],
) -> None:
    if stored:
        store_entries(api.store, stored)
    if rebuilt:
        api.clock.plan(1, lambda: store_entries(api.store, rebuilt))
    api.get("/tags", headers)
    assert metrics(api) == counted


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"resource": "/tags"}, id="no method"),
        pytest.param({"httpMethod": "POST", "resource": "/tags"}, id="wrong method"),
        pytest.param({"httpMethod": "GET", "resource": "/{proxy+}"}, id="unknown path"),
        pytest.param(
            {"httpMethod": "GET", "resource": "/tags", "queryStringParameters": {"limit": "x"}},
            id="bad parameter",
        ),
    ],
)
def test_bad_request_is_counted(api: WiredReader, event: dict[str, Any]) -> None:
    api.read(event)
    assert metrics(api) == ["BadRequests"]


@pytest.mark.parametrize("service", ["S3", "SQS"])
def test_outage_is_503_counted_and_logged_with_its_cause(api: WiredReader, service: str) -> None:
    api.store.down = lambda operation, key: service == "S3"
    api.queue.is_down = True
    response = api.get("/tags")
    assert (response["statusCode"], metrics(api)) == (503, ["Unavailable"])
    assert int(response["headers"]["Retry-After"]) > 0
    assert api.telemetry.warnings()[-1] == "storage out of reach"
    assert api.telemetry.events[0][2]["problem"] == f"{service}: ServiceUnavailable"


@pytest.mark.parametrize("begun_ms", [0, 3_000], ids=["warm", "after a cold start"])
@pytest.mark.parametrize("found", ["a miss", "stale"])
def test_answer_comes_before_api_gateway_gives_up_although_each_call_takes_seven_seconds(
    api: WiredReader, found: str, begun_ms: int
) -> None:
    def pass_time(operation: str, key: str) -> bool:
        api.clock.advance(seconds=7 if operation == "read" else 0)
        return False

    api.store.down = pass_time
    if found == "stale":
        store_entries(api.store, make_stale_entry())
    taken_at_ms = int(NOW.timestamp() * 1000) - begun_ms
    response = api.get("/tags", context={"requestTimeEpoch": taken_at_ms})
    assert response["statusCode"] == (200 if found == "stale" else 503)
    assert "Retry-After" in response["headers"] or found == "stale"
    answered_ms = int(api.clock().timestamp() * 1000)
    assert answered_ms - taken_at_ms < GATEWAY_SECONDS * 1000


def test_today_is_a_day_of_the_configured_zone(api: WiredReader) -> None:
    """It is noon on the 15th in UTC, and the 16th in Auckland."""
    api = WiredReader(time_zone="Pacific/Auckland")
    api.get("/balances", {"Prefer": "wait=0"})
    assert '"to": "2026-10-16"' in api.queue.sent[0]


def test_day_that_has_begun_somewhere_on_earth_may_be_asked_for(api: WiredReader) -> None:
    statuses = {
        day: api.get("/balances", {"Prefer": "wait=0"}, target_date=day)["statusCode"]
        for day in ("2026-10-16", "2026-10-17")
    }
    assert statuses == {"2026-10-16": 503, "2026-10-17": 400}


def test_failure_that_is_waited_out_is_told_beside_a_stale_entry(api: WiredReader) -> None:
    store_entries(api.store, make_stale_entry())
    api.store.put(failure_key(PREFIX, PROGRAM_LISTS), encode_failure(make_failure()))
    headers = api.get("/tags")["headers"]
    assert headers["Cache-Status"] == "mips-cache; hit; ttl=-86400; detail=rebuild-failed"


def test_request_is_read_and_answered_without_a_context_or_headers(api: WiredReader) -> None:
    store_tombstones(api.store, PROGRAM_LISTS)
    request = parse_request({"httpMethod": "GET", "resource": "/tags"}, "i-1")
    assert respond(request, api.services())["statusCode"] == 503
