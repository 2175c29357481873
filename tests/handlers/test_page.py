"""The finder on emulated AWS: pages for people, and what programs get from the same address."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.model.entry import ProgramLists, encode
from core.model.failures import encode_failure
from handlers.wiring.reader import reader
from handlers.wording import readable_time
from tests.builders import make_entry, make_failure
from tests.handlers.conftest import BUCKET, Service, event
from tests.handlers.test_reader import PROGRAMS, problem_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"Accept": "application/json"}


def assert_is_page(response: dict[str, Any]) -> None:
    """A page, with a policy that allows exactly the style and script that are in it."""
    headers, body = response["headers"], response["body"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert body.startswith("<!doctype html>")
    policy = headers["Content-Security-Policy"]
    assert re.findall(r"'sha256-[^']+'", policy) == [
        hash_of(re.search(r"<style>(.*?)</style>", body, re.DOTALL)),
        hash_of(re.search(r'<script type="module">(.*?)</script>', body, re.DOTALL)),
    ]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def hash_of(found: re.Match[str] | None) -> str:
    assert found
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"


def test_page_event_returns_a_page_with_the_inactive_programs(warm: Service) -> None:
    response = warm.read(event("reader_page"))
    assert response["statusCode"] == 200
    assert_is_page(response)
    assert (
        "<li><b>CSBC - NCI</b> <code>101300</code> <span>CSBC - NCI / 101300</span></li>"
        in (response["body"])
    )
    assert "<em>inactive</em>" in response["body"]


def test_page_lists_the_tags_of_the_same_parameters(warm: Service) -> None:
    parameters = {"show_other_code": "on", "priority_codes": "121700", "limit": "9"}
    tags = json.loads(warm.get("/tags", **parameters)["body"])
    page = warm.get("/", BROWSER, **parameters)["body"]
    assert re.findall(r"<span>([^<]+ / [0-9]+)</span>", page) == tags


@pytest.mark.parametrize("headers", [None, BROWSER, PROGRAM])
def test_list_is_a_page_whoever_asks(warm: Service, headers: dict[str, str] | None) -> None:
    """A cache may keep it under its address alone."""
    response = warm.get("/", headers)
    assert_is_page(response)
    assert "Vary" not in response["headers"]


def test_stale_page_tells_since_when_mip_has_not_answered(warm: Service) -> None:
    """And is another page than before, by its ETag and by its date; the data are what they were."""
    warm.make_stale()
    paths = ("/", "/tags")
    page, tags = (warm.get(path)["headers"] for path in paths)
    since, due = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (1, 61))
    failure = make_failure(error_type="TimedOutError", first_failed_at=since, next_attempt_at=due)
    warm.store("v1/failures/programs.json", encode_failure(failure))
    reader.cache_clear()
    told, same = (
        warm.get(path, {"If-None-Match": old["ETag"]})
        for path, old in zip(paths, (page, tags), strict=True)
    )
    assert (told["statusCode"], same["statusCode"]) == (200, 304)
    assert f"MIP Cloud has not answered since {readable_time(since)}." in told["body"]
    assert warm.get("/", {"If-Modified-Since": page["Last-Modified"]})["statusCode"] == 200
    assert warm.get("/", {"If-None-Match": told["headers"]["ETag"]})["statusCode"] == 304


def test_page_of_a_search_holds_the_matches_and_is_known_by_its_own_etag(warm: Service) -> None:
    whole, found = warm.get("/", BROWSER), warm.get("/", BROWSER, q="nci csbc")
    assert_is_page(found)
    assert re.findall(r"<span>([^<]+ / [0-9]+)</span>", found["body"]) == ["CSBC - NCI / 101300"]
    assert found["headers"]["ETag"] != whole["headers"]["ETag"]
    known = {**BROWSER, "If-None-Match": found["headers"]["ETag"]}
    assert warm.get("/", known, q="nci csbc")["statusCode"] == 304
    assert warm.get("/", known, q="nci")["statusCode"] == 200


def test_searches_do_not_drive_out_of_memory_what_others_ask_for(warm: Service) -> None:
    warm.get("/tags")
    [loaded] = reader().lookup._entries._loaded.values()
    before = list(loaded.views)
    for number in range(3):
        warm.get("/", BROWSER, q=str(number))
    assert list(loaded.views) == before


@pytest.mark.parametrize("q", ["<script>alert(1)</script>", '"><b>', "\x00\ud800", "n" * 10_000])
def test_search_for_anything_is_a_page_and_nothing_of_it_is_markup(warm: Service, q: str) -> None:
    response = warm.get("/", BROWSER, q=q)
    assert response["statusCode"] == (400 if len(q) > 256 else 200)
    assert_is_page(response)
    assert q not in response["body"]


def test_of_a_repeated_search_the_last_one_counts(warm: Service) -> None:
    sample = event("reader_page")
    sample["multiValueQueryStringParameters"] = {"q": ["htan", "csbc"]}
    body = warm.read(sample)["body"]
    assert re.findall(r"<code>([0-9]+)</code>", body) == ["101300"]


@pytest.mark.parametrize("headers", [None, BROWSER, {"Accept": "*/*"}])
def test_miss_is_a_page_that_looks_again(service: Service, headers: dict[str, str] | None) -> None:
    response = service.get("/", headers)
    headers = response["headers"]
    assert response["statusCode"] == 503
    assert_is_page(response)
    assert (headers["Cache-Control"], headers["Vary"]) == ("no-store", "Accept")
    assert headers["Cache-Status"] == "mips-cache; fwd=uri-miss; detail=rebuild-queued"
    seconds = headers["Retry-After"]
    assert f'data-seconds="{seconds}"' in response["body"]
    assert (
        f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>'
        in (response["body"])
    )
    assert [message["reason"] for message in service.queued()] == ["miss"]


def test_s3_out_of_reach_is_a_page_that_looks_again(warm: Service) -> None:
    for version in warm.s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        warm.s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    warm.s3.delete_bucket(Bucket=BUCKET)
    response = warm.get("/", BROWSER)
    assert response["statusCode"] == 503
    assert_is_page(response)
    assert "The cache is out of reach at the moment" in response["body"]
    assert 'data-seconds="30"' in response["body"]
    assert "NoSuchBucket" not in response["body"]


def test_bad_parameter_is_a_page_that_names_it(warm: Service) -> None:
    response = warm.get("/", BROWSER, limit="<b>many</b>")
    assert response["statusCode"] == 400
    assert_is_page(response)
    assert "The parameter limit must be a whole number" in response["body"]
    assert "<b>many</b>" not in response["body"]
    assert "Retry-After" not in response["headers"]
    assert "refresh" not in response["body"]


def test_list_that_is_too_long_is_a_page_with_a_shorter_one_to_go_to(service: Service) -> None:
    names = {f"{100_000 + n}": "Programme " * 9 for n in range(30_000)}
    service.store(PROGRAMS, encode(make_entry(data=ProgramLists(names, {}))))
    response = service.get("/", BROWSER)
    assert response["statusCode"] == 400
    assert_is_page(response)
    assert 'href="?limit=1000"' in response["body"]
    assert service.get("/", BROWSER, limit="1000")["statusCode"] == 200


def test_errors_of_the_page_are_problem_documents_for_whom_ranks_json_first(
    service: Service,
) -> None:
    miss, bad = service.get("/", PROGRAM), service.get("/", PROGRAM, limit="x")
    assert (miss["statusCode"], bad["statusCode"]) == (503, 400)
    for response in (miss, bad):
        problem_of(response)
        assert response["headers"]["Vary"] == "Accept"
        assert "Content-Security-Policy" not in response["headers"]


@pytest.mark.parametrize("path", ["/tags", "/nowhere"])
def test_errors_of_other_addresses_are_problem_documents_for_everybody(
    service: Service, path: str
) -> None:
    response = service.get(path, BROWSER)
    problem_of(response)
    assert "Vary" not in response["headers"]
