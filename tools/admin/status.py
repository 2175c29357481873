"""`status` and `watch`: what is cached, queued and failing, and whether it mends itself."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tools.admin.errors import AwsError
from tools.admin.output import Answer, Table, Terminal
from tools.admin.stack import Stack
from tools.admin.words import NOTHING, age, ahead, clock, count, period, size, timestamp

COLUMNS = ("dataset", "period", "state", "age", "size", "next attempt", "last error")

_Json = Mapping[str, Any]


def status(stack: Stack, _: Namespace) -> Answer:
    """Show what is cached, queued and failing."""
    return ask(stack, datetime.now(UTC))


def watch(stack: Stack, arguments: Namespace, terminal: Terminal) -> None:
    """Show the same again and again, until Ctrl-C, or until nothing is queued or at work."""
    with suppress(KeyboardInterrupt), terminal.live() as show:
        for answer in ask_repeatedly(stack, arguments.pause):
            show(answer)
            if arguments.until == "idle" and is_idle(answer.document):
                return


def ask_repeatedly(stack: Stack, pause: Callable[[], None]) -> Iterator[Answer]:
    """Ask for the status again and again, with a pause between."""
    while True:
        yield ask(stack, datetime.now(UTC))
        pause()


def ask(stack: Stack, now: datetime) -> Answer:
    """Ask for the status."""
    return report(stack.invoke("status"), _schedule(stack), stack.title, now)


def report(answer: _Json, schedule: _Json, name: str, now: datetime) -> Answer:
    """Write the admin's answer for people: the summary, what needs attention, every entry."""
    held = held_back_until(answer, now)
    document = {
        **answer,
        "stack": name,
        "schedule": schedule,
        "held_back_until": held.isoformat() if held else None,
    }
    rows = [_row(entry, now) for entry in (*answer["entries"], *_missing(answer))]
    parts: list[str | Table] = [answer["summary"], *_warnings(answer, held, now)]
    parts.append(f"Stack: {name}. Schedule: {schedule['text']}")
    if rows:
        parts += ["", Table(COLUMNS, rows)]
    return Answer(document, parts)


def is_idle(answer: _Json) -> bool:
    """Tell whether no message is queued or at work, and no session is open."""
    return not any(answer["queue"].values()) and not answer["session_open"]


def failures(answer: _Json) -> list[_Json]:
    """Return the entries that fail, those that do not exist too."""
    return [item for item in (*answer["entries"], *answer["missing"]) if item["last_error"]]


def held_back_until(answer: _Json, now: datetime) -> datetime | None:
    """Return when the last of the failed messages comes back; None if none is held back.

    A worker sets a failed message's visibility, and notes the end of it in the failure record.
    All messages are of one group, so that nothing behind a hidden one is delivered meanwhile.
    """
    if not answer["queue"]["in_flight"]:
        return None
    due = [
        datetime.fromisoformat(item["last_error"]["next_attempt_at"])
        for item in failures(answer)
        if not item["last_error"]["dead_lettered"]
    ]
    return max((at for at in due if at > now), default=None)


def _warnings(answer: _Json, held: datetime | None, now: datetime) -> Iterator[str]:
    if held:
        waiting = answer["queue"]["visible"]
        yield (
            f"A failed message is held back until {clock(held)} ({ahead(held, now)}). "
            + (f"{count(waiting, 'message')} behind it waits." if waiting == 1 else "")
            + (f"{count(waiting, 'message')} behind it wait." if waiting > 1 else "")
            + ("What is asked for now waits behind it." if not waiting else "")
        )
    if answer["session_open"] and not answer["queue"]["in_flight"]:
        yield (
            "A MIP session is noted as open, and no worker is at work: the next rebuild logs it "
            "out first."
        )
    if answer["dead_letters"]:
        yield f"{count(answer['dead_letters'], 'dead letter')}: see `letters`."


def _schedule(stack: Stack) -> _Json:
    """Look at the schedule. Without the right to do so, all the rest is still shown."""
    try:
        schedule = stack.schedule()
    except AwsError as exc:
        return {"on": None, "expression": None, "text": f"not known: {exc}."}
    state = "on" if schedule.is_on else "OFF: nothing is rebuilt by itself"
    return {
        "on": schedule.is_on,
        "expression": schedule.expression,
        "text": f"{state}, {schedule.expression}.",
    }


def _missing(answer: _Json) -> Iterator[_Json]:
    for item in answer["missing"]:
        yield {**item, "state": "missing", "age_seconds": None, "size_bytes": None}


def _row(entry: _Json, now: datetime) -> tuple[str, ...]:
    seconds, error = entry["age_seconds"], entry["last_error"]
    return (
        entry["dataset"],
        period(entry),
        entry["state"],
        NOTHING if seconds is None else age(seconds),
        size(entry["size_bytes"]),
        ahead(datetime.fromisoformat(error["next_attempt_at"]), now) if error else "",
        error_text(error) if error else "",
    )


def error_text(error: _Json) -> str:
    """Write a failure record in one line."""
    since = timestamp(datetime.fromisoformat(error["first_failed_at"]))
    tries = count(error["attempts"], "attempt")
    return f"{error['error_type']}: {error['message']} ({tries} since {since})"
