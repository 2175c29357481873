"""How times and troubles are told to people, in pages and in the details of problems."""

from datetime import UTC, datetime

from core.model.failures import Trouble


def readable_time(moment: datetime) -> str:
    """Write a time as people do, in UTC, to the minute."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def trouble_text(trouble: Trouble) -> str:
    """Say since when nothing new has come from MIP Cloud, in one sentence."""
    since = readable_time(trouble.since)
    if trouble.is_unanswered:
        return f"MIP Cloud has not answered since {since}."
    return f"Every fetch from MIP Cloud has failed since {since}."
