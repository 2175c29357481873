"""A batch of deliveries from the rebuild queue, from parsing to settlement."""

from collections.abc import Sequence
from datetime import date

from core.errors import InvalidMessageError
from core.messages import RebuildMessage, parse_message
from core.rebuild import Rebuilder, RebuildRequest
from core.settlement import Delivery, Settlement

HOLD_MARGIN_SECONDS = 10
"""Time for Lambda to delete what an invocation has settled, after it has returned."""


def work_off(
    deliveries: Sequence[Delivery],
    *,
    rebuilder: Rebuilder,
    settlement: Settlement,
    today: date,
    remaining_seconds: float,
) -> frozenset[str]:
    """Work off a batch and return the ids of the messages that must come back.

    1. Hold the messages until just after the invocation must have ended.
    2. Set aside what can never work.
    3. Rebuild what the others ask for, in one MIP session, and close it.
    4. Settle each message: acknowledge, dead-letter, or delay; then record the failures.
    """
    settlement.hold(deliveries, remaining_seconds + HOLD_MARGIN_SECONDS)
    parsed = {delivery.message_id: _parsed(delivery, today) for delivery in deliveries}
    requests = [
        RebuildRequest(delivery.message_id, message, delivery.sent_at)
        for delivery in deliveries
        if isinstance(message := parsed[delivery.message_id], RebuildMessage)
    ]
    results = rebuilder.run(requests)
    coming_back = set()
    for delivery in deliveries:
        message = parsed[delivery.message_id]
        if isinstance(message, InvalidMessageError):
            settled = settlement.settle_invalid(delivery, message)
        else:
            settled = settlement.settle(delivery, results[delivery.message_id])
        if not settled:
            coming_back.add(delivery.message_id)
    settlement.record_failures()
    return frozenset(coming_back)


def _parsed(delivery: Delivery, today: date) -> RebuildMessage | InvalidMessageError:
    try:
        return parse_message(delivery.body, today)
    except InvalidMessageError as exc:
        return exc
