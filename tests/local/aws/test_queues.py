"""A look into a queue leaves no trace there."""

import boto3
from moto import mock_aws

from local.aws.queues import messages_in


def test_looking_at_a_queue_receives_nothing_and_sees_also_what_is_in_flight() -> None:
    with mock_aws():
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="letters.fifo", Attributes={"FifoQueue": "true"})[
            "QueueUrl"
        ]
        sent = sqs.send_message(
            QueueUrl=url,
            MessageBody="{}",
            MessageGroupId="g",
            MessageDeduplicationId="1",
            MessageAttributes={
                "ErrorType": {"DataType": "String", "StringValue": "LockedOutError"}
            },
        )
        before = messages_in(url)
        [received] = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
        assert received["Attributes"]["ApproximateReceiveCount"] == "1"
        assert messages_in(url) == before
        assert (before[0].message_id, before[0].body) == (sent["MessageId"], "{}")
        assert before[0].attributes == {"ErrorType": "LockedOutError"}
