"""Ages, times, sizes and periods as a person reads them."""

import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.filesize import decimal

NOTHING = "-"
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def timestamp(at: datetime) -> str:
    """Write a time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    """Write the time of day in UTC, to the second."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def age(seconds: float) -> str:
    """Write a duration in the largest unit of which it is at least two."""
    whole = int(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if whole >= 2 * length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def ahead(at: datetime, now: datetime) -> str:
    """Write how far a time lies ahead, below ten minutes to the second."""
    seconds = math.ceil((at - now).total_seconds())
    if seconds <= 0:
        return "now"
    if 60 <= seconds < 600:
        return f"in {seconds // 60} min {seconds % 60} s"
    return f"in {age(seconds)}"


def size(size_bytes: int | None) -> str:
    """Write a size in bytes, kB or MB."""
    return NOTHING if size_bytes is None else decimal(size_bytes)


def period(named: Mapping[str, Any]) -> str:
    """Write the period of what has `from` and `to`, as ISO 8601 shortens it: 2026-10-01/31."""
    if not named.get("from") or not named.get("to"):
        return ""
    return f"{named['from']}/{str(named['to'])[-2:]}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Write a number and its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def visible(text: str) -> str:
    """Spell out every character that could move the cursor or hide: the text may be anybody's."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _HIDDEN and character != "\n"
        else character
        for character in text
    )
