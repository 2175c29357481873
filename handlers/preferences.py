"""What a client prefers: how long it waits (RFC 7240), and JSON (RFC 9110, 12.5.1)."""

import re

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_JSON_TYPES = ("application/json", "application/problem+json")


def preferred_wait_seconds(prefer: str | None) -> int | None:
    """Return the first valid `wait`, in seconds; None where there is none.

    Of a preference that is given twice the first counts (RFC 7240, 2); malformed ones are ignored.
    """
    match = _WAIT.search(prefer or "")
    return int(match.group(1)) if match else None


def prefers_json(accept: str | None) -> bool:
    """Tell whether an Accept header ranks JSON above HTML.

    A client that takes anything, or says nothing, does not. Of the ranges that fit a type the most
    specific one counts; a range with a malformed weight does not.
    """
    weights = _weights(accept or "")
    html = _weight("text/html", weights)
    return html < max(_weight(type_, weights) for type_ in _JSON_TYPES)


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (text.strip().lower() for text in part.split(";"))
        given = [text[2:] for text in parameters if text.startswith("q=")]
        if all(_WEIGHT.fullmatch(weight) for weight in given):
            weights[media_range] = float(given[0]) if given else 1.0
    return weights


def _weight(type_: str, weights: dict[str, float]) -> float:
    ranges = (type_, type_.partition("/")[0] + "/*", "*/*")
    return next((weights[range_] for range_ in ranges if range_ in weights), 0.0)
