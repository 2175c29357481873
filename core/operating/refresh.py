"""Refresh: queue rebuilds; readers are served the old entries until the new ones are written."""

import uuid
from typing import Any

from core.model.datasets import ALL
from core.model.messages import RebuildMessage
from core.model.selection import Selection
from core.operating.commands import Refresh
from core.ports import Clock, RebuildQueue
from core.settings import AdminSettings


class Refresher:
    """Queues the rebuilds that a command asks for. The result is a JSON value."""

    def __init__(self, *, queue: RebuildQueue, clock: Clock, settings: AdminSettings) -> None:
        self._queue = queue
        self._clock = clock
        self._settings = settings

    def refresh(self, command: Refresh, correlation_id: str) -> dict[str, Any]:
        """Queue a message for each selected dataset, each under a new deduplication id.

        Raises QueueUnavailableError.
        """
        queued = [
            self._send(RebuildMessage(selection, "refresh", command.accept_shrink, correlation_id))
            for selection in self._selections(command.selection)
        ]
        return {
            "action": "refresh",
            "summary": f"{len(queued)} rebuild{'s' * (len(queued) != 1)} queued",
            "count": len(queued),
            "message_ids": [item["message_id"] for item in queued],
            "queued": queued,
            "correlation_id": correlation_id,
        }

    def _selections(self, selection: Selection) -> list[Selection]:
        """Split a selection into what a message can ask for: everything, or one dataset."""
        if selection.name == ALL:
            return [selection]
        today = self._settings.today(self._clock())
        return [
            Selection.of(dataset)
            for dataset in selection.datasets(today, self._settings.balance_months)
        ]

    def _send(self, message: RebuildMessage) -> dict[str, Any]:
        message_id = self._queue.send(message, f"refresh-{uuid.uuid4()}")
        return {**message.selection.as_json(), "message_id": message_id}
