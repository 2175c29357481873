"""MIP's chart of accounts: the replies of `segments` and `segments/accounts`, checked and joined.

MIP uses the key COA_SEGID both for the list and for the segment's number inside each record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Chart:
    """The two segments that the service reports on, each in MIP's order."""

    programs: tuple[Account, ...]
    gl: tuple[Account, ...]


def parse_chart(segments: object, accounts: object) -> Chart:
    """Join the two replies.

    Raises UpstreamDataError when a reply has not the documented shape, a segment is missing, or
    one of the two lists is empty.
    """
    numbers = _segment_numbers(segments)
    by_segment: dict[object, list[Account]] = {}
    for record in _records(accounts, "accounts"):
        number = _field(record, "COA_SEGID", int, "accounts")
        by_segment.setdefault(number, []).append(_account(record))
    return Chart(
        programs=_segment(PROGRAM_SEGMENT, numbers, by_segment),
        gl=_segment(GL_SEGMENT, numbers, by_segment),
    )


def _segment_numbers(segments: object) -> dict[str, int]:
    return {
        _field(record, "TITLE", str, "segments"): _field(record, "COA_SEGID", int, "segments")
        for record in _records(segments, "segments")
    }


def _segment(
    title: str, numbers: Mapping[str, int], by_segment: Mapping[object, list[Account]]
) -> tuple[Account, ...]:
    if title not in numbers:
        raise UpstreamDataError(f"MIP lists no segment with the title {title}")
    accounts = by_segment.get(numbers[title])
    if not accounts:
        raise UpstreamDataError(f"MIP lists no accounts in the segment {title}")
    return tuple(accounts)


def _records(reply: object, call: str) -> Iterator[Mapping[str, Any]]:
    records = reply.get("COA_SEGID") if isinstance(reply, dict) else None
    if not isinstance(records, list):
        raise UpstreamDataError(f"MIP's reply to {call} has no list COA_SEGID")
    for record in records:
        if not isinstance(record, dict):
            raise UpstreamDataError(f"MIP's reply to {call} holds something that is no record")
        yield record


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
