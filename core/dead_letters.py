"""What an operator can do with dead letters: look, send back, throw away."""

import uuid
from collections.abc import Callable
from typing import Any

from core.commands import Discard, ListDeadLetters, Redrive
from core.errors import InvalidCommandError
from core.ports import DeadLetter, DeadLetterQueue, RebuildQueue
from core.settlement import MAX_RECEIVES


class DeadLetterDesk:
    """Works on the dead-letter queue. Results are JSON values."""

    def __init__(self, dead_letters: DeadLetterQueue, queue: RebuildQueue) -> None:
        self._dead_letters = dead_letters
        self._queue = queue

    def show(self, command: ListDeadLetters) -> dict[str, Any]:
        """List the letters, the oldest first, and leave each where it was."""
        letters: list[DeadLetter] = []
        try:
            for batch in self._dead_letters.receive_batches():
                letters.extend(batch)
        finally:
            self._dead_letters.release(letters)
        letters.sort(key=lambda letter: (letter.sent_at, letter.message_id))
        return {
            "count": len(letters),
            "messages": [_letter_json(letter) for letter in letters[: command.limit]],
        }

    def redrive(self, command: Redrive) -> dict[str, Any]:
        """Send letters back to the rebuild queue, then delete them.

        In this order a crash in between doubles a message, which then collapses; none is lost.
        """

        def act(letter: DeadLetter) -> None:
            self._queue.send_again(letter.body, f"redrive-{uuid.uuid4()}")
            self._dead_letters.delete(letter)

        chosen = self._each(command.message_id, act, dry_run=command.dry_run)
        return _done("redrive", chosen, dry_run=command.dry_run)

    def discard(self, command: Discard) -> dict[str, Any]:
        """Delete letters for good."""
        chosen = self._each(command.message_id, self._dead_letters.delete, dry_run=command.dry_run)
        return _done("discard", chosen, dry_run=command.dry_run)

    def _each(
        self, message_id: str | None, act: Callable[[DeadLetter], None], *, dry_run: bool
    ) -> list[DeadLetter]:
        """Act on the chosen letters and release every other one, whatever happens.

        Raises InvalidCommandError when no letter has the id.
        """
        chosen: list[DeadLetter] = []
        untouched: list[DeadLetter] = []
        try:
            for batch in self._dead_letters.receive_batches():
                untouched.extend(batch)
                for letter in batch:
                    if message_id not in (None, letter.message_id, _original_id(letter)):
                        continue
                    chosen.append(letter)
                    if not dry_run:
                        act(letter)
                        untouched.remove(letter)
        finally:
            self._dead_letters.release(untouched)
        if message_id is not None and not chosen:
            raise InvalidCommandError(
                "no dead letter has this message_id; the action dead_letters lists them"
            )
        return chosen


def _original_id(letter: DeadLetter) -> str | None:
    return letter.attributes.get("OriginalMessageId")


def _letter_json(letter: DeadLetter) -> dict[str, Any]:
    told = letter.attributes
    return {
        "message_id": letter.message_id,
        "body": letter.body,
        "error": {
            "type": told.get("ErrorType", "Unknown"),
            "message": told.get(
                "ErrorMessage",
                "moved by the queue's redrive policy, as after a crash or a time-out; "
                "the worker's logs tell more",
            ),
        },
        "attempts": int(told.get("Attempts", MAX_RECEIVES)),
        "first_sent_at": told.get("FirstSentAt"),
        "failed_at": told.get("FailedAt", letter.sent_at.isoformat()),
        "original_message_id": told.get("OriginalMessageId", letter.message_id),
    }


def _done(action: str, chosen: list[DeadLetter], *, dry_run: bool) -> dict[str, Any]:
    return {
        "action": action,
        "dry_run": dry_run,
        "count": len(chosen),
        "message_ids": [letter.message_id for letter in chosen],
    }
