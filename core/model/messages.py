"""Rebuild messages: what they may say, which datasets they ask for, and their deduplication ids."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core.errors import InvalidMessageError
from core.model.datasets import ALL, BALANCES, PROGRAM_LISTS, PROGRAMS, Dataset, balances_of
from core.model.periods import EARLIEST_TARGET, Period, period_for, recent_periods

MESSAGE_GROUP = "mips"
"""One group for all messages, so that SQS never has two batches in flight."""

MAX_RECEIVES = 5
"""The queue's maxReceiveCount: on this receive a message that fails is dead-lettered."""
LONGEST_TEXT = 256
_KEYS = ("dataset", "from", "to", "reason", "accept_shrink", "correlation_id")


@dataclass(frozen=True, slots=True)
class RebuildMessage:
    """A wish for newer entries. `dataset` None means `all`."""

    dataset: Dataset | None
    reason: str | None = None
    accept_shrink: bool = False
    correlation_id: str | None = None

    def datasets(self, today: date, balance_months: int) -> list[Dataset]:
        """Return what has to be newer than the message for it to be satisfied.

        `all` is the programs, then `balance_months` periods of balances, newest first.
        """
        if self.dataset is not None:
            return [self.dataset]
        return all_datasets(today, balance_months)

    def to_body(self) -> str:
        """Write the message as JSON; parse_message reads it back as it was."""
        document: dict[str, Any] = {"dataset": ALL}
        if self.dataset is not None:
            document.update(self.dataset.as_json())
        if self.reason is not None:
            document["reason"] = self.reason
        if self.accept_shrink:
            document["accept_shrink"] = True
        if self.correlation_id is not None:
            document["correlation_id"] = self.correlation_id
        return json.dumps(document)


def all_datasets(today: date, balance_months: int) -> list[Dataset]:
    """Return what `all` stands for on a day."""
    return [PROGRAM_LISTS, *map(balances_of, recent_periods(today, balance_months))]


def parse_message(body: str, today: date) -> RebuildMessage:
    """Read a message's body.

    Raises InvalidMessageError for anything that no retry can mend: no JSON object, an unknown key
    or dataset, a value of the wrong type, a period that is none or lies outside of what a report
    can be asked for. The error names what is allowed and repeats nothing of the body but keys.
    """
    document = _object(body)
    unknown = sorted(str(key)[:40] for key in document.keys() - set(_KEYS))
    if unknown:
        raise InvalidMessageError(f"unknown keys {unknown}; allowed are {', '.join(_KEYS)}")
    return RebuildMessage(
        dataset=_dataset(document, today),
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
    """Name the rebuild of a dataset out of one generation, in at most 128 characters.

    SQS drops a repeated id for five minutes, even after the message was deleted, so everything
    that makes a new rebuild necessary has to be part of the generation.
    """
    text = "|".join(str(part) for part in (dataset, *generation))
    return f"{dataset.name}-{hashlib.sha256(text.encode()).hexdigest()}"


def _object(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InvalidMessageError("the body is no JSON") from exc
    if not isinstance(document, dict):
        raise InvalidMessageError('the body is no JSON object such as {"dataset": "programs"}')
    return document


def _dataset(document: Mapping[str, Any], today: date) -> Dataset | None:
    name = document.get("dataset")
    if name not in (PROGRAMS, BALANCES, ALL):
        raise InvalidMessageError(f"dataset must be one of {PROGRAMS}, {BALANCES}, {ALL}")
    if name == BALANCES:
        return balances_of(requested_period(document, today))
    if "from" in document or "to" in document:
        raise InvalidMessageError(f"from and to go with the dataset {BALANCES} only")
    return PROGRAM_LISTS if name == PROGRAMS else None


def requested_period(document: Mapping[str, Any], today: date) -> Period:
    """Read `from` and `to` of a message or an admin payload.

    Raises InvalidMessageError unless they are a whole month, or a month's 1st to a day in it,
    between December 1999 and today's month.
    """
    try:
        period = Period.parse(document["from"], document["to"])
    except KeyError as exc:
        raise InvalidMessageError(f"{BALANCES} need both from and to, as YYYY-MM-DD") from exc
    except (TypeError, ValueError) as exc:
        problem = str(exc) if isinstance(exc, ValueError) else "a date must be a text"
        raise InvalidMessageError(f"from and to: {problem}") from exc
    earliest = period_for(EARLIEST_TARGET, today).start
    if not earliest <= period.start <= today:
        raise InvalidMessageError(
            f"from and to must lie between {earliest.isoformat()} and the current month"
        )
    return period


def _optional[T](document: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if name in document and not isinstance(value, kind):
        raise InvalidMessageError(f"{name} must be of the JSON type for {kind.__name__}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise InvalidMessageError(f"{name} must have at most {LONGEST_TEXT} characters")
    return value
