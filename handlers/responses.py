"""What a lookup's result looks like over HTTP: status, caching headers, body.

RFC 9110 (conditional requests), RFC 9111 (Cache-Control), RFC 9211 (Cache-Status), RFC 5861
(stale-while-revalidate, stale-if-error).

There is no Age. For everybody downstream the reader is the origin, which has just validated the
entry, so max-age counts from the answer. An Age that counts from the fetch would use it up (RFC
9111, 4.2.3): every answer would be stale on arrival.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from core.model.freshness import Freshness
from core.reading.lookup import REBUILD_FAILED, Found, NotFound, Outcome
from handlers.proxy import Response, problem, response
from handlers.routes import Route
from handlers.wording import trouble_text

CACHE_NAME = "mips-cache"
STALE_IF_ERROR_SECONDS = 86_400
RETRY_AFTER_OUTAGE_SECONDS = 30
FETCHING = "The data is being fetched from the accounting system; please try again."
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024 - 8 * 1024
"""Lambda's limit for a response, less what the headers of ours can take."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body and the entity tag of exactly these bytes."""

    body: str
    etag: str
    fits: bool


def rendered(text: str) -> Rendered:
    """Make a body of a text; `fits` tells whether Lambda can return it, and else it is empty.

    A lone surrogate, which JSON can smuggle into a name, has no UTF-8 form and is replaced.
    """
    content = text.encode("utf-8", "replace")
    body = content.decode()
    fits = _fits(body, len(content))
    # A page can be several times as long as its entry, by which a reader judges what it can keep.
    return Rendered(body if fits else "", f'"{hashlib.sha256(content).hexdigest()[:32]}"', fits)


def _fits(body: str, size_bytes: int) -> bool:
    """Tell whether Lambda can return a body: as a JSON string, where some characters grow."""
    # None grows more than a control character, to six (a backslash, a u, four digits). Most bodies
    # are so short that they need not be written out, which would be half of the rendering.
    if size_bytes * 6 <= PAYLOAD_LIMIT_BYTES:
        return True
    return len(json.dumps(body, ensure_ascii=False).encode()) <= PAYLOAD_LIMIT_BYTES


def found_response(
    found: Found,
    body: Rendered,
    route: Route,
    request_headers: Mapping[str, str],
    edge_ttl_seconds: int,
) -> Response:
    """Answer with an entry: 200, or 304 with the same headers where the client has it already.

    Without a Content-Type of ours, API Gateway would add one of its own to a 304.
    """
    last_modified = format_datetime(_changed_at(found, route), usegmt=True)
    headers = {
        "Content-Type": route.content_type,
        **route.headers(),
        "ETag": body.etag,
        "Cache-Control": _cache_control(route, found.freshness, edge_ttl_seconds),
        "Cache-Status": _cache_status(found),
        "Last-Modified": last_modified,
    }
    if is_known(request_headers, body.etag, last_modified):
        return response(304, headers)
    return response(200, headers, body.body)


def _changed_at(found: Found, route: Route) -> datetime:
    """Return when the body became what it is: with its entry, or with the trouble that it tells."""
    built_at, trouble = found.loaded.entry.built_at, route.trouble(found)
    return max(built_at, trouble.since) if trouble else built_at


def not_found_response(result: NotFound) -> Response:
    """Answer that the entry is not there yet. Never 202: clients would take the body for data."""
    failure = result.failure
    return unavailable_response(
        f"{trouble_text(failure.trouble())} It is tried again by itself." if failure else FETCHING,
        result.retry_after_seconds,
        f"fwd=uri-miss; detail={result.detail}",
    )


def unavailable_response(detail: str, retry_after_seconds: int, cache_status: str) -> Response:
    """Answer 503 with the time after which another try makes sense."""
    headers = {
        "Retry-After": str(retry_after_seconds),
        "Cache-Status": f"{CACHE_NAME}; {cache_status}",
    }
    return problem(503, detail, headers)


def is_known(request_headers: Mapping[str, str], etag: str, last_modified: str) -> bool:
    """Tell whether the client has this version (RFC 9110, 13.2.2).

    If-Modified-Since counts only without If-None-Match, and only where it equals Last-Modified: an
    earlier version may have come back, whose time lies before the one that the client has.
    """
    if (if_none_match := request_headers.get("if-none-match")) is not None:
        return matches(if_none_match, etag)
    return request_headers.get("if-modified-since", "").strip() == last_modified


def matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match is compared (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    candidates = (candidate.strip() for candidate in if_none_match.split(","))
    return any(candidate.removeprefix("W/") == etag for candidate in candidates)


def _cache_control(route: Route, freshness: Freshness, edge_ttl_seconds: int) -> str:
    if not route.is_public:
        return "private, no-cache"
    max_age = max(0, min(freshness.ttl_seconds, edge_ttl_seconds))
    return (
        f"public, max-age={max_age}, stale-while-revalidate={edge_ttl_seconds}, "
        f"stale-if-error={STALE_IF_ERROR_SECONDS}"
    )


def _cache_status(found: Found) -> str:
    if found.outcome is Outcome.BUILT:
        return f"{CACHE_NAME}; fwd=uri-miss; stored"
    if found.outcome is Outcome.REBUILT:
        return f"{CACHE_NAME}; fwd=stale; stored"
    ttl_seconds = found.freshness.ttl_seconds
    if found.outcome is Outcome.EARLIER_DAY:
        # It may be fresh by its own time, but not for the day that was asked for.
        return f"{CACHE_NAME}; hit; ttl={min(ttl_seconds, -1)}; detail=earlier-day"
    detail = f"; detail={REBUILD_FAILED}" if found.is_failing else ""
    return f"{CACHE_NAME}; hit; ttl={ttl_seconds}{detail}"
