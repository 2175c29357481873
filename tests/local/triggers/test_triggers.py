"""The event source mapping and the schedule, over moto's FIFO queue."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local.functions.sandbox import Request
from local.stack import LocalStack
from local.template import stack_template
from local.triggers import schedule
from local.triggers.poller import Poller, reported_failures
from local.triggers.schedule import UnsupportedScheduleError, interval_seconds
from tests.local.toy_stack import TOY_TEMPLATE, eventually, toy_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with toy_stack() as running:
        yield running


class Queue:
    """A queue of the template's kind that no other test has used, and its poller."""

    def __init__(self, stack: LocalStack) -> None:
        self.sqs = stack.client("sqs")
        self.name = f"{uuid.uuid4().hex}.fifo"
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.url = self.sqs.create_queue(
            QueueName=self.name, Attributes=attributes | {"VisibilityTimeout": "1"}
        )["QueueUrl"]
        worker = stack.functions["WorkerFunction"]
        source = stack_template.load(TOY_TEMPLATE, {}).event_sources[0]
        self.poller = Poller(
            self.sqs, self.url, source, lambda event: worker.invoke(Request(event))
        )

    def send(self, order: dict[str, Any], **more: Any) -> str:
        sent = self.sqs.send_message(
            QueueUrl=self.url, MessageBody=json.dumps(order), MessageGroupId="toys", **more
        )
        return str(sent["MessageId"])

    def left(self) -> int:
        """Messages that were not deleted, whether visible or in flight."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(found["Attributes"][name]) for name in names)


@pytest.fixture
def queue(stack: LocalStack) -> Queue:
    return Queue(stack)


def last_event(stack: LocalStack) -> dict[str, Any]:
    lines = stack.functions["WorkerFunction"].log.path.read_text().splitlines()
    return json.loads([line for line in lines if line.startswith('{"Records"')][-1])


def test_only_reported_messages_stay_and_come_again(stack: LocalStack, queue: Queue) -> None:
    ids = [queue.send(order) for order in ({"n": 1}, {"n": 2, "fail": True}, {"n": 3})]
    assert queue.poller.poll_once() == 3
    assert [record["messageId"] for record in last_event(stack)["Records"]] == ids
    assert queue.left() == 1
    assert eventually(queue.poller.poll_once) == 1
    again = last_event(stack)["Records"][0]
    assert again["messageId"] == ids[1]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_batch_is_no_larger_than_the_template_says(stack: LocalStack, queue: Queue) -> None:
    for n in range(4):
        queue.send({"n": n})
    assert [queue.poller.poll_once(), queue.poller.poll_once()] == [3, 1]
    assert queue.left() == 0


def test_a_record_has_the_form_that_lambda_gives_it(stack: LocalStack, queue: Queue) -> None:
    attributes = {
        "Kind": {"DataType": "String", "StringValue": "x"},
        "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    message_id = queue.send({"n": 1}, MessageAttributes=attributes, MessageDeduplicationId="once")
    queue.poller.poll_once()
    record = last_event(stack)["Records"][0]
    system = record.pop("attributes")
    assert len(record.pop("receiptHandle")) > 10
    assert record == {
        "messageId": message_id,
        "body": '{"n": 1}',
        "messageAttributes": {
            "Kind": {
                "stringListValues": [],
                "binaryListValues": [],
                "stringValue": "x",
                "dataType": "String",
            },
            "Raw": {
                "stringListValues": [],
                "binaryListValues": [],
                "binaryValue": "AP8=",
                "dataType": "Binary",
            },
        },
        "md5OfBody": "96d730b7a405ed0e9cb1068b43e06fe4",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.name}",
        "awsRegion": "us-east-1",
    }
    assert (system["MessageGroupId"], system["MessageDeduplicationId"]) == ("toys", "once")
    assert (len(system["SentTimestamp"]), system["ApproximateReceiveCount"]) == (13, "1")
    assert system["SequenceNumber"].isdigit()


@pytest.mark.parametrize(
    "order",
    [
        {"raise": "no"},
        {"answer": {"batchItemFailures": [{"itemIdentifier": "nobody's"}]}},
        {"answer": {"batchItemFailures": [{"itemIdentifier": ""}]}},
        {"answer": {"batchItemFailures": [{}]}},
        {"answer": {"batchItemFailures": "all"}},
        {"answer": "fine"},
    ],
)
def test_a_failed_function_or_a_malformed_answer_deletes_nothing(
    stack: LocalStack, queue: Queue, order: dict[str, Any]
) -> None:
    queue.send(order)
    queue.send({"n": 2})
    assert queue.poller.poll_once() == 2
    assert queue.left() == 2


@pytest.mark.parametrize("result", [None, {}, {"batchItemFailures": None}, {"other": 1}])
def test_an_answer_without_failures_deletes_everything(
    stack: LocalStack, queue: Queue, result: Any
) -> None:
    assert reported_failures(result) == set()
    queue.send({"answer": result})
    assert queue.poller.poll_once() == 1
    assert queue.left() == 0


def test_an_empty_queue_invokes_nothing(stack: LocalStack, queue: Queue) -> None:
    invoked = stack.functions["WorkerFunction"].log.path.stat().st_size
    assert queue.poller.poll_once() == 0
    assert stack.functions["WorkerFunction"].log.path.stat().st_size == invoked


def test_the_schedule_sends_its_input_to_its_group(stack: LocalStack) -> None:
    stack.schedules[0].fire()
    assert stack.pollers[0].poll_once() == 1
    record = last_event(stack)["Records"][0]
    assert record["body"] == '{"refresh": true}'
    assert record["attributes"]["MessageGroupId"] == "toys"


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(6 hours)", 21600), ("rate(2 days)", 172800)],
)
def test_a_rate_is_so_many_seconds(expression: str, seconds: int) -> None:
    assert interval_seconds(expression) == seconds


def test_a_cron_expression_is_not_run_locally() -> None:
    with pytest.raises(UnsupportedScheduleError, match="only rate"):
        interval_seconds("cron(0 6 * * ? *)")


class RecordingQueue:
    """Takes messages, and nothing else that a queue can do."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_message(self, **message: str) -> None:
        self.sent.append(message["MessageBody"])


def test_the_clock_fires_every_interval_and_not_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(schedule.UNIT_SECONDS, "minute", 0.2)
    queue = RecordingQueue()
    target = schedule.QueueTarget("url", "now", "group")
    clock = schedule.Schedule(queue, "rate(1 minute)", [target])
    clock.start()
    assert queue.sent == []
    assert eventually(lambda: len(queue.sent) >= 2)
    clock.stop()
    assert set(queue.sent) == {"now"}
