"""Errors of the finder, as pages: what is said, and when a page looks again."""

import re
from typing import Any

import pytest

from handlers.pages.notice import for_people
from handlers.proxy import problem, response

HTML = "text/html"


def later(seconds: int, **headers: str) -> dict[str, Any]:
    return for_people(problem(503, "Not yet.", {"Retry-After": str(seconds), **headers}), HTML)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (121, "3 minutes"),
    ],
)
def test_page_of_what_comes_later_looks_again_after_exactly_the_time_that_it_tells(
    seconds: int, text: str
) -> None:
    body = later(seconds)["body"]
    assert re.findall(r'(?:data-seconds|content)="([0-9]+)"', body) == [str(seconds)] * 2
    text_of_body = re.sub(r"</?span[^>]*>", "", body)
    assert f"This page looks again by itself in {text}." in text_of_body


@pytest.mark.parametrize(
    ("reason", "heading"),
    [
        ("rebuild-queued", "Just a moment"),
        ("rebuild-failed", "The list cannot be fetched at the moment"),
        ("storage-unavailable", "The list is out of reach at the moment"),
    ],
)
def test_heading_says_why_the_list_is_not_there(reason: str, heading: str) -> None:
    status = f"mips-cache; fwd=uri-miss; detail={reason}"
    assert f"<h1>{heading}</h1>" in later(5, **{"Cache-Status": status})["body"]


def test_page_of_a_mistake_has_ways_out_and_does_not_look_again() -> None:
    body = for_people(problem(400, "The parameter <b> is wrong.", {}), HTML)["body"]
    assert "<p>The parameter &lt;b&gt; is wrong.</p>" in body
    assert '<a href="?">All programs</a>' in body
    assert '<a href="?limit=1000">' in body
    assert "http-equiv" not in body
    assert 'id="next"' not in body


def test_status_and_headers_of_a_problem_stay() -> None:
    headers = {"Allow": "GET, HEAD", "Cache-Status": "mips-cache; fwd=miss"}
    answer = for_people(problem(405, "No.", headers), HTML)
    assert answer["statusCode"] == 405
    assert {**headers, "Cache-Control": "no-store"}.items() <= answer["headers"].items()


@pytest.mark.parametrize("status", [200, 304])
def test_what_is_no_error_stays_as_it_is(status: int) -> None:
    answer = response(status, {"ETag": '"1"'}, "body")
    assert for_people(answer, HTML) == answer


def test_problem_for_a_program_differs_in_vary_alone() -> None:
    answer = problem(400, "No.", {})
    expected = {**answer, "headers": {**answer["headers"], "Vary": "Accept"}}
    assert for_people(answer, "application/json") == expected
