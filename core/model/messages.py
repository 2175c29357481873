"""Rebuild messages: what they may say, which datasets they ask for, and their deduplication ids."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.errors import InvalidMessageError
from core.model.datasets import KINDS, Dataset
from core.model.selection import PERIOD_NEEDED, Selection, parse_selection

MESSAGE_GROUP = "mips"
"""One group for all messages, so that SQS never has two batches in flight."""

MAX_RECEIVES = 5
"""The queue's maxReceiveCount: on this receive a message that fails is dead-lettered."""
LONGEST_TEXT = 256
_ALLOWED: Mapping[type, str] = {str: "a text", bool: "true or false"}
_KEYS = ("dataset", "from", "to", "reason", "accept_shrink", "correlation_id")


@dataclass(frozen=True, slots=True)
class RebuildMessage:
    """Asks for entries that are newer than the message."""

    selection: Selection
    reason: str | None = None
    accept_shrink: bool = False
    correlation_id: str | None = None

    def to_body(self) -> str:
        """Write the message as JSON; parse_message reads it back as it was."""
        document: dict[str, Any] = self.selection.as_json()
        if self.reason is not None:
            document["reason"] = self.reason
        if self.accept_shrink:
            document["accept_shrink"] = True
        if self.correlation_id is not None:
            document["correlation_id"] = self.correlation_id
        return json.dumps(document)


def parse_message(body: str, today: date) -> RebuildMessage:
    """Read a message's body.

    Raises InvalidMessageError for what no retry can correct: a body that is not a JSON object, an
    unknown key or dataset, a value of the wrong type, a period that no report has. The error names
    what is allowed, and repeats nothing of the body but unknown keys.
    """
    document = _object(body)
    unknown = sorted(str(key)[:40] for key in document.keys() - set(_KEYS))
    if unknown:
        raise InvalidMessageError(f"unknown keys {unknown}; allowed are {', '.join(_KEYS)}")
    return RebuildMessage(
        selection=_selection(document, today),
        reason=_optional(document, "reason", str),
        accept_shrink=bool(_optional(document, "accept_shrink", bool)),
        correlation_id=_optional(document, "correlation_id", str),
    )


def correlation_id_of(body: str) -> str | None:
    """Return the correlation id of a body that may be anything; None where there is none."""
    try:
        return _optional(_object(body), "correlation_id", str)
    except InvalidMessageError:
        return None


def deduplication_id(dataset: Dataset, *generation: str | datetime | int | None) -> str:
    """Name a reader's request to rebuild a dataset, in at most the 128 characters of SQS.

    SQS drops a message whose id it has seen within five minutes, even after the first message was
    processed and deleted. So readers of the same generation must agree on an id, and whatever makes
    another rebuild necessary must change it:

        stale, built 12:00, fresh until 18:00     1,000 readers at 18:01: one id, one rebuild
        a soft purge at 18:02                     fresh_until is another: a new id
        a miss at 18:03                           the minute is in the id
        a purge at 18:03, and a miss after it     the tombstone's id is in it: a new id at once

    A refresh or a redrive is asked for by an operator, and gets a random id.
    """
    text = "|".join(str(part) for part in (dataset, *generation))
    return f"{dataset.name}-{hashlib.sha256(text.encode()).hexdigest()}"


def _object(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InvalidMessageError("the body is not JSON") from exc
    if not isinstance(document, dict):
        raise InvalidMessageError('the body is not a JSON object such as {"dataset": "programs"}')
    return document


def _selection(document: Mapping[str, Any], today: date) -> Selection:
    try:
        selection = parse_selection(document, today)
    except ValueError as exc:
        raise InvalidMessageError(str(exc)) from exc
    kind = KINDS.get(selection.name)
    if kind and kind.has_periods and selection.period is None:
        raise InvalidMessageError(PERIOD_NEEDED.format(kind.name))
    return selection


def _optional[T](document: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if name in document and not isinstance(value, kind):
        raise InvalidMessageError(f"{name} must be {_ALLOWED[kind]}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise InvalidMessageError(f"{name} must have at most {LONGEST_TEXT} characters")
    return value
