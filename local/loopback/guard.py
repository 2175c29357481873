"""The guard against web pages.

Any page in the developer's browser can send requests to loopback. The browser says so in headers
that a page cannot change: `Host` where the page has a foreign name (DNS rebinding), otherwise
`Origin` or `Sec-Fetch-Site` (W3C Fetch Metadata). Tools that are no browsers send neither of these.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.loopback.ports import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

OWN_NAMES = (HOST, "localhost", "::1")
OWN_SITES = (None, "same-origin", "none")


def refusal(header: Callable[[str], str | None]) -> str | None:
    """Why a request with these headers is refused; None where it comes from no foreign page."""
    host = header("Host") or ""
    if _name_of(host) not in OWN_NAMES:
        return f"this server answers under the names {', '.join(OWN_NAMES)} only"
    origin = header("Origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return "a page of another origin must not use this server"
    if header("Sec-Fetch-Site") not in OWN_SITES:
        return "a page of another site must not use this server; type its address yourself"
    return None


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def closed_to_pages(behind: "WSGIApplication") -> "WSGIApplication":
    """Put the guard in front of a WSGI application."""

    def guarded(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        problem = refusal(lambda name: environ.get(f"HTTP_{name.upper().replace('-', '_')}"))
        if problem is None:
            return behind(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain"), ("Connection", "close")])
        return [f"{problem}\n".encode()]

    return guarded
