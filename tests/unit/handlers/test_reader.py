"""The reader's answers over fakes: what a preference does, what is counted, how long it takes."""

from datetime import timedelta
from typing import Any

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.model.entry import ProgramLists
from core.reading.ask import RECHECK_STALE
from core.reading.load import LoadedEntry
from handlers.pages.document import CONTENT_TYPE as HTML
from handlers.pages.finder import finder_headers
from handlers.proxy import PROBLEM_JSON, Response
from handlers.time_budget import GATEWAY_SECONDS
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    make_balances,
    make_entry,
    make_row,
    make_stale_entry,
    store_entries,
    store_failures,
)
from tests.wired import WiredReader

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
LIMIT_X = {"queryStringParameters": {"limit": "x"}}


@pytest.fixture
def api() -> WiredReader:
    return WiredReader()


def request(api: WiredReader, resource: str = "/tags", **event: Any) -> Response:
    """Have an event answered: a GET, unless it is told otherwise."""
    return api.read({"httpMethod": "GET", "resource": resource, "path": "/tags", **event})


def counted(api: WiredReader) -> list[str]:
    return [metric for metric, _, _ in api.telemetry.metrics]


def in_memory(api: WiredReader) -> LoadedEntry:
    [loaded] = api.services().lookup._entries._loaded.values()
    return loaded


def status_and_preference(response: Response) -> tuple[int, str | None]:
    return response["statusCode"], response["headers"].get("Preference-Applied")


