"""The sample organisation's books: what an account holds at the start of any day.

A balance is a formula of account and day, not a sum of postings, so every period costs the same.
The figures always fit: an activity is the difference between two balances, and a month starts where
the one before it ended.
"""

import functools
import hashlib
from datetime import date
from typing import NamedTuple

EPOCH = date(1990, 1, 1)
"""The first day of the books."""

_DORMANT = frozenset({"1530", "1610"})
_CREDIT_CLASSES = "245"


class _Profile(NamedTuple):
    """How an account behaves. All amounts in cents."""

    sign: int
    opening: int
    daily_growth: int
    swing: int


def balance_cents(account: str, ordinal: int) -> int:
    """Return the balance at the start of the day with that proleptic ordinal.

    Debit balances are positive, credit balances (liabilities, income) negative. Raises
    ValueError for a day before the books begin.
    """
    days = ordinal - EPOCH.toordinal()
    if days < 0:
        raise ValueError(f"the books begin on {EPOCH}")
    profile = _profile(account)
    swing = _number(f"{account}/{ordinal}") % (profile.swing + 1)
    return profile.sign * (profile.opening + profile.daily_growth * days + swing)


@functools.cache
def _profile(account: str) -> _Profile:
    number = _number(account)
    sign = -1 if account[:1] in _CREDIT_CLASSES else 1
    opening = 100_000 + number % 5_000_000
    if account in _DORMANT:
        return _Profile(sign, opening, daily_growth=0, swing=0)
    growth = 50 + number // 7 % 20_000
    # Wide enough that the activity of a month can go against the trend.
    return _Profile(sign, opening, growth, swing=45 * growth)


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest)
