"""A look into a queue that nobody notices.

To receive is to hide a message from everybody else, and moto keeps every receipt handle it ever
gave. Its backend is in this process, so it can be asked instead.
"""

from collections.abc import Mapping
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
    receives: int
    visible_at: datetime
    """In the past where it is not hidden."""
    attributes: dict[str, str]


def messages_in(queue_url: str) -> list[StoredMessage]:
    """What a queue holds, the oldest first."""
    return [_stored(message) for message in list(_queue(queue_url)._messages)]


def release(queue_url: str, finished: Mapping[str, int]) -> int:
    """Make the messages that are held back visible now; how many there were.

    `finished` is by id the last receive that has come to its end: what was received once more is
    at work. SQS wants a receipt handle for that, which only the poller has.
    """
    held = [
        message
        for message in list(_queue(queue_url)._messages)
        if not message.visible and message.approximate_receive_count <= finished.get(message.id, 0)
    ]
    for message in held:
        message.change_visibility(0)
    return len(held)


def _queue(queue_url: str) -> Any:
    return sqs_backends[ACCOUNT_ID][REGION].get_queue(queue_url.rpartition("/")[2])


def _stored(message: Any) -> StoredMessage:
    attributes = {
        name: str(value.get("string_value", value.get("StringValue", "")))
        for name, value in message.message_attributes.items()
    }
    return StoredMessage(
        message_id=message.id,
        body=message.body,
        sent_at=_time(message.sent_timestamp),
        receives=message.approximate_receive_count,
        visible_at=_time(message.visible_at),
        attributes=attributes,
    )


def _time(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
