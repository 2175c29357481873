"""The Prefer header: how long a client is willing to wait (RFC 7240)."""

import re

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)


def preferred_wait_seconds(prefer: str | None) -> int | None:
    """Return the first valid `wait`, in seconds; None where there is none.

    Of a preference that is given twice the first counts (RFC 7240, 2); malformed ones are ignored.
    """
    match = _WAIT.search(prefer or "")
    return int(match.group(1)) if match else None
