"""SQS event records as deliveries."""

from datetime import UTC, datetime

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from core.model.messages import MESSAGE_GROUP
from core.rebuilding.delivery import Delivery


def delivery_of(record: SQSRecord) -> Delivery:
    """Read what the worker needs of a record; SentTimestamp is in milliseconds."""
    sent_ms = int(record.attributes.sent_timestamp)
    return Delivery(
        message_id=record.message_id,
        body=record.body,
        receipt_handle=record.receipt_handle,
        receives=int(record.attributes.approximate_receive_count),
        sent_at=datetime.fromtimestamp(sent_ms / 1000, UTC),
        group=record.attributes.message_group_id or MESSAGE_GROUP,
    )
