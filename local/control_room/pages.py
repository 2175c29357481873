"""The control room's files, as they lie in `static/`."""

from http import HTTPStatus
from pathlib import Path

from local.control_room.answers import RefusedError, document
from local.gateway.proxy_event import HttpAnswer

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FRONT_PAGE = "index.html"


def page(name: str) -> HttpAnswer:
    """The file of that name, or the front page if it is empty. Raises RefusedError (404)."""
    # Looked up in a listing, never joined to a path: a name cannot lead out of the folder.
    files = {path.name: path for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES}
    path = files.get(name or FRONT_PAGE)
    if path is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "the control room has no such page")
    return document(CONTENT_TYPES[path.suffix], path.read_bytes())
