"""What the control room answers with: documents, problems, and streams that go on."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from local.gateway.proxy_event import HttpAnswer

# Nothing from another host, nothing inline, no framing by a page that would borrow the clicks.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
COMMON_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True)
class HttpStream:
    """A response whose body is written as it comes about, until it ends or the client goes.

    `ended` is to be called then, whatever was written.
    """

    status: int
    headers: list[tuple[str, str]]
    chunks: Iterator[bytes]
    ended: Callable[[], None]


class RefusedError(Exception):
    """A request that is refused; `detail` tells the client what is allowed."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def document(content_type: str, body: bytes, status: int = HTTPStatus.OK) -> HttpAnswer:
    """A response with a whole body."""
    return HttpAnswer(int(status), [("Content-Type", content_type), *COMMON_HEADERS], body)


def json_document(value: Any) -> HttpAnswer:
    """A response with a JSON value."""
    return document("application/json", json.dumps(value).encode())


def problem(refusal: RefusedError) -> HttpAnswer:
    """A refusal as a problem document (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": refusal.status.phrase,
        "status": refusal.status.value,
        "detail": refusal.detail,
    }
    answer = document("application/problem+json", json.dumps(body).encode(), refusal.status)
    answer.headers.extend(refusal.headers.items())
    return answer


def redirect(path: str) -> HttpAnswer:
    """Send the client to another path."""
    return HttpAnswer(HTTPStatus.PERMANENT_REDIRECT, [("Location", path), *COMMON_HEADERS], b"")


def event_stream(chunks: Iterator[bytes], ended: Callable[[], None]) -> HttpStream:
    """Server-sent events; the connection's end is the stream's."""
    headers = [("Content-Type", "text/event-stream; charset=utf-8"), *COMMON_HEADERS]
    return HttpStream(HTTPStatus.OK, [*headers, ("Connection", "close")], chunks, ended)
