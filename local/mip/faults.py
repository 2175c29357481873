"""Faults on demand: what is wrong with a reply, as functions from a reply to a reply.

A new fault is one function with `@fault`: its name is the fault's kind, its keyword arguments are
the fields that the kind takes, and their annotations say what is allowed. `KINDS` has them all.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, Self, get_type_hints

from local.loopback.http_server import Delivery
from local.mip.calls import CALLS, check_call
from local.mip.replies import Reply
from local.mip.sample.organisation import (
    ACTIVITY,
    BEGINNING,
    ENDING,
    PROGRAM_SEGMENT,
    SEGMENT_TITLES,
    Record,
)
from local.mip.values import is_ascii_text, is_number, is_whole_number

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


class Rule(NamedTuple):
    """What a field's value must be, as a check and in words."""

    holds: Callable[[Any], bool]
    words: str


def _are_headers(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    reserved = ("content-length", "transfer-encoding")
    texts = all(is_ascii_text(each) for each in [*value, *value.values()])
    return texts and all(name and name.lower() not in reserved for name in value)


Status = Annotated[
    int, Rule(lambda v: is_whole_number(v, 200, 599), "an HTTP status from 200 to 599")
]
Headers = Annotated[
    Mapping[str, str],
    Rule(_are_headers, "an object of printable ASCII texts, without the body's length"),
]
Body = Annotated[Any, Rule(lambda _: True, "a text or a JSON value")]
Seconds = Annotated[
    float, Rule(lambda v: is_number(v, 0, 86400), "a number of seconds up to 86400")
]
Percent = Annotated[float, Rule(lambda v: is_number(v, 0, 100), "a number from 0 to 100")]
Title = Annotated[
    str,
    Rule(lambda v: v in SEGMENT_TITLES.values(), f"one of {', '.join(SEGMENT_TITLES.values())}"),
]
Text = Annotated[str | None, Rule(lambda v: v is None or isinstance(v, str), "a text")]
_TIMES = Rule(lambda v: v is None or is_whole_number(v, 1, float("inf")), "a whole number above 0")
_AFTER = Rule(lambda v: isinstance(v, bool), "true or false")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: its effect, the calls that it can happen to, the fields that it takes.

    What `replaces` the reply keeps the call from having its effect, unless the fault comes
    `after` (a login then opens a session although its answer is an error). What spoils the reply
    always acts on a good one, so the call has had its effect.
    """

    effect: Callable[..., Reply]
    calls: tuple[str, ...]
    replaces: bool
    rules: Mapping[str, Rule]


KINDS: dict[str, Kind] = {}


def fault(
    *calls: str, replaces: bool = False
) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
    """Register the function below as a kind of fault of these calls, of all if none is named."""

    def register(effect: Callable[..., Reply]) -> Callable[..., Reply]:
        hints = get_type_hints(effect, include_extras=True)
        rules: dict[str, Rule] = {"times": _TIMES}
        rules |= {
            name: hints[name].__metadata__[0]
            for name, parameter in inspect.signature(effect).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        rules |= {"after": _AFTER} if replaces else {}
        KINDS[effect.__name__] = Kind(effect, calls or CALLS, replaces, rules)
        return effect

    return register


class Fault:
    """One fault of a call; its kind says which calls and fields it takes.

    `times` is the number of calls that it hits (None: all, until it is removed). Raises
    ValueError, naming what is allowed.
    """

    def __init__(self, kind: str, **fields: Any) -> None:
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}; the kinds are {', '.join(KINDS)}")
        rules = KINDS[kind].rules
        if unknown := sorted(fields.keys() - rules.keys()):
            allowed = ", ".join(("kind", *rules))
            raise ValueError(f"{kind} takes no {', '.join(unknown)}, only {allowed}")
        for name, value in fields.items():
            if not rules[name].holds(value):
                raise ValueError(f"{name} must be {rules[name].words}")
        self.kind = kind
        self.times: int | None = fields.pop("times", None)
        self._after = fields.pop("after", False)
        self.fields = fields

    @classmethod
    def from_json(cls, given: object) -> Self:
        """Read a fault from a JSON object. Raises ValueError, naming what is allowed."""
        if not isinstance(given, dict) or "kind" not in given:
            raise ValueError(f"a fault is an object with a kind: {', '.join(KINDS)}")
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        """Return the kind and the fields that were given."""
        times = {"times": self.times} if self.times else {}
        after = {"after": True} if self._after else {}
        return {"kind": self.kind, **times, **after, **self.fields}

    def check_for(self, call: str) -> None:
        """Raise ValueError unless this fault can happen to that call."""
        check_call(call)
        calls = KINDS[self.kind].calls
        if call not in calls:
            raise ValueError(f"{self.kind} cannot happen to {call}, only to {', '.join(calls)}")
        field, allowed = self.fields.get("field"), RECORD_FIELDS.get(call, ())
        if field is not None and field not in allowed:
            raise ValueError(f"field must be one of {', '.join(allowed)}")

    def hit(self) -> "Fault | None":
        """Return the fault that is left after one more call; None if that was the last one."""
        if self.times is None:
            return self
        left = self.as_json() | {"times": self.times - 1}
        return Fault(**left) if left["times"] else None

    @property
    def follows_effect(self) -> bool:
        """Tell whether the call has its real effect before the fault shows."""
        return self._after or not KINDS[self.kind].replaces

    def apply(self, reply: Reply) -> Reply:
        """Return the reply as the fault leaves it."""
        return KINDS[self.kind].effect(reply, **self.fields)


@fault(replaces=True)
def status(
    _: Reply, *, status: Status = 503, headers: Headers = MappingProxyType({}), body: Body = None
) -> Reply:
    """Answer with a status, headers and a body (a text or a JSON value)."""
    body = {"message": f"fault on demand: {status}"} if body is None else body
    text = body if isinstance(body, str) else None
    return Reply(status=status, payload=body, text=text, headers=headers)


@fault(replaces=True)
def html(_: Reply, *, status: Status = 200) -> Reply:
    """Answer with a page."""
    page = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
    return Reply(status=status, text=page, content_type="text/html; charset=utf-8")


@fault(replaces=True)
def refuse(_: Reply) -> Reply:
    """Cut the connection before any answer."""
    return Reply(delivery=Delivery.RESET_AT_ONCE)


@fault(replaces=True)
def timeout(_: Reply, *, seconds: Seconds = 3600.0) -> Reply:
    """Hang for so long, then cut the connection."""
    return Reply(delivery=Delivery.RESET_AT_ONCE, hang_seconds=seconds)


@fault()
def reset(reply: Reply) -> Reply:
    """Cut the connection in the middle of the body."""
    return replace(reply, delivery=Delivery.RESET_MIDWAY)


@fault()
def truncated(reply: Reply) -> Reply:
    """End in the middle of the JSON, with a length that fits."""
    whole = reply.body_text()
    return replace(reply, text=whole[: len(whole) // 2])


@fault()
def empty_object(reply: Reply) -> Reply:
    """Answer with an object that holds nothing."""
    return replace(reply, payload={})


@fault(*RECORD_FIELDS)
def empty_list(reply: Reply) -> Reply:
    """Answer with a list that holds nothing, in the documented shape."""
    return _with_records(reply, [])


@fault(*RECORD_FIELDS)
def wrong_types(reply: Reply) -> Reply:
    """Turn texts into numbers and numbers into objects."""
    return _with_records(
        reply,
        [{name: _of_wrong_type(value) for name, value in each.items()} for each in _records(reply)],
    )


def _of_wrong_type(value: object) -> object:
    return len(value) if isinstance(value, str) else {"value": value}


@fault(*RECORD_FIELDS)
def missing_field(reply: Reply, *, field: Text = None) -> Reply:
    """Leave a field out of the first record."""
    first, *others = _records(reply)
    defaults = (names[0] for names in RECORD_FIELDS.values())
    absent = field or next(name for name in defaults if name in first)
    return _with_records(reply, [{k: v for k, v in first.items() if k != absent}, *others])


@fault("segments")
def missing_segment(reply: Reply, *, title: Title = "Program") -> Reply:
    """Leave out the segment with that title."""
    return _with_records(reply, [each for each in _records(reply) if each["TITLE"] != title])


@fault("accounts")
def shrink(reply: Reply, *, percent: Percent = 60.0) -> Reply:
    """Leave out that share of the programs, from the end of the list."""
    records = _records(reply)
    programs = [each for each in records if each["COA_SEGID"] == PROGRAM_SEGMENT]
    kept = programs[: len(programs) - round(len(programs) * percent / 100)]
    return _with_records(
        reply, [each for each in records if each["COA_SEGID"] != PROGRAM_SEGMENT] + kept
    )


@fault("balances")
def failure(reply: Reply) -> Reply:
    """Report a failed execution with status 200."""
    return replace(reply, payload={"executionResult": "FAILURE", "extraInformation": {}})


@fault("balances")
def missing_record(reply: Reply, *, account: Text = None) -> Reply:
    """Leave out the ending balance of one account (the first by default), in every currency."""
    account, records = _chosen(reply, account)
    return _with_records(
        reply, [e for e in records if not (e[ACCOUNT] == account and e[TYPE] == ENDING)]
    )


@fault("balances")
def unbalanced(reply: Reply, *, account: Text = None) -> Reply:
    """Make one account (the first by default) end a cent above its start plus its activity."""
    account, records = _chosen(reply, account)
    for index, each in enumerate(records):
        if each[ACCOUNT] == account and each[TYPE] == ENDING:
            records[index] = each | {AMOUNT: each[AMOUNT] + Decimal("0.01")}
            break
    return _with_records(reply, records)


@fault("balances")
def string_amounts(reply: Reply) -> Reply:
    """Write amounts as texts."""
    return _with_records(reply, [e | {AMOUNT: str(e[AMOUNT])} for e in _records(reply)])


@fault("balances")
def long_amounts(reply: Reply) -> Reply:
    """Give every amount fifteen digits; start plus activity stays the end."""
    return _with_records(reply, [e | {AMOUNT: _LONG[e[TYPE]]} for e in _records(reply)])


def _records(reply: Reply) -> list[Record]:
    holder = reply.payload.get("extraInformation", reply.payload)
    return list(holder["Level1"] if "Level1" in holder else holder["COA_SEGID"])


def _with_records(reply: Reply, records: list[Record]) -> Reply:
    if "extraInformation" in reply.payload:
        return replace(reply, payload=reply.payload | {"extraInformation": {"Level1": records}})
    return replace(reply, payload={"COA_SEGID": records})


def _chosen(reply: Reply, account: str | None) -> tuple[str, list[Record]]:
    records = _records(reply)
    return account or str(records[0][ACCOUNT]), records
