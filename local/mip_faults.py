"""Faults on demand: what is wrong with a reply, as functions from a reply to a reply.

`KINDS` is the whole list. A kind that replaces the reply keeps the call from having its effect,
unless `after` is set (a login then opens a session although its answer is an error). A kind that
spoils the reply always acts on a good one, so the call has had its effect.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple, Self

from local.mip_replies import Delivery, Reply
from local.mip_requests import CALLS, check_call
from local.mip_values import is_ascii_text, is_number, is_whole_number
from local.sample.organisation import (
    ACTIVITY,
    BEGINNING,
    ENDING,
    PROGRAM_SEGMENT,
    SEGMENT_TITLES,
    Record,
)

ACCOUNT = "DBDETAIL_SUM_SEGMENT_N0"
TYPE = "DBDETAIL_SUM_TYPE"
AMOUNT = "DBDETAIL_SUM_POSTEDAMT"

RECORD_FIELDS = {
    "segments": ("TITLE", "COA_SEGID"),
    "accounts": ("COA_TITLE", "COA_CODE", "COA_STATUS", "COA_SEGID"),
    "balances": (AMOUNT, ACCOUNT, TYPE),
}
"""What `missing_field` can leave out of a record; the first one is left out by default."""

# Fifteen digits each, and the first two make the third.
_LONG = {
    BEGINNING: Decimal("1234567890123.45"),
    ACTIVITY: Decimal("1111111111111.11"),
    ENDING: Decimal("2345679001234.56"),
}

type Effect = Callable[[Reply, Fault], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a call; `KINDS` says which calls and which of these fields a kind takes.

    `times` is the number of calls that it hits (None: all, until it is removed), `seconds` how
    long to hang, `percent` the share of programs to leave out, `body` a text or a JSON value.
    `account` (default: the first one in the reply) and `field` choose what to spoil.

    Raises ValueError, naming what is allowed.
    """

    kind: str
    times: int | None = None
    after: bool = False
    status: int | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: Any = None
    seconds: float = 3600.0
    title: str = "Program"
    percent: float = 60.0
    account: str | None = None
    field: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; the kinds are {', '.join(KINDS)}")
        self._check_fields(self.as_json())
        for name, (holds, rule) in _RULES.items():
            if not holds(getattr(self, name)):
                raise ValueError(f"{name} must be {rule}")

    @classmethod
    def from_json(cls, given: object) -> Self:
        """Read a fault from a JSON object. Raises ValueError, naming what is allowed."""
        if not isinstance(given, dict) or "kind" not in given:
            raise ValueError(f"a fault is an object with a kind: {', '.join(KINDS)}")
        known = {each.name for each in dataclasses.fields(cls)}
        cls(kind=given["kind"])._check_fields(given)
        return cls(**{name: value for name, value in given.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults."""
        plain = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        plain["headers"] = dict(self.headers)
        return {
            each.name: plain[each.name]
            for each in dataclasses.fields(self)
            if plain[each.name] not in (each.default, {})
        }

    def check_for(self, call: str) -> None:
        """Raise ValueError unless this fault can happen to that call."""
        check_call(call)
        calls = KINDS[self.kind].calls
        if call not in calls:
            raise ValueError(f"{self.kind} cannot happen to {call}, only to {', '.join(calls)}")
        fields = RECORD_FIELDS.get(call, ())
        if self.field is not None and self.field not in fields:
            raise ValueError(f"field must be one of {', '.join(fields)}")

    @property
    def follows_effect(self) -> bool:
        """Tell whether the call has its real effect before the fault shows."""
        return self.after or KINDS[self.kind].spoils

    def apply(self, reply: Reply) -> Reply:
        """Return the reply as the fault leaves it."""
        return KINDS[self.kind].effect(reply, self)

    def _check_fields(self, given: Mapping[str, Any]) -> None:
        allowed = ("kind", "times", *KINDS[self.kind].fields)
        if unknown := sorted(given.keys() - set(allowed)):
            raise ValueError(
                f"{self.kind} takes no {', '.join(unknown)}, only {', '.join(allowed)}"
            )


class Kind(NamedTuple):
    """A kind of fault: its effect, the fields it takes besides `kind` and `times`, its calls."""

    effect: Effect
    fields: tuple[str, ...] = ()
    calls: tuple[str, ...] = CALLS
    spoils: bool = True


def _status(_: Reply, fault: Fault) -> Reply:
    status = fault.status or 503
    body = {"message": f"fault on demand: {status}"} if fault.body is None else fault.body
    text = body if isinstance(body, str) else None
    return Reply(status=status, payload=body, text=text, headers=fault.headers)


def _html(_: Reply, fault: Fault) -> Reply:
    page = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
    return Reply(status=fault.status or 200, text=page, content_type="text/html; charset=utf-8")


def _refuse(_: Reply, __: Fault) -> Reply:
    return Reply(delivery=Delivery.RESET_AT_ONCE)


def _timeout(_: Reply, fault: Fault) -> Reply:
    return Reply(delivery=Delivery.RESET_AT_ONCE, hang_seconds=fault.seconds)


def _reset(reply: Reply, _: Fault) -> Reply:
    return replace(reply, delivery=Delivery.RESET_MIDWAY)


def _truncated(reply: Reply, _: Fault) -> Reply:
    whole = reply.body_text()
    return replace(reply, text=whole[: len(whole) // 2])


def _empty_object(reply: Reply, _: Fault) -> Reply:
    return replace(reply, payload={})


def _empty_list(reply: Reply, _: Fault) -> Reply:
    return _with_records(reply, [])


def _wrong_types(reply: Reply, _: Fault) -> Reply:
    return _with_records(
        reply,
        [{name: _of_wrong_type(value) for name, value in each.items()} for each in _records(reply)],
    )


def _of_wrong_type(value: object) -> object:
    return len(value) if isinstance(value, str) else {"value": value}


def _missing_segment(reply: Reply, fault: Fault) -> Reply:
    return _with_records(reply, [each for each in _records(reply) if each["TITLE"] != fault.title])


def _shrink(reply: Reply, fault: Fault) -> Reply:
    """Leave out the last programs of the list."""
    records = _records(reply)
    programs = [each for each in records if each["COA_SEGID"] == PROGRAM_SEGMENT]
    kept = programs[: len(programs) - round(len(programs) * fault.percent / 100)]
    return _with_records(
        reply, [each for each in records if each["COA_SEGID"] != PROGRAM_SEGMENT] + kept
    )


def _failure(reply: Reply, _: Fault) -> Reply:
    return replace(reply, payload={"executionResult": "FAILURE", "extraInformation": {}})


def _missing_record(reply: Reply, fault: Fault) -> Reply:
    """Leave out the ending balance of one account, in every currency."""
    account = _account(reply, fault)
    return _with_records(
        reply,
        [e for e in _records(reply) if not (e[ACCOUNT] == account and e[TYPE] == ENDING)],
    )


def _unbalanced(reply: Reply, fault: Fault) -> Reply:
    """Make one account end a cent above its start plus its activity."""
    account, records = _account(reply, fault), _records(reply)
    for index, each in enumerate(records):
        if each[ACCOUNT] == account and each[TYPE] == ENDING:
            records[index] = each | {AMOUNT: each[AMOUNT] + Decimal("0.01")}
            break
    return _with_records(reply, records)


def _string_amounts(reply: Reply, _: Fault) -> Reply:
    return _with_records(reply, [e | {AMOUNT: str(e[AMOUNT])} for e in _records(reply)])


def _long_amounts(reply: Reply, _: Fault) -> Reply:
    """Give every amount fifteen digits; start plus activity stays the end."""
    return _with_records(reply, [e | {AMOUNT: _LONG[e[TYPE]]} for e in _records(reply)])


def _missing_field(reply: Reply, fault: Fault) -> Reply:
    """Leave a field out of the first record."""
    first, *others = _records(reply)
    defaults = (names[0] for names in RECORD_FIELDS.values())
    absent = fault.field or next(name for name in defaults if name in first)
    return _with_records(reply, [{k: v for k, v in first.items() if k != absent}, *others])


def _records(reply: Reply) -> list[Record]:
    holder = reply.payload.get("extraInformation", reply.payload)
    return list(holder["Level1"] if "Level1" in holder else holder["COA_SEGID"])


def _with_records(reply: Reply, records: list[Record]) -> Reply:
    if "extraInformation" in reply.payload:
        return replace(reply, payload=reply.payload | {"extraInformation": {"Level1": records}})
    return replace(reply, payload={"COA_SEGID": records})


def _account(reply: Reply, fault: Fault) -> str:
    return fault.account or str(_records(reply)[0][ACCOUNT])


_BALANCES = ("balances",)
_LISTS = tuple(RECORD_FIELDS)

KINDS: dict[str, Kind] = {
    "status": Kind(_status, ("status", "headers", "body", "after"), spoils=False),
    "html": Kind(_html, ("status", "after"), spoils=False),
    "refuse": Kind(_refuse, ("after",), spoils=False),
    "timeout": Kind(_timeout, ("seconds", "after"), spoils=False),
    "reset": Kind(_reset),
    "truncated": Kind(_truncated),
    "empty_object": Kind(_empty_object),
    "empty_list": Kind(_empty_list, calls=_LISTS),
    "wrong_types": Kind(_wrong_types, calls=_LISTS),
    "missing_field": Kind(_missing_field, ("field",), calls=_LISTS),
    "missing_segment": Kind(_missing_segment, ("title",), calls=("segments",)),
    "shrink": Kind(_shrink, ("percent",), calls=("accounts",)),
    "failure": Kind(_failure, calls=_BALANCES),
    "missing_record": Kind(_missing_record, ("account",), calls=_BALANCES),
    "unbalanced": Kind(_unbalanced, ("account",), calls=_BALANCES),
    "string_amounts": Kind(_string_amounts, calls=_BALANCES),
    "long_amounts": Kind(_long_amounts, calls=_BALANCES),
}


def _are_headers(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    reserved = ("content-length", "transfer-encoding")
    texts = all(is_ascii_text(each) for each in [*value, *value.values()])
    return texts and all(name and name.lower() not in reserved for name in value)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "times": (lambda v: v is None or is_whole_number(v, 1, float("inf")), "a whole number above 0"),
    "after": (lambda v: isinstance(v, bool), "true or false"),
    "status": (
        lambda v: v is None or is_whole_number(v, 200, 599),
        "an HTTP status from 200 to 599",
    ),
    "headers": (_are_headers, "an object of printable ASCII texts, without the body's length"),
    "seconds": (lambda v: is_number(v, 0, 86400), "a number of seconds up to 86400"),
    "percent": (lambda v: is_number(v, 0, 100), "a number from 0 to 100"),
    "title": (
        lambda v: v in SEGMENT_TITLES.values(),
        f"one of {', '.join(SEGMENT_TITLES.values())}",
    ),
    "account": (lambda v: v is None or isinstance(v, str), "an account code"),
    "field": (lambda v: v is None or isinstance(v, str), "the name of a record's field"),
}
