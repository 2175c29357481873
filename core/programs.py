"""From MIP's Program segment to the lists that are served.

MIP's codes have 8 digits, of which the first 6 are the program and the last 2 a part of it.
Shorter codes are inactive legacy ones.
"""

import unicodedata
from collections.abc import Iterable

from core.chart import Account
from core.entry import ProgramLists
from core.errors import UpstreamDataError

SIGNIFICANT_DIGITS = 6
SHORTEST_LISTED = 5
TAG_PUNCTUATION = frozenset(".:/=+-@_")
"""With letters, digits and spaces, what AWS allows in a tag value (Tagging Best Practices)."""


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
    `max_shrink_percent` percent of it.
    """
    for name, count, before in (
        ("active programs", len(new.active), len(stored.active)),
        ("programs", len(new.with_inactive), len(stored.with_inactive)),
    ):
        if (before - count) * 100 > max_shrink_percent * before:
            raise UpstreamDataError(
                f"the list of {name} shrank from {before} to {count}, by more than "
                f"{max_shrink_percent} percent; a message with accept_shrink overrides this"
            )


def _deduplicated(accounts: Iterable[Account], codes_to_omit: frozenset[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for account in accounts:
        code = tag_text(account.code[:SIGNIFICANT_DIGITS])
        if code not in names and code not in codes_to_omit:
            names[code] = _name(account, code)
    return dict(sorted(names.items()))


def _name(account: Account, code: str) -> str:
    name = tag_text(account.title)
    return code if not name or name.isspace() else name


def tag_text(text: str) -> str:
    """Drop what an AWS tag value must not hold; turn tabs, newlines and their like into spaces."""
    return "".join(_tag_character(character) for character in text)


def _tag_character(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN" or category == "Zs" or character in TAG_PUNCTUATION:
        return character
    return " " if character.isspace() else ""
