"""One receive of one message from the rebuild queue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.model.messages import MESSAGE_GROUP, correlation_id_of


@dataclass(frozen=True, slots=True)
class Delivery:
    """What SQS tells of a message. `receives` counts from 1.

    `group` is the message group; a record that names none belongs to the one of rebuilds.
    """

    message_id: str
    body: str
    receipt_handle: str = field(repr=False)
    receives: int
    sent_at: datetime
    group: str = MESSAGE_GROUP

    @property
    def correlation_id(self) -> str:
        """Return the id that the message was sent with, or else its own."""
        return correlation_id_of(self.body) or self.message_id

    def log_fields(self) -> dict[str, object]:
        """Say in a log line which message it is about."""
        return {"message_id": self.message_id, "correlation_id": self.correlation_id}


def correlation_ids(deliveries: Sequence[Delivery]) -> str:
    """Return the correlation ids of a batch, each once: a search for any of them finds the line."""
    return " ".join(dict.fromkeys(delivery.correlation_id for delivery in deliveries))
