"""A look into a queue leaves no trace there, and what is held back can be let go."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws.queues import messages_in, release


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """A queue with two messages of one group."""
    made = sqs.create_queue(QueueName="letters.fifo", Attributes={"FifoQueue": "true"})
    for number in "12":
        sqs.send_message(
            QueueUrl=made["QueueUrl"],
            MessageBody=number,
            MessageGroupId="g",
            MessageDeduplicationId=number,
            MessageAttributes={"ErrorType": {"DataType": "String", "StringValue": "E"}},
        )
    return str(made["QueueUrl"])


def receive(sqs: Any, url: str) -> list[Any]:
    received = sqs.receive_message(QueueUrl=url, VisibilityTimeout=90, AttributeNames=["All"])
    found: list[Any] = received.get("Messages", [])
    return found


def test_looking_at_a_queue_receives_nothing_and_sees_also_what_is_in_flight(
    sqs: Any, url: str
) -> None:
    assert [(found.body, found.receives) for found in messages_in(url)] == [("1", 0), ("2", 0)]
    [received] = receive(sqs, url)
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"
    hidden, visible = messages_in(url)
    assert (hidden.message_id, hidden.attributes) == (received["MessageId"], {"ErrorType": "E"})
    assert hidden.receives == 1
    now = datetime.now(UTC)
    assert hidden.visible_at - now > timedelta(seconds=80)
    assert visible.visible_at < now


def test_a_message_that_is_held_back_is_released_unless_it_is_at_work(sqs: Any, url: str) -> None:
    [first] = receive(sqs, url)
    # It holds up its group.
    assert receive(sqs, url) == []
    assert release(url, finished={}) == 0
    assert release(url, finished={first["MessageId"]: 1}) == 1
    assert release(url, finished={first["MessageId"]: 1}) == 0
    [again] = receive(sqs, url)
    assert again["Body"] == "1"
    assert release(url, finished={first["MessageId"]: 1}) == 0
