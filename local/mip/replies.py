"""What the stand-in sends back for one call."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.loopback.http_server import Delivery

_MARK = "\0"
_MARKED = re.compile(r'"\\u0000(-?[0-9.]+)"')


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with a payload that is sent as JSON, unless `text` replaces the body.

    The server waits `hang_seconds` before it sends anything.
    """

    status: int = 200
    payload: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    content_type: str = "application/json"
    delivery: Delivery = Delivery.WHOLE
    hang_seconds: float = 0.0

    def body_text(self) -> str:
        """Return the body as the client will see it."""
        return to_json(self.payload) if self.text is None else self.text


def to_json(value: object) -> str:
    """Write JSON in which a `Decimal` is a number with all of its digits (`1234.50`).

    `json` has no hook that writes a number's text, so a decimal is written as a marked string,
    and the mark is taken off together with the quotes.
    """
    return _MARKED.sub(r"\1", json.dumps(value, default=_marked))


def _marked(value: object) -> str:
    if isinstance(value, Decimal):
        return _MARK + format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a reply")
