"""From MIP's Program segment to the lists that are served.

MIP's codes have 8 digits, of which the first 6 are the program and the last 2 a part of it.
Shorter codes are inactive legacy ones.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from core.errors import UpstreamDataError
from core.model.entry import ProgramLists
from core.transform.chart import Account

SIGNIFICANT_DIGITS = 6
SHORTEST_LISTED = 5
TAG_PUNCTUATION = frozenset(".:/=+-@_")
"""With letters, digits and spaces, what AWS allows in a tag value (Tagging Best Practices)."""
NAMED_WHEN_SHRUNK = 10
"""How many of the codes that would go an error names."""
LONGEST_NAME_IN_ERROR = 40


def program_lists(accounts: Iterable[Account], codes_to_omit: frozenset[str]) -> ProgramLists:
    """Select, deduplicate, name and sort the programs.

    Raises UpstreamDataError when nothing is left to list: an empty list must not replace a good
    one.
    """
    by_code = sorted(accounts, key=lambda account: account.code)
    listed = [account for account in by_code if len(account.code) >= SHORTEST_LISTED]
    active = [
        account
        for account in listed
        if account.is_active and len(account.code) >= SIGNIFICANT_DIGITS
    ]
    lists = ProgramLists(
        active=_deduplicated(active, codes_to_omit),
        with_inactive=_deduplicated(listed, codes_to_omit),
    )
    if not lists.active:
        raise UpstreamDataError("MIP lists no active program")
    return lists


def check_not_shrunk(new: ProgramLists, stored: ProgramLists, max_shrink_percent: int) -> None:
    """Refuse a list that lost more programs than is plausible.

    Raises UpstreamDataError when either list is shorter than the stored one by more than
    `max_shrink_percent` percent of it. The error names codes that would go: whether they may go is
    what an operator has to decide.
    """
    for kind, names, before in (
        ("active programs", new.active, stored.active),
        ("programs", new.with_inactive, stored.with_inactive),
    ):
        if (len(before) - len(names)) * 100 > max_shrink_percent * len(before):
            gone = [code for code in before if code not in names]
            raise UpstreamDataError(
                f"the list of {kind} shrank from {len(before)} to {len(names)}, by more than "
                f"{max_shrink_percent} percent; a message with accept_shrink accepts that; "
                f"{_count(gone)} would go: {_listed(gone, before)}"
            )


def _count(codes: Sequence[str]) -> str:
    return "1 code" if len(codes) == 1 else f"{len(codes)} codes"


def _listed(codes: Sequence[str], names: Mapping[str, str]) -> str:
    first = codes[:NAMED_WHEN_SHRUNK]
    listed = ", ".join(f"{code} ({names[code][:LONGEST_NAME_IN_ERROR]})" for code in first)
    return listed if len(first) == len(codes) else f"{listed}, …"


def _deduplicated(accounts: Iterable[Account], codes_to_omit: frozenset[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for account in accounts:
        code = tag_text(account.code[:SIGNIFICANT_DIGITS])
        if code not in names and code not in codes_to_omit:
            names[code] = _name(account, code)
    return dict(sorted(names.items()))


def _name(account: Account, code: str) -> str:
    return tag_text(account.title) or code


def tag_text(text: str) -> str:
    """Return what AWS accepts of a text as a cost-category or tag value; it may be empty.

    1. Unicode's NFC: a combining accent would be removed, and take its letter's accent along.
    2. Only letters, digits, space separators and `. : / = + - @ _` stay; other whitespace, such as
       a tab, becomes a space.
    3. Spaces at both ends go: cost categories refuse them (API_CostCategoryRule).
    4. The colon of a leading `aws:`, in any case, goes: AWS reserves that prefix.
    """
    composed = unicodedata.normalize("NFC", text)
    allowed = "".join(_tag_character(character) for character in composed).strip()
    return re.sub(r"\A(aws):+", r"\1", allowed, flags=re.IGNORECASE | re.ASCII)


def _tag_character(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN" or category == "Zs" or character in TAG_PUNCTUATION:
        return character
    return " " if character.isspace() else ""
