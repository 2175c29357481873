"""The reader: /accounts, /tags, /balances and the program finder, from S3 alone."""

from handlers.wiring import init_phase  # noqa: F401 # isort: skip (its effect is on all that follow)

import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import InvalidParameterError, QueueUnavailableError, StoreUnavailableError
from core.reading.lookup import Found, NotFound, Outcome
from core.timing import Deadline
from handlers.pages.notice import for_people
from handlers.preferences import preferred_wait_seconds
from handlers.proxy import ProxyRequest, Response, parse_request, problem
from handlers.responses import (
    RETRY_AFTER_OUTAGE_SECONDS,
    found_response,
    not_found_response,
    rendered,
    unavailable_response,
)
from handlers.routes import ROUTES, Route
from handlers.wiring.clock import utc_now
from handlers.wiring.reader import Reader, reader

LONGEST_WAIT_SECONDS = 20
"""With one S3 request after it, of two tries of 4 s each, API Gateway's 29 s do not pass."""

METRICS = {
    Outcome.HIT: ("Hits",),
    Outcome.STALE: ("StaleHits",),
    Outcome.BUILT: ("Misses", "Waits"),
}
"""What each outcome counts as; a miss that could not be served counts as a miss alone."""


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> Response:
    """Answer one request that came through API Gateway."""
    services = reader()
    request = parse_request(event, context.aws_request_id)
    services.telemetry.begin(context.aws_request_id, request.request_id)
    answer = respond(request, services)
    services.telemetry.metrics.add_metadata("correlation_id", request.request_id)
    services.telemetry.flush()
    return answer


def respond(request: ProxyRequest, services: Reader) -> Response:
    """Answer a request; HEAD as GET, without the body (RFC 9110, 9.3.2)."""
    answer = _respond(request, services)
    route = ROUTES.get(request.path or "")
    if route and route.for_people:
        answer = for_people(answer, request.headers.get("accept"))
    return {**answer, "body": ""} if request.method == "HEAD" else answer


def _respond(request: ProxyRequest, services: Reader) -> Response:
    """Choose the route, then answer: 404, 405, 400, or what the lookup comes to."""
    count = services.telemetry.count
    if request.path is None or request.method is None:
        count("BadRequests")
        return problem(400, "The event has no path or no httpMethod.", {})
    route = ROUTES.get(request.path)
    if route is None:
        count("BadRequests")
        return problem(404, f"There is no such resource; there are {', '.join(ROUTES)}.", {})
    if request.method not in {"GET", "HEAD"}:
        count("BadRequests")
        return problem(405, "This resource can only be read, with GET.", {"Allow": "GET, HEAD"})
    try:
        return serve(route, request, services)
    except InvalidParameterError as exc:
        count("BadRequests")
        return problem(400, str(exc), {})
    except (StoreUnavailableError, QueueUnavailableError) as exc:
        count("Unavailable")
        services.telemetry.warning("storage out of reach", problem=str(exc))
        return unavailable_response(
            "The cache is out of reach at the moment; please try again.",
            RETRY_AFTER_OUTAGE_SECONDS,
            "fwd=miss; detail=storage-unavailable",
        )


def serve(route: Route, request: ProxyRequest, services: Reader) -> Response:
    """Answer a valid request from the cache.

    Raises InvalidParameterError, StoreUnavailableError or QueueUnavailableError.
    """
    settings = services.settings
    query = route.parse(request.parameters, utc_now().astimezone(settings.time_zone).date())
    preferred = preferred_wait_seconds(request.headers.get("prefer"))
    longest = min(settings.miss_wait_seconds, LONGEST_WAIT_SECONDS)
    wait = longest if preferred is None else min(preferred, longest)
    result = services.lookup.find(
        route.dataset(query), Deadline.after(wait, time.monotonic), request.request_id
    )
    if isinstance(result, NotFound):
        services.telemetry.count("Misses")
        answer = not_found_response(result)
    else:
        answer = _answer_found(result, route, query, request, services)
    was_a_hit = isinstance(result, Found) and result.outcome is not Outcome.BUILT
    if preferred == wait and not was_a_hit:
        answer["headers"]["Preference-Applied"] = f"wait={wait}"
    return answer


def _answer_found(
    found: Found, route: Route, query: object, request: ProxyRequest, services: Reader
) -> Response:
    loaded, settings = found.loaded, services.settings
    for metric in METRICS[found.outcome]:
        services.telemetry.count(metric)
    body = loaded.view(
        (route, query), lambda: rendered(route.render(loaded.entry, query, settings))
    )
    if not body.fits:
        return problem(route.too_long_status, route.too_long_detail, {})
    answer = found_response(
        found, body, route, request.headers.get("if-none-match"), settings.edge_ttl_seconds
    )
    if answer["statusCode"] == 304:
        services.telemetry.count("NotModified")
    return answer
