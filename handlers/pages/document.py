"""The frame of every page: style and script within it, and the policy that allows just these."""

import base64
import functools
import hashlib
from collections.abc import Mapping

from handlers.pages.template import Markup, fill, source

CONTENT_TYPE = "text/html; charset=utf-8"
STYLE = "page.css"

_POLICY = (
    "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def document(*, title: str, head: Markup = Markup(), main: Markup, script: str) -> Markup:  # noqa: B008
    """Return a whole page. `script` names a file; style and script are part of the page.

    So a page is one request, wherever it is served: below a stage, behind the edge or locally.
    """
    return fill(
        "document.html",
        title=title,
        head=head,
        style=source(STYLE),
        main=main,
        script=source(script),
    )


@functools.cache
def page_headers(script: str) -> Mapping[str, str]:
    """Return what a browser must be told of a page with this script.

    The policy names the hashes of style and script, so nothing else that might get into a page
    is run or applied, and the page can load nothing from elsewhere.
    """
    return {
        "Content-Security-Policy": _POLICY.format(
            style=_hash_source(STYLE), script=_hash_source(script)
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _hash_source(name: str) -> str:
    digest = hashlib.sha256(source(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
