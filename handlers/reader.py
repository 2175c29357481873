"""The reader: /accounts, /tags, /balances and the program finder, from S3 alone."""

from handlers.wiring import init_phase  # noqa: F401 # isort: skip (its effect is on all that follow)

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import InvalidParameterError, QueueUnavailableError, StoreUnavailableError
from core.reading.lookup import Found, NotFound, Outcome
from core.settings import ReaderSettings
from handlers.pages.notice import for_people
from handlers.preferences import preferred_wait_seconds
from handlers.proxy import ProxyRequest, Response, parse_request, problem
from handlers.responses import (
    RETRY_AFTER_OUTAGE_SECONDS,
    Rendered,
    found_response,
    not_found_response,
    rendered,
    unavailable_response,
)
from handlers.routes import ROUTES, Route
from handlers.time_budget import LONGEST_WAIT_SECONDS, patience
from handlers.wiring.reader import Reader, reader

METHODS = ("GET", "HEAD")

METRICS = {
    Outcome.HIT: ("Hits",),
    Outcome.STALE: ("StaleHits",),
    Outcome.EARLIER_DAY: ("StaleHits",),
    Outcome.REBUILT: ("StaleHits",),
    Outcome.BUILT: ("Misses", "Waits"),
}
"""What each outcome counts as; a miss that could not be served counts as a miss alone."""


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> Response:
    """Answer one request that came through API Gateway; HEAD as GET (RFC 9110, 9.3.2 and 8.6).

    API Gateway drops the body of an answer to HEAD, and counts its length before.
    """
    services = reader()
    request = parse_request(event, context.aws_request_id)
    services.telemetry.begin(context.aws_request_id, request.request_id)
    answer = respond(request, services)
    services.telemetry.metrics.add_metadata("correlation_id", request.request_id)
    services.telemetry.flush()
    return answer


def respond(request: ProxyRequest, services: Reader) -> Response:
    """Choose the route; on one for people an error becomes a page."""
    route = ROUTES.get(request.resource or "")
    if route is None or request.method not in METHODS:
        services.telemetry.count("BadRequests")
        answer = _refusal(request, route)
    else:
        answer = serve(route, request, services)
    if route and route.for_people:
        return for_people(answer, request.headers.get("accept"))
    return answer


def serve(route: Route, request: ProxyRequest, services: Reader) -> Response:
    """Answer from the cache: what was found, or why there is nothing to be served."""
    settings, now = services.settings, services.clock()
    preferred = preferred_wait_seconds(request.headers.get("prefer"))
    longest = min(settings.miss_wait_seconds, LONGEST_WAIT_SECONDS)
    wait = longest if preferred is None else min(preferred, longest)
    time_left = patience(wait, request.taken_at_ms, now, services.monotonic)
    try:
        query = route.parse(request.parameters, now, settings)
        result = services.lookup.find(route.dataset(query), time_left, request.request_id)
    except InvalidParameterError as exc:
        services.telemetry.count("BadRequests")
        return problem(400, str(exc), {})
    except (StoreUnavailableError, QueueUnavailableError) as exc:
        return _unavailable(exc, services)
    if isinstance(result, NotFound):
        services.telemetry.count("Misses")
        answer = not_found_response(result)
    else:
        answer = _entry_response(result, route, query, request, services)
    if preferred is not None and (isinstance(result, NotFound) or result.waited):
        answer["headers"]["Preference-Applied"] = f"wait={wait}"
    return answer


def _entry_response(
    found: Found, route: Route, query: object, request: ProxyRequest, services: Reader
) -> Response:
    settings = services.settings
    for metric in METRICS[found.outcome]:
        services.telemetry.count(metric)
    body = _body(found, route, query, settings)
    if not body.fits:
        return problem(route.too_long_status, route.too_long_detail, {})
    answer = found_response(found, body, route, request.headers, settings.edge_ttl_seconds)
    if answer["statusCode"] == 304:
        services.telemetry.count("NotModified")
    return answer


def _body(found: Found, route: Route, query: object, settings: ReaderSettings) -> Rendered:
    loaded, trouble = found.loaded, route.trouble(found)

    def render() -> Rendered:
        return rendered(route.render(loaded.entry, query, settings, trouble))

    return loaded.view((route, query, trouble), render) if route.is_kept(query) else render()


def _refusal(request: ProxyRequest, route: Route | None) -> Response:
    if request.resource is None or request.method is None:
        # To route it by its path would go round the authorization of /balances.
        return problem(400, "The event has no resource or no httpMethod.", {})
    if route is None:
        return problem(404, f"There is no such resource; there are {', '.join(ROUTES)}.", {})
    return problem(405, "This resource can only be read, with GET.", {"Allow": ", ".join(METHODS)})


def _unavailable(exc: Exception, services: Reader) -> Response:
    services.telemetry.count("Unavailable")
    services.telemetry.warning("storage out of reach", problem=str(exc))
    return unavailable_response(
        "The cache is out of reach at the moment; please try again.",
        RETRY_AFTER_OUTAGE_SECONDS,
        "fwd=miss; detail=storage-unavailable",
    )
