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
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def document(
    *,
    title: str,
    head: Markup = Markup(),  # noqa: B008
    main: Markup,
    scripts: tuple[str, ...],
) -> Markup:
    """Return a whole page. `scripts` names files; style and scripts are part of the page.

    So a page is one request, wherever it is served: below a stage, behind the edge or locally.
    """
    return fill(
        "document.html",
        title=title,
        head=head,
        style=source(STYLE),
        main=main,
        script=_joined(scripts),
    )


@functools.cache
def page_headers(*scripts: str) -> Mapping[str, str]:
    """Return what a browser must be told of a page with these scripts.

    The policy names the hashes of style and scripts, so nothing else that might get into a page
    is run or applied, and the page can load nothing from elsewhere.
    """
    return {
        "Content-Security-Policy": _POLICY.format(
            style=_hash_source(source(STYLE)), script=_hash_source(_joined(scripts))
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


@functools.cache
def _joined(scripts: tuple[str, ...]) -> Markup:
    """Return the scripts as one: what one declares, the next ones can use."""
    return Markup("\n".join(map(source, scripts)))


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
