"""API Gateway's Lambda proxy integration: events in, responses out.

Source: API Gateway Developer Guide, "Lambda proxy integrations for REST APIs".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"

Response = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """What the reader needs of a proxy event. Header names are in lower case.

    `resource` is the route that API Gateway chose. It is not read from the path: that may begin
    with a custom domain's base path or end in a slash, and API Gateway has authorized the route.
    `resource`, `method` and `taken_at_ms` (when API Gateway took the request, in milliseconds since
    1970) are None where the event has none. Of a repeated query parameter the last value counts;
    values of a repeated header are joined by commas (RFC 9110, 5.3).
    """

    method: str | None
    resource: str | None
    request_id: str
    taken_at_ms: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def parse_request(event: Mapping[str, Any], invocation_id: str) -> ProxyRequest:
    """Read a proxy event. Null and absent mappings count as empty."""
    context = dict(_items(event.get("requestContext")))
    taken_at_ms = context.get("requestTimeEpoch")
    return ProxyRequest(
        method=_text(event.get("httpMethod")),
        resource=_text(event.get("resource")),
        request_id=_text(context.get("requestId")) or invocation_id,
        taken_at_ms=taken_at_ms if isinstance(taken_at_ms, int) else None,
        parameters={
            name: values[-1]
            for name, values in _multi_values(
                event, "queryStringParameters", "multiValueQueryStringParameters"
            ).items()
        },
        headers={
            name.lower(): ", ".join(values)
            for name, values in _multi_values(event, "headers", "multiValueHeaders").items()
        },
    )


def response(status: int, headers: Mapping[str, str], body: str = "") -> Response:
    """Build a proxy response."""
    return {
        "statusCode": status,
        "headers": dict(headers),
        "body": body,
        "isBase64Encoded": False,
    }


def problem(status: int, detail: str, headers: Mapping[str, str]) -> Response:
    """Build an error response with a problem document (RFC 9457)."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    # 404 and 405 may be stored by default (RFC 9110, 15.1); no error of ours should be.
    own = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
    return response(status, {**own, **headers}, json.dumps(document))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _multi_values(event: Mapping[str, Any], single: str, multi: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in _items(event.get(single)):
        if isinstance(value, str):
            values[name] = [value]
    for name, many in _items(event.get(multi)):
        texts = [text for text in many if isinstance(text, str)] if isinstance(many, list) else []
        if texts:
            values[name] = texts
    return values


def _items(mapping: object) -> list[tuple[str, Any]]:
    return list(mapping.items()) if isinstance(mapping, dict) else []
