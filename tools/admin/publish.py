"""`publish`: a hand-made list of programs, for a long outage."""

from argparse import Namespace
from datetime import UTC, datetime, timedelta

from core.model.datasets import PROGRAM_LISTS
from core.model.entry import CacheEntry, ProgramLists
from tools.admin.datasets import key_of
from tools.admin.entries import put, what_comes_next
from tools.admin.hand_made import read_programs
from tools.admin.output import Answer
from tools.admin.stack import Stack
from tools.admin.words import count, timestamp

OLDER_THAN_ANY_MESSAGE = timedelta(days=15)
"""A queued message is satisfied by an entry that was built after it was sent, and the queue keeps
messages for 14 days: an entry of this age satisfies none, so each of them still has MIP's own list
built."""


def publish(stack: Stack, arguments: Namespace) -> Answer:
    """Check a hand-made list, and put it in the place of the present programs."""
    programs = read_programs(arguments.file)
    now = datetime.now(UTC)
    present = stack.bucket.read(key_of(PROGRAM_LISTS))
    lists = ProgramLists(active=programs, with_inactive=programs)
    entry = CacheEntry(PROGRAM_LISTS, now - OLDER_THAN_ANY_MESSAGE, now, lists)
    published, version = put(stack, entry, present, now, timedelta(hours=arguments.fresh_for))
    document = {
        "action": "publish",
        "dataset": PROGRAM_LISTS.as_json(),
        "programs": len(programs),
        "version_id": version,
        "built_at": published.built_at.isoformat(),
        "fresh_until": published.fresh_until.isoformat(),
    }
    told = (
        f"Published {count(len(programs), 'program')}, "
        f"fresh until {timestamp(published.fresh_until)}."
    )
    return Answer(document, [told, *what_comes_next(stack)])
