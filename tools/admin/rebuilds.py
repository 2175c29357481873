"""`refresh` and `purge`."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.model.datasets import ALL, PROGRAMS
from core.model.messages import correlation_id_of
from tools.admin.datasets import selection
from tools.admin.errors import RefusedError
from tools.admin.letters import wanted
from tools.admin.output import Answer, Table, Terminal
from tools.admin.stack import Stack
from tools.admin.status import ask_repeatedly, error_text, failures, held_back_until, is_idle
from tools.admin.words import clock, count

_Json = Mapping[str, Any]


def refresh(stack: Stack, arguments: Namespace, terminal: Terminal) -> Answer:
    """Queue rebuilds; with --wait, also wait for what comes of them."""
    given: dict[str, Any] = selection(arguments)
    if arguments.accept_shrink:
        given["accept_shrink"] = True
    sent_at = datetime.now(UTC)
    queued = stack.invoke("refresh", **given)
    parts: list[str | Table] = [
        f"{queued['summary']}; correlation id {queued['correlation_id']}",
        Table(
            ("asked for", "message id"), [(wanted(m), m["message_id"]) for m in queued["queued"]]
        ),
    ]
    if not arguments.wait:
        return Answer(queued, parts)
    terminal.progress(queued["summary"])
    return Wait(stack, queued, sent_at).until_settled(arguments, terminal)


def purge(stack: Stack, arguments: Namespace, terminal: Terminal) -> Answer:
    """Name what would be purged, ask, and purge."""
    given: dict[str, Any] = selection(arguments)
    if arguments.soft:
        given["soft"] = True
    planned = stack.invoke("purge", **given, dry_run=True)
    if not planned["count"] and not planned["failure_records"]:
        return Answer(planned, ["There is nothing to purge."])
    if not arguments.yes:
        for key in planned["keys"]:
            terminal.note(f"  {key}")
        terminal.note(_consequence(soft=arguments.soft))
        if not terminal.ask(f"{planned['summary']}. Do it?"):
            raise RefusedError("nothing was purged")
    done = stack.invoke("purge", **given)
    return Answer(done, [done["summary"], *(f"  {key}" for key in done["keys"])])


def _consequence(*, soft: bool) -> str:
    if soft:
        return (
            "Readers are served these entries until they are rebuilt, which the next read asks for."
        )
    return (
        "The next read of each waits for its rebuild, and is answered 503 while MIP is down. "
        "--soft keeps them served."
    )


class Wait:
    """Waits for the messages of a refresh to be settled: built, or dead-lettered.

    SQS counts approximately, and may report an empty queue for up to a minute after a message was
    sent (SQS API Reference, GetQueueAttributes). So an idle queue alone proves nothing: what was
    asked for must be newer than the request, or have failed under its correlation id.
    """

    def __init__(self, stack: Stack, queued: _Json, sent_at: datetime) -> None:
        self._stack = stack
        self._queued = queued
        self._sent_at = sent_at
        self._last_line = ""

    def until_settled(self, arguments: Namespace, terminal: Terminal) -> Answer:
        """Look again and again, and tell what it waits for."""
        for answer in ask_repeatedly(self._stack, arguments.pause):
            now = datetime.now(UTC)
            if is_idle(answer.document):
                problems = self._problems(answer.document)
                if problems or self._is_built(answer.document, now):
                    return self._settled(answer.document, problems)
            self._report_wait(answer.document, now, terminal)
        raise AssertionError("ask_repeatedly() has no end")

    def _settled(self, status: _Json, problems: list[str]) -> Answer:
        document = {**self._queued, "problems": problems, "status": status}
        if not problems:
            return Answer(document, ["Rebuilt.", status["summary"]])
        return Answer(document, ["Not rebuilt:", *problems, status["summary"]], failed=True)

    def _is_built(self, status: _Json, now: datetime) -> bool:
        """Tell whether every entry that was asked for is younger than the request."""
        elapsed = (now - self._sent_at).total_seconds()
        young = {
            _name(entry)
            for entry in status["entries"]
            if entry["age_seconds"] is not None and entry["age_seconds"] <= elapsed
        }
        return all(_first_of(message) in young for message in self._queued["queued"])

    def _problems(self, status: _Json) -> list[str]:
        """Name what failed for good under this refresh's correlation id."""
        ours = self._queued["correlation_id"]
        records = {
            _name(item): error_text(item["last_error"])
            for item in failures(status)
            if item["last_error"].get("correlation_id") == ours
        }
        if status["dead_letters"]:
            for letter in self._stack.invoke("dead_letters")["messages"]:
                if correlation_id_of(letter["body"]) == ours and not records:
                    error = letter["error"]
                    records[letter["message_id"], "", ""] = f"{error['type']}: {error['message']}"
        return [" ".join(filter(None, (*name, text))) for name, text in records.items()]

    def _report_wait(self, status: _Json, now: datetime, terminal: Terminal) -> None:
        held = held_back_until(status, now)
        if held:
            errors = {error_text(item["last_error"]) for item in failures(status)}
            line = f"held back until {clock(held)}: {'; '.join(sorted(errors))}"
        else:
            line = f"{count(sum(status['queue'].values()), 'message')} queued or at work"
        if line != self._last_line:
            terminal.progress(f"waiting: {line}")
            self._last_line = line


def _name(item: _Json) -> tuple[str, str, str]:
    return item["dataset"], item.get("from", ""), item.get("to", "")


def _first_of(message: _Json) -> tuple[str, str, str]:
    """What a message has rebuilt first; `all` begins with the programs."""
    return (PROGRAMS, "", "") if message["dataset"] == ALL else _name(message)
