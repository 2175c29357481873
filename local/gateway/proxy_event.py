"""API Gateway's Lambda proxy integration: HTTP request -> event, function's answer -> HTTP."""

import base64
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.aws.clients import ACCOUNT_ID, REGION
from local.gateway.routes import Match
from local.loopback.http_server import Request, Response

# What ends at the gateway: the function sees none of them.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
# What the gateway itself says of its answer, so a function's own word gets another name.
REMAPPED = {"connection", "content-length", "date", "server", "www-authenticate"}


class MalformedAnswerError(ValueError):
    """The function's answer is no proxy response: the client gets 502."""


@dataclass(frozen=True)
class Api:
    """What the events say of the API they came through."""

    api_id: str
    stage: str


def build_event(request: Request, found: Match, api: Api) -> dict[str, Any]:
    """The event of a REST API's proxy integration (payload format 1.0)."""
    headers = _forwarded(request)
    query = parse_qsl(request.query, keep_blank_values=True)
    return {
        "resource": found.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": dict(found.path_parameters) or None,
        "stageVariables": None,
        "requestContext": _context(request, found, api),
        "body": (request.body or b"").decode("utf-8", "replace") or None,
        "isBase64Encoded": False,
    }


def read_answer(payload: str) -> Response:
    """The HTTP response that a function's result stands for. Raises MalformedAnswerError."""
    result = json.loads(payload)
    if not isinstance(result, dict):
        raise MalformedAnswerError("the result is no object")
    status = result.get("statusCode")
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        raise MalformedAnswerError("statusCode is no HTTP status")
    body = result.get("body")
    if not isinstance(body, str | None):
        raise MalformedAnswerError("body is no text")
    return Response(status, _answer_headers(result), _answer_body(body or "", result))


def _forwarded(request: Request) -> list[tuple[str, str]]:
    """The client's headers, and those that API Gateway adds."""
    kept = [(name, value) for name, value in request.headers if name.lower() not in HOP_BY_HOP]
    trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    return [
        *kept,
        ("X-Amzn-Trace-Id", trace),
        ("X-Forwarded-For", request.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _context(request: Request, found: Match, api: Api) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "accountId": ACCOUNT_ID,
        "apiId": api.api_id,
        "domainName": f"{api.api_id}.execute-api.{REGION}.amazonaws.com",
        "domainPrefix": api.api_id,
        "httpMethod": request.method,
        "identity": _identity(request, found),
        "path": f"/{api.stage}{request.path}",
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourcePath": found.route.path,
        "stage": api.stage,
    }


def _identity(request: Request, found: Match) -> dict[str, str | None]:
    identity: dict[str, str | None] = dict.fromkeys(("accessKey", "accountId", "caller", "userArn"))
    if found.route.requires_iam:
        authorization = request.header("Authorization") or ""
        identity |= {
            "accessKey": authorization.partition("Credential=")[2].partition("/")[0],
            "accountId": ACCOUNT_ID,
            "caller": "local",
            "userArn": f"arn:aws:iam::{ACCOUNT_ID}:user/local",
        }
    return identity | {"sourceIp": request.source_ip, "userAgent": request.header("User-Agent")}


def _answer_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    single, multiple = result.get("headers") or {}, result.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise MalformedAnswerError("headers are no object")
    if not all(isinstance(values, list) for values in multiple.values()):
        raise MalformedAnswerError("multiValueHeaders holds something else than lists")
    merged = [(name, value) for name, values in multiple.items() for value in values]
    merged += [pair for pair in single.items() if pair not in merged]
    headers = [_answer_header(name, value) for name, value in merged]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return headers


def _answer_header(name: str, value: Any) -> tuple[str, str]:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str | int | float) or not (text.isascii() and text.isprintable()):
        raise MalformedAnswerError(f"the value of the header {name} is no text for a header")
    return (f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name), text


def _answer_body(body: str, result: Mapping[str, Any]) -> bytes:
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as exc:
        raise MalformedAnswerError("body is not the base64 that it says it is") from exc
