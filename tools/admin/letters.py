"""`letters`, `redrive` and `discard`: rebuilds that failed for good."""

import json
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tools.admin.output import Answer, Table
from tools.admin.stack import Stack
from tools.admin.words import NOTHING, period, timestamp

COLUMNS = ("message id", "failed at", "attempts", "asked for", "error")
LONGEST_BODY = 60


def letters(stack: Stack, arguments: Namespace) -> Answer:
    """List the dead letters, the oldest first."""
    limit = {} if arguments.limit is None else {"limit": arguments.limit}
    found = stack.invoke("dead_letters", **limit)
    if not found["messages"]:
        return Answer(found, ["There are no dead letters."])
    advice = "Each is kept for 14 days. `redrive` sends it back, `discard` deletes it."
    return Answer(
        found, [found["summary"], Table(COLUMNS, list(map(_row, found["messages"]))), advice]
    )


def redrive(stack: Stack, arguments: Namespace) -> Answer:
    """Send dead letters back to the rebuild queue."""
    return _act(stack, "redrive", arguments)


def discard(stack: Stack, arguments: Namespace) -> Answer:
    """Delete dead letters for good."""
    return _act(stack, "discard", arguments)


def wanted(message: Mapping[str, Any]) -> str:
    """Name what a message asks for."""
    return f"{message.get('dataset')} {period(message)}".strip()


def _act(stack: Stack, action: str, arguments: Namespace) -> Answer:
    chosen = {"all": True} if arguments.all else {"message_id": arguments.message_id}
    dry_run = {"dry_run": True} if arguments.dry_run else {}
    done = stack.invoke(action, **chosen, **dry_run)
    return Answer(done, [done["summary"], *(f"  {letter}" for letter in done["message_ids"])])


def _row(letter: Mapping[str, Any]) -> tuple[str, ...]:
    attempts, error = letter["attempts"], letter["error"]
    return (
        letter["message_id"],
        timestamp(datetime.fromisoformat(letter["failed_at"])),
        NOTHING if attempts is None else str(attempts),
        _asked_for(letter["body"]),
        f"{error['type']}: {error['message']}",
    )


def _asked_for(body: str) -> str:
    """Name what a letter asks for; a body that is no request is shown as it is, cut."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and isinstance(document.get("dataset"), str):
        return wanted(document)
    return body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}…"
