"""What may be kept of a text that MIP wrote."""

import json
from collections.abc import Iterable

LONGEST_EXCERPT = 200


def redacted(body: bytes, secrets: Iterable[str]) -> str:
    """Return a short excerpt of a reply on one line, with *** for every secret.

    A secret is also found as JSON would spell it. Long ones go first, so that a short one inside
    a longer one leaves nothing behind.
    """
    text = body.decode("utf-8", "replace")
    spellings = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1]) if form}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(words)[:LONGEST_EXCERPT]
