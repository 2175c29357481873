"""Decides as IAM documents it: explicit deny, then allow, then implicit deny.

It evaluates policies and enforces nothing: it is for what the emulator cannot enforce, which is
conditions, resource policies and KMS. An operator or element that no policy of the template uses is
an error, so that none is passed over in silence.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

Statement = Mapping[str, Any]
ANYBODY: Mapping[str, str] = {"AWS": "*"}
ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


class Decision(Enum):
    """What a request comes to."""

    ALLOWED = "allowed"
    IMPLICITLY_DENIED = "no statement allows it"
    EXPLICITLY_DENIED = "a statement denies it"


def decide(
    statements: Iterable[Statement],
    action: str,
    resource: str,
    context: Mapping[str, str],
    principal: Mapping[str, str] = ANYBODY,
) -> Decision:
    """Decide on one action on one resource.

    `context` holds the request's condition keys. A statement with no principal is of the caller's
    own role.
    """
    effects = {
        statement["Effect"]
        for statement in statements
        if _concerns(statement, action, resource, principal)
        and _conditions_hold(statement.get("Condition", {}), context)
    }
    if "Deny" in effects:
        return Decision.EXPLICITLY_DENIED
    return Decision.ALLOWED if "Allow" in effects else Decision.IMPLICITLY_DENIED


def matches(pattern: str, value: str) -> bool:
    """Tell whether a value fits a pattern, in which * is any text and ? any character."""
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _concerns(
    statement: Statement, action: str, resource: str, principal: Mapping[str, str]
) -> bool:
    if unknown := set(statement) - ELEMENTS:
        raise NotImplementedError(f"elements {sorted(unknown)}")
    return (
        # Actions are the same in any case, resources are not.
        any(matches(named.lower(), action.lower()) for named in _listed(statement["Action"]))
        and any(matches(named, resource) for named in _listed(statement["Resource"]))
        and _is_meant(statement.get("Principal", "*"), principal)
    )


def _is_meant(named: str | Mapping[str, Any], principal: Mapping[str, str]) -> bool:
    if named == "*":
        return True
    assert isinstance(named, Mapping)
    return any(value in _listed(named.get(kind, [])) for kind, value in principal.items())


def _conditions_hold(
    conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]
) -> bool:
    """Tell whether all hold; one whose key the request does not have fails."""
    return all(
        key in context and any(OPERATORS[operator](one, context[key]) for one in _listed(wanted))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": matches,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": matches,
}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
