"""Errors of a page, told to people: an answer that is not there yet, or a wrong parameter."""

import json
from collections.abc import Mapping
from typing import Any

from handlers.pages.document import CONTENT_TYPE, document, page_headers
from handlers.pages.template import Markup, fill
from handlers.preferences import prefers_json
from handlers.proxy import Response

SCRIPTS = ("notice.js",)
MISTAKE = "That did not work"
HEADINGS = {
    "rebuild-failed": "The list cannot be fetched at the moment",
    "storage-unavailable": "The list is out of reach at the moment",
}
SOON = "Just a moment"
"""What the heading says of an answer that comes later, by the detail of its Cache-Status."""


def for_people(answer: Response, accept: str | None) -> Response:
    """Return an error as a page, unless the client ranks JSON above HTML.

    Status and headers stay, so that a cache or a script sees no difference but the body.
    """
    if answer["statusCode"] < 400:
        return answer
    headers = {**answer["headers"], "Vary": "Accept"}
    if prefers_json(accept):
        return {**answer, "headers": headers}
    headers |= {"Content-Type": CONTENT_TYPE, **page_headers(*SCRIPTS)}
    problem = json.loads(answer["body"])
    return {**answer, "headers": headers, "body": _page(problem, headers)}


def _page(problem: dict[str, Any], headers: Mapping[str, str]) -> str:
    if (retry_after := headers.get("Retry-After")) is None:
        heading, head, next_ = MISTAKE, Markup(), fill("notice_mend.html")
    else:
        _, _, reason = headers.get("Cache-Status", "").partition("detail=")
        heading = HEADINGS.get(reason, SOON)
        head, next_ = _reload(retry_after), _retry(int(retry_after))
    main = fill("notice.html", heading=heading, detail=problem["detail"], next=next_)
    return document(title=heading, head=head, main=main, scripts=SCRIPTS)


def _reload(seconds: str) -> Markup:
    """Return what makes a browser without JavaScript look again."""
    return fill("notice_head.html", seconds=seconds)


def _retry(seconds: int) -> Markup:
    return fill("notice_retry.html", seconds=seconds, duration=_duration(seconds))


def _duration(seconds: int) -> str:
    """Say a duration in the unit that a person would take, rounded up."""
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
