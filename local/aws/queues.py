"""A look into a queue that nobody notices.

To receive is to hide a message from everybody else, and moto keeps every receipt handle it ever
gave. Its backend is in this process, so it can be asked instead.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.sqs.models import sqs_backends

from local.aws.clients import ACCOUNT_ID, REGION


@dataclass(frozen=True)
class StoredMessage:
    """A message in a queue, whether visible or in flight."""

    message_id: str
    body: str
    sent_at: datetime
    attributes: dict[str, str]


def messages_in(queue_url: str) -> list[StoredMessage]:
    """What a queue holds, the oldest first."""
    queue = sqs_backends[ACCOUNT_ID][REGION].get_queue(queue_url.rpartition("/")[2])
    return [_stored(message) for message in list(queue._messages)]


def _stored(message: Any) -> StoredMessage:
    attributes = {
        name: str(value.get("string_value", value.get("StringValue", "")))
        for name, value in message.message_attributes.items()
    }
    sent_at = datetime.fromtimestamp(int(message.sent_timestamp) / 1000, UTC)
    return StoredMessage(message.id, message.body, sent_at, attributes)
