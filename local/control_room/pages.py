"""What the control room answers with: its files in `static/`, JSON, and problems."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from local.loopback.http_server import Response

FOLDER = Path(__file__).parent / "static"
FRONT_PAGE = "index.html"
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
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


class RefusedError(Exception):
    """A request that is refused; `detail` tells the client what is allowed."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def page(name: str) -> Response:
    """The file of that name, or the front page if it is empty. Raises RefusedError (404)."""
    # Looked up in a listing, never joined to a path: a name cannot lead out of the folder.
    files = {path.name: path for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES}
    path = files.get(name or FRONT_PAGE)
    if path is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "the control room has no such page")
    return _response(HTTPStatus.OK, CONTENT_TYPES[path.suffix], path.read_bytes())


def document(value: Any) -> Response:
    """A JSON value."""
    return _response(HTTPStatus.OK, "application/json", json.dumps(value).encode())


def problem(refusal: RefusedError) -> Response:
    """A refusal as a problem document (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": refusal.status.phrase,
        "status": refusal.status.value,
        "detail": refusal.detail,
    }
    response = _response(refusal.status, "application/problem+json", json.dumps(body).encode())
    response.headers.extend(refusal.headers.items())
    return response


def redirect(path: str) -> Response:
    """Send the client to another path."""
    headers = [("Location", path), *COMMON_HEADERS]
    return Response(HTTPStatus.PERMANENT_REDIRECT, headers, b"")


def _response(status: HTTPStatus, content_type: str, body: bytes) -> Response:
    return Response(status, [("Content-Type", content_type), *COMMON_HEADERS], body)
