"""MIP's chart of accounts: the replies of `segments` and `segments/accounts`, joined on demand.

MIP uses the key COA_SEGID both for the list and for the segment's number inside each record.

Each segment is checked when it is asked for, and by itself: an error in one, or in a segment that
nobody asks for, does not affect the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.errors import UpstreamDataError

PROGRAM_SEGMENT = "Program"
GL_SEGMENT = "GL"


@dataclass(frozen=True, slots=True)
class Account:
    """One code of a segment. `status` is `A` for an active one."""

    code: str
    status: str
    title: str

    @property
    def is_active(self) -> bool:
        """Tell whether MIP lists the account as active."""
        return self.status == "A"


class Chart:
    """The two segments that the service reports on, each in MIP's order.

    Each property raises UpstreamDataError when its segment is missing, has no account, or one of
    its records does not have the documented shape.
    """

    def __init__(self, segments: object, accounts: object) -> None:
        self._segments = segments
        self._accounts = accounts

    @cached_property
    def programs(self) -> tuple[Account, ...]:
        """The accounts of the Program segment."""
        return self._segment(PROGRAM_SEGMENT)

    @cached_property
    def gl(self) -> tuple[Account, ...]:
        """The accounts of the GL segment."""
        return self._segment(GL_SEGMENT)

    def _segment(self, title: str) -> tuple[Account, ...]:
        number = _segment_number(self._segments, title)
        accounts = tuple(
            _account(record)
            for record in _records(self._accounts, "accounts")
            if _has(record, "COA_SEGID", number)
        )
        if not accounts:
            raise UpstreamDataError(f"MIP lists no accounts in the segment {title}")
        return accounts


def _segment_number(segments: object, title: str) -> int:
    for record in _records(segments, "segments"):
        if _has(record, "TITLE", title):
            return _field(record, "COA_SEGID", int, "segments")
    raise UpstreamDataError(f"MIP lists no segment with the title {title}")


def _records(reply: object, call: str) -> Iterator[Mapping[str, Any]]:
    """Return the records of a reply; what is not an object belongs to no segment of ours."""
    records = reply.get("COA_SEGID") if isinstance(reply, dict) else None
    if not isinstance(records, list):
        raise UpstreamDataError(f"MIP's reply to {call} has no list COA_SEGID")
    return (record for record in records if isinstance(record, dict))


def _has(record: Mapping[str, Any], name: str, wanted: object) -> bool:
    # To Python, JSON's true equals 1.
    return record.get(name) == wanted and not isinstance(record.get(name), bool)


def _account(record: Mapping[str, Any]) -> Account:
    return Account(
        code=_field(record, "COA_CODE", str, "accounts"),
        status=_field(record, "COA_STATUS", str, "accounts"),
        title=_field(record, "COA_TITLE", str, "accounts"),
    )


def _field[T](record: Mapping[str, Any], name: str, kind: type[T], call: str) -> T:
    value = record.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UpstreamDataError(f"a record in MIP's reply to {call} has no usable {name}")
    return value
