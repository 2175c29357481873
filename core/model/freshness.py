"""How old an entry is, and how long it may still be served without asking for a newer one."""

import math
from dataclasses import dataclass
from datetime import datetime

from core.model.entry import CacheEntry


@dataclass(frozen=True, slots=True)
class Freshness:
    """An entry seen at one moment, in whole seconds (RFC 9111, RFC 9211).

    `ttl_seconds` is negative once the entry is stale.
    """

    age_seconds: int
    ttl_seconds: int
    is_fresh: bool


def freshness_at(now: datetime, entry: CacheEntry) -> Freshness:
    """Judge an entry; it is fresh strictly before its `fresh_until`."""
    remaining = (entry.fresh_until - now).total_seconds()
    age = (now - entry.built_at).total_seconds()
    return Freshness(
        age_seconds=max(0, int(age)),
        ttl_seconds=math.floor(remaining),
        is_fresh=remaining > 0,
    )
