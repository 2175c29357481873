"""The dead letters and their reasons, peeked at in their queue."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.control_room.doors import Doors

# What SQS hands out without an error's name was moved by the queue's own redrive policy.
UNTOLD = ("Unknown", "moved by the queue's redrive policy, as after a crash or a time-out")


class LettersView:
    """Counts the letters and shows the first ones, as many as can be seen without hiding any."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._letters: list[dict[str, Any]] = []

    def look(self) -> dict[str, Any] | None:
        """Their number, and the first of them; None where the stack has no such queue.

        Raises DoorClosedError.
        """
        url = self._doors.where.dead_letter_queue_url
        if url is None:
            return None
        depth = self._doors.depth(url)
        # While somebody works on the letters some are hidden, but not gone.
        if depth["in_flight"] == 0:
            self._letters = [_letter(found) for found in self._doors.peek(url)]
        return {"count": depth["visible"] + depth["in_flight"], "messages": self._letters}


def _letter(message: Mapping[str, Any]) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    told = {name: value.get("StringValue", "") for name, value in attributes.items()}
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return {
        "message_id": message["MessageId"],
        "body": message["Body"],
        "error_type": told.get("ErrorType", UNTOLD[0]),
        "error_message": told.get("ErrorMessage", UNTOLD[1]),
        "attempts": told.get("Attempts"),
        "failed_at": told.get("FailedAt", sent_at.isoformat()),
    }
