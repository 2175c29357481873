"""Who may use the control room: this machine's own pages and tools, and no other web page.

It listens on loopback, where any page in the browser can send requests, too. A page that is shown
under a foreign name (DNS rebinding) gives itself away by `Host`, any other one by `Origin`.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from local.control_room.answers import RefusedError
from local.gateway.proxy_event import HttpRequest

OWN_NAMES = ("127.0.0.1", "localhost")
OWN_SITES = (None, "same-origin", "none")


def check_source(request: HttpRequest) -> None:
    """Raise RefusedError (403) unless the request was made for, and by, the control room.

    Tools that are no browsers send no Origin; a port that is forwarded to this one is fine.
    """
    host = request.header("Host") or ""
    if _name_of(host) not in OWN_NAMES:
        raise _refused(f"the control room answers to {' and '.join(OWN_NAMES)} only")
    origin = request.header("Origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        raise _refused("another web page must not use the control room")
    if request.header("Sec-Fetch-Site") not in OWN_SITES and _acts(request):
        raise _refused("another web page must not use the control room")


def check_json(request: HttpRequest) -> None:
    """Raise RefusedError (415) unless the body is called JSON, which no HTML form can do."""
    content_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")


def _acts(request: HttpRequest) -> bool:
    return request.method not in ("GET", "HEAD")


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _refused(detail: str) -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, detail)
