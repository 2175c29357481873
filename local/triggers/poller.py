"""Lambda's event source mapping for a queue: receive, invoke, delete what did not fail."""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.clients import REGION
from local.functions.functions import StoppedError
from local.functions.sandbox import Outcome
from local.standard_error import write_error
from local.template.stack_template import EventSource

# Lambda waits 20 s a poll; a shorter one lets stopping be prompt.
POLL_SECONDS = 1
PAUSE_AFTER_ERROR_SECONDS = 1.0


class Poller:
    """Feeds one function from one queue, a batch at a time, in a thread of its own.

    `invoke` runs the function with an event as JSON text and waits for the outcome.
    """

    def __init__(
        self,
        sqs: Any,
        queue_url: str,
        source: EventSource,
        invoke: Callable[[str], Outcome],
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._source = source
        self._invoke = invoke
        self.finished: dict[str, int] = {}
        """By message id, the last receive after which the function was done and did not succeed."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"poller of {source.queue}")
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        self._queue_arn = attributes["Attributes"]["QueueArn"]

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def request_stop(self) -> None:
        """Take no further batch; what runs goes on."""
        self._stopping.set()

    def stop(self) -> None:
        """Take no further batch, and wait for the one that runs."""
        self.request_stop()
        if self._thread.is_alive():
            self._thread.join()

    def poll_once(self) -> int:
        """Receive one batch, if there is one, and have it done; the number of messages."""
        messages = self._receive()
        if not messages:
            return 0
        records = [to_record(message, self._queue_arn) for message in messages]
        outcome = self._invoke(json.dumps({"Records": records}))
        failed = self._failed(outcome, {message["MessageId"] for message in messages})
        self._delete([message for message in messages if message["MessageId"] not in failed])
        self.finished |= {
            record["messageId"]: int(record["attributes"]["ApproximateReceiveCount"])
            for record in records
            if record["messageId"] in failed
        }
        return len(messages)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.poll_once()
            except StoppedError:
                return
            except Exception as exc:  # noqa: BLE001 - whatever it is, the queue is polled on
                self._report(f"{type(exc).__name__}: {exc}")
                self._stopping.wait(PAUSE_AFTER_ERROR_SECONDS)

    def _receive(self) -> list[dict[str, Any]]:
        reply = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(self._source.batch_size, 10),
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = reply.get("Messages", [])
        return messages

    def _failed(self, outcome: Outcome, received: set[str]) -> set[str]:
        """The ids of the messages that stay in the queue until they become visible again."""
        if outcome.failed:
            self._report(f"the batch failed: {outcome.payload}")
            return received
        if not self._source.reports_item_failures:
            return set()
        try:
            return reported_failures(json.loads(outcome.payload), received)
        except ValueError as exc:
            self._report(f"the whole batch counts as failed: {exc}")
            return received

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        if not messages:
            return
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
        ]
        reply = self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        for refused in reply.get("Failed", []):
            self._report(f"a message could not be deleted: {refused}")

    def _report(self, text: str) -> None:
        if self._stopping.is_set():
            return  # what stopping itself brought about is no news
        write_error(f"poller: {self._source.function}: {text}")


def to_record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """A received message as Lambda puts it into an event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def reported_failures(result: Any, received: set[str]) -> set[str]:
    """The item identifiers of a partial batch response; none if everything succeeded.

    Raises ValueError if the response is malformed, or names a message that was not received,
    which Lambda takes for a failed batch.
    """
    if result is None:
        return set()
    items = result.get("batchItemFailures") or [] if isinstance(result, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("the result is no partial batch response")
    failed = {item.get("itemIdentifier") for item in items}
    if not failed <= received:
        raise ValueError(f"batchItemFailures names no received message: {result}")
    return failed


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute | {"dataType": value["DataType"]}
