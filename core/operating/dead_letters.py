"""Dead letters: list them, send them back to the rebuild queue, or delete them."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from core.errors import InvalidCommandError
from core.model.messages import MAX_RECEIVES, MESSAGE_GROUP, correlation_id_of
from core.operating.commands import Discard, ListDeadLetters, Redrive
from core.ports import DeadLetter, DeadLetterQueue, RebuildQueue, Telemetry

MOVED_BY_SQS = (
    "moved by the queue's redrive policy, as after a crash or a time-out; "
    "the worker's logs say more"
)


class DeadLetterCommands:
    """Lists, redrives and discards dead letters. Results are JSON values.

    A letter that the worker sent has a message group of its own. One that the queue's redrive
    policy moved keeps its group, and of one group SQS shows ten messages at most. So each such
    letter is first put into a group of its own, under a new message id.
    """

    def __init__(
        self, dead_letters: DeadLetterQueue, queue: RebuildQueue, telemetry: Telemetry
    ) -> None:
        self._dead_letters = dead_letters
        self._queue = queue
        self._telemetry = telemetry

    def list(self, command: ListDeadLetters) -> dict[str, Any]:
        """List the letters, the oldest first, and leave all of them in the queue."""
        with self._all_letters() as letters:
            listed = [_letter_json(letter) for letter in sorted(letters.values(), key=_order)]
        return {
            "action": "dead_letters",
            "summary": f"{_count(len(listed))}; the oldest come first",
            "count": len(listed),
            "messages": listed[: command.limit],
        }

    def redrive(self, command: Redrive) -> dict[str, Any]:
        """Send letters back to the rebuild queue, then delete them.

        In this order a crash in between doubles a message, which then collapses; none is lost.
        Raises InvalidCommandError when no letter has the id.
        """
        with self._all_letters() as letters:
            chosen = _chosen(letters, command.message_id)
            for letter in [] if command.dry_run else chosen:
                message_id = self._queue.send_again(letter.body, f"redrive-{uuid.uuid4()}")
                self._delete(letters, letter)
                self._log("dead letter redriven", letter, new_message_id=message_id)
        return _result("redrive", "sent back", chosen, dry_run=command.dry_run)

    def discard(self, command: Discard) -> dict[str, Any]:
        """Delete letters for good. Raises InvalidCommandError when no letter has the id."""
        with self._all_letters() as letters:
            chosen = _chosen(letters, command.message_id)
            for letter in [] if command.dry_run else chosen:
                self._delete(letters, letter)
                self._log("dead letter discarded", letter)
        return _result("discard", "deleted", chosen, dry_run=command.dry_run)

    @contextmanager
    def _all_letters(self) -> Iterator[dict[str, DeadLetter]]:
        """Receive every letter, by receipt handle; release at the end those still in the mapping.

        All are received before the first is acted on: a message that is sent back may be
        dead-lettered again at once, and must not be sent back a second time.
        """
        letters: dict[str, DeadLetter] = {}
        try:
            for batch in self._dead_letters.receive_batches():
                letters.update((letter.receipt_handle, letter) for letter in batch)
                for letter in batch:
                    if _was_moved_by_sqs(letter):
                        self._give_own_group(letter)
                        del letters[letter.receipt_handle]
            yield letters
        finally:
            self._dead_letters.release(letters.values())

    def _give_own_group(self, letter: DeadLetter) -> None:
        """Replace a letter with a copy in a group of its own, which is received later.

        For example, the redrive policy moved the message 5f0d here. SQS did that under the
        deduplication id "5f0d", and remembers it for five minutes: a copy under that id would be
        accepted and dropped, and with the deletion the letter would be lost. So the copy has the
        id "regroup-5f0d". Where the deletion fails, the next copy has the same id and is dropped.

        Source: SQS Developer Guide, "Configure a dead-letter queue redrive": the deduplication id
        is replaced with the original message's id.
        """
        attributes = {
            "ErrorType": "Unknown",
            "ErrorMessage": MOVED_BY_SQS,
            "FirstSentAt": letter.sent_at.isoformat(),
            "FailedAt": letter.sent_at.isoformat(),
            "Attempts": str(MAX_RECEIVES),
            "OriginalMessageId": letter.message_id,
            **letter.attributes,
        }
        self._dead_letters.send(
            letter.body, attributes, letter.message_id, f"regroup-{letter.message_id}"
        )
        self._dead_letters.delete(letter)

    def _delete(self, letters: dict[str, DeadLetter], letter: DeadLetter) -> None:
        self._dead_letters.delete(letter)
        del letters[letter.receipt_handle]

    def _log(self, event: str, letter: DeadLetter, **fields: str) -> None:
        self._telemetry.info(
            event,
            message_id=letter.message_id,
            correlation_id=correlation_id_of(letter.body) or _original_id(letter),
            **fields,
        )


def _was_moved_by_sqs(letter: DeadLetter) -> bool:
    """Tell a letter of the redrive policy from one that the worker sent or that was regrouped."""
    return letter.group == MESSAGE_GROUP or "ErrorType" not in letter.attributes


def _chosen(letters: dict[str, DeadLetter], message_id: str | None) -> list[DeadLetter]:
    if message_id is None:
        return list(letters.values())
    chosen = [
        letter
        for letter in letters.values()
        if message_id in (letter.message_id, _original_id(letter))
    ]
    if not chosen:
        raise InvalidCommandError(
            "no dead letter has this message_id; the action dead_letters lists them"
        )
    return chosen


def _original_id(letter: DeadLetter) -> str:
    return letter.attributes.get("OriginalMessageId", letter.message_id)


def _letter_json(letter: DeadLetter) -> dict[str, Any]:
    attributes = letter.attributes
    return {
        "message_id": letter.message_id,
        "body": letter.body,
        "error": {
            "type": attributes.get("ErrorType", "Unknown"),
            "message": attributes.get("ErrorMessage", "the letter does not say what failed"),
        },
        "attempts": _attempts(attributes.get("Attempts", "")),
        "first_sent_at": attributes.get("FirstSentAt", letter.sent_at.isoformat()),
        "failed_at": _failed_at(letter),
        "original_message_id": _original_id(letter),
    }


def _attempts(attribute: str) -> int | None:
    """Read how often a letter was tried; None if its attribute is not a number."""
    return int(attribute) if re.fullmatch(r"[0-9]{1,9}", attribute) else None


def _failed_at(letter: DeadLetter) -> str:
    return letter.attributes.get("FailedAt", letter.sent_at.isoformat())


def _order(letter: DeadLetter) -> tuple[str, datetime, str]:
    return _failed_at(letter), letter.sent_at, letter.message_id


def _count(letters: int) -> str:
    return "1 dead letter" if letters == 1 else f"{letters} dead letters"


def _result(action: str, done: str, chosen: list[DeadLetter], *, dry_run: bool) -> dict[str, Any]:
    return {
        "action": action,
        "summary": f"{_count(len(chosen))} {'would be ' if dry_run else ''}{done}",
        "dry_run": dry_run,
        "count": len(chosen),
        "message_ids": [letter.message_id for letter in chosen],
    }