@pytest.mark.parametrize(
    ("setting", "prefer", "waited", "applied"),
    [
        pytest.param(20, None, 20, None, id="no preference"),
        pytest.param(20, "wait=0", 0, "wait=0", id="not at all"),
        pytest.param(20, "wait=7", 7, "wait=7", id="shorter"),
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
    response = api.get("/tags", {"Prefer": prefer} if prefer else None)
    expected = 200 if found == "long stale" else 503
    assert status_and_preference(response) == (expected, applied)
    assert sum(api.clock.sleeps) == pytest.approx(waited)


def test_preference_is_echoed_where_the_rebuild_came_in_time(api: WiredReader) -> None:
    built(api)
    assert status_and_preference(api.get("/tags", {"Prefer": "wait=5"})) == (200, "wait=5")


@pytest.mark.parametrize("stale_minutes", [-1, 1])
def test_preference_is_not_echoed_where_there_was_nothing_to_wait_for(
    api: WiredReader, stale_minutes: int
) -> None:
    """A cache may keep this answer, and give it to somebody who prefers something else."""
    store_entries(api.store, make_entry(built_at=NOW - timedelta(hours=24, minutes=stale_minutes)))
    assert status_and_preference(api.get("/tags", {"Prefer": "wait=5"})) == (200, None)


def hit(api: WiredReader) -> None:
    store_entries(api.store, make_entry())


def stale(api: WiredReader) -> None:
    store_entries(api.store, make_stale_entry())


def built(api: WiredReader) -> None:
    api.clock.plan(1, lambda: hit(api))


def rebuilt(api: WiredReader) -> None:
    stale(api)
    built(api)


def missed(api: WiredReader) -> None:
    pass


def s3_down(api: WiredReader) -> None:
    api.store.down = lambda operation, key: True


def sqs_down(api: WiredReader) -> None:
    api.queue.is_down = True


@pytest.mark.parametrize(
    ("happen", "event", "status", "metrics"),
    [
        (hit, {}, 200, ["Hits"]),
        (stale, {}, 200, ["StaleHits"]),
        (rebuilt, {}, 200, ["StaleHits"]),
        (built, {}, 200, ["Misses", "Waits"]),
        (missed, {}, 503, ["Misses"]),
        (s3_down, {}, 503, ["Unavailable"]),
        (sqs_down, {}, 503, ["Unavailable"]),
        (hit, LIMIT_X, 400, ["BadRequests"]),
        (hit, {"resource": "/{proxy+}"}, 404, ["BadRequests"]),
        (hit, {"resource": None}, 400, ["BadRequests"]),
        (hit, {"httpMethod": None}, 400, ["BadRequests"]),
        (hit, {"httpMethod": "POST"}, 405, ["BadRequests"]),
    ],
)
def test_each_outcome_has_its_status_and_is_counted(
    api: WiredReader, happen: Any, event: dict[str, Any], status: int, metrics: list[str]
) -> None:
    happen(api)
    response = request(api, **event)
    assert (response["statusCode"], counted(api)) == (status, metrics)
    assert ("Retry-After" in response["headers"]) == (status == 503)
    assert response["headers"].get("Allow") == ("GET, HEAD" if status == 405 else None)


def test_version_that_is_known_is_counted_as_a_hit_and_as_not_modified(api: WiredReader) -> None:
    hit(api)
    etag = api.get("/tags")["headers"]["ETag"]
    api.get("/tags", {"If-None-Match": etag})
    assert counted(api) == ["Hits", "Hits", "NotModified"]


def test_outage_is_logged_with_its_cause_which_the_answer_keeps_to_itself(
    api: WiredReader,
) -> None:
    s3_down(api)
    response = api.get("/tags")
    status = "mips-cache; fwd=miss; detail=storage-unavailable"
    assert response["headers"]["Cache-Status"] == status
    assert "S3" not in response["body"]
    assert api.telemetry.events == [
        ("warning", "storage out of reach", {"problem": "S3: ServiceUnavailable"})
    ]


@pytest.mark.parametrize("path", ["/mips/tags/", "/balances", None])
def test_route_is_what_api_gateway_chose_whatever_the_path_says(
    api: WiredReader, path: str | None
) -> None:
    """To route by the path would go round the authorization of /balances."""
    hit(api)
    assert '"Part A / 123456"' in request(api, path=path)["body"]


@pytest.mark.parametrize("resource", ["/tags", "/"])
def test_head_gets_what_get_gets(api: WiredReader, resource: str) -> None:
    """API Gateway drops the body, and counts its length."""
    hit(api)
    assert request(api, resource, httpMethod="HEAD") == request(api, resource)


@pytest.mark.parametrize(
    ("resource", "accept", "content_type", "vary"),
    [
        ("/", None, HTML, "Accept"),
        ("/", BROWSER, HTML, "Accept"),
        ("/", "application/json", PROBLEM_JSON, "Accept"),
        ("/tags", BROWSER, PROBLEM_JSON, None),
    ],
)
@pytest.mark.parametrize("event", [{}, LIMIT_X, {"httpMethod": "POST"}])
def test_error_is_a_page_for_people_and_a_problem_for_whom_ranks_json_first(
    api: WiredReader,
    event: dict[str, Any],
    resource: str,
    accept: str | None,
    content_type: str,
    vary: str | None,
) -> None:
    headers = request(api, resource, headers={"Accept": accept}, **event)["headers"]
    assert (headers["Content-Type"], headers.get("Vary")) == (content_type, vary)


def test_list_is_a_page_whoever_asks(api: WiredReader) -> None:
    """A cache may keep it under its address alone."""
    hit(api)
    headers = api.get("/", {"Accept": "application/json"})["headers"]
    assert (headers["Content-Type"], headers.get("Vary")) == (HTML, None)
    assert headers.items() >= finder_headers().items()


def test_stale_page_that_tells_of_a_failure_is_another_version_and_the_data_are_the_same(
    api: WiredReader,
) -> None:
    stale(api)
    etags = {path: api.get(path)["headers"]["ETag"] for path in ("/", "/tags")}
    store_failures(api.store, PROGRAM_LISTS)
    api.clock.advance(seconds=RECHECK_STALE.total_seconds())
    page, tags = (api.get(path, {"If-None-Match": etag}) for path, etag in etags.items())
    assert (page["statusCode"], tags["statusCode"]) == (200, 304)
    assert "Every fetch from MIP Cloud has failed since 15 October 2026" in page["body"]
    assert tags["headers"]["Cache-Status"].endswith("; detail=rebuild-failed")


def test_searches_do_not_drive_out_of_memory_what_others_ask_for(api: WiredReader) -> None:
    hit(api)
    api.get("/tags")
    before = list(in_memory(api).views)
    assert "<mark>Part</mark>" in api.get("/", q="part")["body"]
    assert list(in_memory(api).views) == before


def test_reader_knows_how_large_the_entry_is_whose_views_it_keeps(api: WiredReader) -> None:
    hit(api)
    api.get("/tags")
    [stored] = api.store.objects.values()
    assert in_memory(api).size_bytes == len(stored.body)


def test_list_that_is_too_long_for_a_response_is_refused_and_a_shorter_one_given(
    api: WiredReader,
) -> None:
    names = {f"{100_000 + n}": "Programme " * 9 for n in range(30_000)}
    store_entries(api.store, make_entry(data=ProgramLists(names, {})))
    assert [api.get("/", limit=limit)["statusCode"] for limit in ("0", "1000")] == [400, 200]


def test_report_that_is_too_long_for_a_response_is_no_fault_of_the_caller(api: WiredReader) -> None:
    long = make_balances(rows=[make_row(name="n" * 6_300_000)])
    store_entries(api.store, make_entry(OCTOBER_BALANCES, data=long))
    answer = api.get("/balances")
    assert answer["statusCode"] == 500
    assert "limit" not in answer["body"]


@pytest.mark.parametrize("begun_ms", [0, 10_000], ids=["warm", "after a cold start"])
@pytest.mark.parametrize(("happen", "status"), [(missed, 503), (stale, 200)])
def test_answer_comes_before_api_gateway_gives_up_although_each_call_takes_seven_seconds(
    api: WiredReader, happen: Any, status: int, begun_ms: int
) -> None:
    def pass_time(operation: str, key: str) -> bool:
        api.clock.advance(seconds=7)
        return False

    happen(api)
    api.store.down = pass_time
    taken_at_ms = int(NOW.timestamp() * 1000) - begun_ms
    response = api.get("/tags", context={"requestTimeEpoch": taken_at_ms})
    assert response["statusCode"] == status
    answered_ms = int(api.clock().timestamp() * 1000)
    assert answered_ms - taken_at_ms < GATEWAY_SECONDS * 1000


def test_today_is_a_day_of_the_configured_zone() -> None:
    """It is noon on the 15th in UTC, and the 16th in Auckland."""
    api = WiredReader(time_zone="Pacific/Auckland")
    api.get("/balances", {"Prefer": "wait=0"})
    assert '"to": "2026-10-16"' in api.queue.sent[0]


@pytest.mark.parametrize(("day", "status"), [("2026-10-16", 503), ("2026-10-17", 400)])
def test_day_that_has_begun_somewhere_on_earth_may_be_asked_for(
    api: WiredReader, day: str, status: int
) -> None:
    assert api.get("/balances", {"Prefer": "wait=0"}, target_date=day)["statusCode"] == status
