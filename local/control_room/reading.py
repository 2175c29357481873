"""Reading a route as a client does: the request, what came back, and the same as a command."""

import re
import shlex
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from local.aws.clients import ACCESS_KEY, REGION, SECRET_KEY
from local.gateway.gateway import Gateway
from local.loopback.http_server import Request

PREVIEW_CHARACTERS = 4000
SHOWN_HEADERS = (
    "Cache-Status",
    "Cache-Control",
    "Retry-After",
    "Preference-Applied",
    "ETag",
    "Last-Modified",
    "Content-Type",
    "x-amzn-RequestId",
)
# The gateway looks at the form of a signature, and checks nothing that only AWS could know.
SIGNATURE = (
    f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/execute-api/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
TOKEN = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`|~-]+")

type Headers = list[tuple[str, str]]


def curl(url: str, headers: Iterable[tuple[str, str]] = (), *, signed: bool) -> str:
    """The request as a command that works as pasted into a terminal."""
    signature = f"--aws-sigv4 aws:amz:{REGION}:execute-api --user {ACCESS_KEY}:{SECRET_KEY} "
    options = "".join(f"-H {shlex.quote(f'{name}: {value}')} " for name, value in headers)
    return f"curl -i {signature if signed else ''}{options}{shlex.quote(url)}"


def header_lines(text: str) -> Headers:
    """Read headers, one a line, such as `Prefer: wait=0`.

    Raises ValueError for what RFC 9110 takes for no field name, or no printable ASCII value.
    """
    headers = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not (colon and TOKEN.fullmatch(name) and value.isascii() and value.isprintable()):
            raise ValueError("headers must be lines such as Prefer: wait=0, in printable ASCII")
        headers.append((name, value.strip()))
    return headers


def read(
    gateway: Gateway, api_url: str, path: str, query: str, headers: Headers, *, signed: bool
) -> dict[str, Any]:
    """Send a GET and tell what came of it. What the API makes of the parameters is its answer."""
    encoded = urlencode(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
    target = f"{path}?{encoded}" if encoded else path
    signed = signed and not any(name.lower() == "authorization" for name, _ in headers)
    sent = [*headers, ("Accept", "*/*"), ("User-Agent", "control-room")]
    if signed:
        sent.append(("Authorization", SIGNATURE))
    began = time.monotonic()
    response = gateway.respond(Request("GET", path, encoded, sent))
    given = {name.lower(): value for name, value in response.headers}
    return {
        "request": f"GET {target}",
        "curl": curl(f"{api_url}{target}", headers, signed=signed),
        "status": response.status,
        "seconds": round(time.monotonic() - began, 3),
        "headers": {name: given[name.lower()] for name in SHOWN_HEADERS if name.lower() in given},
        "size_bytes": len(response.body),
        "preview": response.body.decode("utf-8", "replace")[:PREVIEW_CHARACTERS],
    }
