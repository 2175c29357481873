"""A batch of deliveries from the rebuild queue, from parsing to settlement."""

from collections.abc import Sequence
from datetime import date

from core.errors import InvalidMessageError
from core.model.messages import MESSAGE_GROUP, RebuildMessage, parse_message
from core.rebuilding.rebuild import Rebuilder, RebuildRequest
from core.rebuilding.settlement import Delivery, Settlement

HOLD_MARGIN_SECONDS = 10
"""Time for Lambda to delete what an invocation has settled, after it has returned."""


def process_batch(
    deliveries: Sequence[Delivery],
    *,
    rebuilder: Rebuilder,
    settlement: Settlement,
    today: date,
    remaining_seconds: float,
) -> frozenset[str]:
    """Process a batch and return the ids of the messages that must come back.

    1. Hold the messages until just after the invocation must have ended.
    2. Send those of a foreign message group on into the group of rebuilds. Only a worker that
       holds a message of that group goes on: SQS never gives two workers messages of one group,
       so there is one MIP session at a time.
    3. Set aside what can never work.
    4. Rebuild what the others ask for, in one MIP session, and close it.
    5. Settle each message: acknowledge, dead-letter, or delay; then record the failures.

    Source: SQS Developer Guide, "FIFO queue delivery logic": no more messages of a group are
    returned while one of it is in flight.
    """
    settlement.hold(deliveries, remaining_seconds + HOLD_MARGIN_SECONDS)
    own = [delivery for delivery in deliveries if delivery.group == MESSAGE_GROUP]
    settled = {
        delivery.message_id: settlement.forward(delivery)
        for delivery in deliveries
        if delivery.group != MESSAGE_GROUP
    }
    if own:
        settled |= _process_own(own, rebuilder, settlement, today)
    return frozenset(message_id for message_id, is_done in settled.items() if not is_done)


def _process_own(
    deliveries: Sequence[Delivery], rebuilder: Rebuilder, settlement: Settlement, today: date
) -> dict[str, bool]:
    """Rebuild and settle; tell of each message whether it is off the queue."""
    parsed = {delivery.message_id: _parsed(delivery, today) for delivery in deliveries}
    results = rebuilder.run(
        [
            RebuildRequest(delivery.message_id, message, delivery.sent_at)
            for delivery in deliveries
            if isinstance(message := parsed[delivery.message_id], RebuildMessage)
        ]
    )
    settled = {}
    for delivery in deliveries:
        message = parsed[delivery.message_id]
        if isinstance(message, InvalidMessageError):
            settled[delivery.message_id] = settlement.settle_invalid(delivery, message)
        else:
            settled[delivery.message_id] = settlement.settle(delivery, results[delivery.message_id])
    settlement.record_failures()
    return settled


def _parsed(delivery: Delivery, today: date) -> RebuildMessage | InvalidMessageError:
    try:
        return parse_message(delivery.body, today)
    except InvalidMessageError as exc:
        return exc
