"""A batch of deliveries from the rebuild queue, from parsing to settlement."""

from collections.abc import Sequence
from datetime import date

from core.errors import InvalidMessageError
from core.model.messages import MESSAGE_GROUP, parse_message
from core.ports import Clock
from core.rebuilding.delivery import Delivery
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.requests import RebuildRequest
from core.rebuilding.settlement import Settlement
from core.settings import WorkerSettings

HOLD_MARGIN_SECONDS = 10
"""Time for Lambda to delete what an invocation has settled, after it has returned."""


class BatchProcessor:
    """Processes the batch of one invocation."""

    def __init__(
        self,
        *,
        rebuilder: Rebuilder,
        settlement: Settlement,
        clock: Clock,
        settings: WorkerSettings,
    ) -> None:
        self._rebuilder = rebuilder
        self._settlement = settlement
        self._clock = clock
        self._settings = settings

    def process(self, deliveries: Sequence[Delivery], remaining_seconds: float) -> list[str]:
        """Process a batch and return the ids of the messages that must come back.

        1. Hold the messages until just after the invocation must have ended.
        2. Send those of a foreign message group on into the group of rebuilds. Only a worker that
           holds a message of that group goes on: SQS never gives two workers messages of one
           group, so there is one MIP session at a time.
        3. Send invalid messages to the dead-letter queue.
        4. Rebuild what the others ask for, in one MIP session, and close it.
        5. Settle each message: acknowledge, dead-letter, or delay; then record the failures.

        Source: SQS Developer Guide, "FIFO queue delivery logic": no more messages of a group are
        returned while one of it is in flight.
        """
        self._settlement.hold(deliveries, remaining_seconds + HOLD_MARGIN_SECONDS)
        foreign = [delivery for delivery in deliveries if delivery.group != MESSAGE_GROUP]
        own = [delivery for delivery in deliveries if delivery.group == MESSAGE_GROUP]
        settled = {one.message_id: self._settlement.forward(one) for one in foreign}
        if own:
            settled |= self._process_own(own)
        return [message_id for message_id, is_done in settled.items() if not is_done]

    def _process_own(self, deliveries: Sequence[Delivery]) -> dict[str, bool]:
        """Rebuild and settle; return for each message whether it is off the queue."""
        today = self._settings.today(self._clock())
        requests = {delivery.message_id: self._request(delivery, today) for delivery in deliveries}
        results = self._rebuilder.run(
            [request for request in requests.values() if isinstance(request, RebuildRequest)]
        )
        settled = {}
        for delivery in deliveries:
            request = requests[delivery.message_id]
            if isinstance(request, InvalidMessageError):
                is_done = self._settlement.settle_invalid(delivery, request)
            else:
                is_done = self._settlement.settle(delivery, results[delivery.message_id])
            settled[delivery.message_id] = is_done
        self._settlement.record_failures()
        return settled

    def _request(self, delivery: Delivery, today: date) -> RebuildRequest | InvalidMessageError:
        try:
            message = parse_message(delivery.body, today)
        except InvalidMessageError as exc:
            return exc
        return RebuildRequest(
            delivery.message_id,
            tuple(message.selection.datasets(today, self._settings.balance_months)),
            delivery.sent_at,
            message.accept_shrink,
        )
