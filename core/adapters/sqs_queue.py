"""The rebuild queue and the dead-letter queue on SQS FIFO."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING

from core.adapters.aws_errors import translated
from core.errors import QueueUnavailableError
from core.model.messages import MESSAGE_GROUP, RebuildMessage
from core.ports import DeadLetter, QueueDepth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        MessageTypeDef,
    )

BATCH_LIMIT = 10
"""Most messages that one SQS request takes."""
LOOK_SECONDS = 120
"""How long a dead letter is hidden while it is looked at: as long as the admin can run."""
LOOK_WAIT_SECONDS = 1
"""A receive that waits asks all of SQS's servers; one that does not may miss messages."""


class _SqsQueue:
    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def depth(self) -> QueueDepth:
        """Ask for the approximate numbers of waiting and of hidden messages."""
        with translated(QueueUnavailableError, "SQS GetQueueAttributes"):
            attributes = self._sqs.get_queue_attributes(
                QueueUrl=self._queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        return QueueDepth(
            visible=int(attributes["ApproximateNumberOfMessages"]),
            in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _change_visibility(self, receipt_handles: Sequence[str], seconds: int) -> None:
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for number, handle in enumerate(receipt_handles)
        ]
        with translated(QueueUnavailableError, "SQS ChangeMessageVisibilityBatch"):
            response = self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url, Entries=entries
            )
        failed = response.get("Failed", [])
        if failed:
            raise QueueUnavailableError(
                f"SQS ChangeMessageVisibilityBatch: {failed[0].get('Code', 'unknown')}"
            )


class SqsRebuildQueue(_SqsQueue):
    """Implements RebuildQueue."""

    def send(self, message: RebuildMessage, deduplication_id: str) -> str:
        """Send a message to the one message group."""
        return self.send_again(message.to_body(), deduplication_id)

    def send_again(self, body: str, deduplication_id: str) -> str:
        """Send a body, whatever it says, to the one message group."""
        with translated(QueueUnavailableError, "SQS SendMessage"):
            return self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageGroupId=MESSAGE_GROUP,
                MessageDeduplicationId=deduplication_id,
            )["MessageId"]

    def delay(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Hide the messages for so many seconds from now."""
        self._change_visibility(receipt_handles, seconds)


class SqsDeadLetterQueue(_SqsQueue):
    """Implements DeadLetterQueue."""

    def send(
        self, body: str, attributes: Mapping[str, str], group: str, deduplication_id: str
    ) -> None:
        """Send a message with text attributes."""
        with translated(QueueUnavailableError, "SQS SendMessage"):
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=deduplication_id,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )

    def receive_batches(self) -> Iterator[Sequence[DeadLetter]]:
        """Receive until nothing more comes; of one message group that is ten at most."""
        while True:
            with translated(QueueUnavailableError, "SQS ReceiveMessage"):
                messages = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=BATCH_LIMIT,
                    VisibilityTimeout=LOOK_SECONDS,
                    WaitTimeSeconds=LOOK_WAIT_SECONDS,
                    MessageAttributeNames=["All"],
                    MessageSystemAttributeNames=["All"],
                ).get("Messages", [])
            if not messages:
                return
            yield list(map(_dead_letter, messages))

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """End the letters' visibility time-outs."""
        for chunk in batched(letters, BATCH_LIMIT, strict=False):
            self._change_visibility([letter.receipt_handle for letter in chunk], 0)

    def delete(self, letter: DeadLetter) -> None:
        """Delete one message."""
        with translated(QueueUnavailableError, "SQS DeleteMessage"):
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=letter.receipt_handle)


def _dead_letter(message: "MessageTypeDef") -> DeadLetter:
    system = message.get("Attributes", {})
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        receipt_handle=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
        receives=int(system["ApproximateReceiveCount"]),
        group=system.get("MessageGroupId", ""),
        attributes={
            name: value.get("StringValue", "")
            for name, value in message.get("MessageAttributes", {}).items()
        },
    )
