"""A look into a queue leaves no trace there, and what is held back can be let go."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws.queues import messages_in, release


class Queue:
    """A queue with two messages of one group."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        made = self.sqs.create_queue(QueueName="letters.fifo", Attributes={"FifoQueue": "true"})
        self.url = made["QueueUrl"]
        for number in "12":
            self.sqs.send_message(
                QueueUrl=self.url,
                MessageBody=number,
                MessageGroupId="g",
                MessageDeduplicationId=number,
                MessageAttributes={"ErrorType": {"DataType": "String", "StringValue": "E"}},
            )

    def receive(self) -> list[Any]:
        received = self.sqs.receive_message(QueueUrl=self.url, VisibilityTimeout=90)
        return list(received.get("Messages", []))


@pytest.fixture
def queue() -> Iterator[Queue]:
    with mock_aws():
        yield Queue()


def test_looking_at_a_queue_receives_nothing_and_sees_also_what_is_in_flight(queue: Queue) -> None:
    assert [(each.body, each.receives) for each in messages_in(queue.url)] == [("1", 0), ("2", 0)]
    [received] = queue.receive()
    hidden, visible = messages_in(queue.url)
    assert (hidden.message_id, hidden.attributes) == (received["MessageId"], {"ErrorType": "E"})
    assert hidden.receives == 1
    now = datetime.now(UTC)
    assert hidden.visible_at - now > timedelta(seconds=80)
    assert visible.visible_at < now


def test_a_message_that_is_held_back_is_released_unless_it_is_at_work(queue: Queue) -> None:
    [first] = queue.receive()
    # It holds up its group.
    assert queue.receive() == []
    finished = {first["MessageId"]: 1}
    assert [release(queue.url, finished=done) for done in ({}, finished, finished)] == [0, 1, 0]
    [again] = queue.receive()
    assert again["Body"] == "1"
    assert release(queue.url, finished) == 0
