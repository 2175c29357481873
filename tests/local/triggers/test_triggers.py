"""The event source mapping and the schedule, over moto's FIFO queue."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, count, repeat
from typing import Any
from unittest.mock import Mock, call

import pytest

from local.functions.sandbox import Invocation, Outcome
from local.stack import LocalStack
from local.template import stack_template
from local.triggers import poller
from local.triggers.poller import Poller
from local.triggers.schedule import Schedule, UnsupportedScheduleError, next_time
from tests.local.toy_stack import TOY_TEMPLATE, eventually, toy_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with toy_stack() as running:
        yield running


class Queue:
    """A queue of the template's kind that no other test has used, and its poller."""

    def __init__(self, stack: LocalStack) -> None:
        self.sqs = stack.client("sqs")
        self.worker = stack.functions["WorkerFunction"]
        self.name = f"{uuid.uuid4().hex}.fifo"
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.url = self.sqs.create_queue(
            QueueName=self.name, Attributes=attributes | {"VisibilityTimeout": "1"}
        )["QueueUrl"]
        source = stack_template.load(TOY_TEMPLATE, {}).event_sources[0]
        self.poller = Poller(
            self.sqs, self.url, source, lambda event: self.worker.invoke(Invocation(event))
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

    def last_batch(self) -> Any:
        """The records that the worker was given last."""
        lines = self.worker.log.path.read_text().splitlines()
        return json.loads([line for line in lines if line.startswith('{"Records"')][-1])["Records"]


@pytest.fixture
def queue(stack: LocalStack) -> Queue:
    return Queue(stack)


def test_only_reported_messages_stay_and_come_again(queue: Queue) -> None:
    ids = [queue.send(order) for order in ({"n": 1}, {"n": 2, "fail": True}, {"n": 3})]
    assert queue.poller.poll_once() == 3
    assert [record["messageId"] for record in queue.last_batch()] == ids
    assert queue.left() == 1
    assert eventually(queue.poller.poll_once) == 1
    [again] = queue.last_batch()
    assert again["messageId"] == ids[1]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_record_has_the_form_that_lambda_gives_it(queue: Queue) -> None:
    attributes = {
        "Kind": {"DataType": "String", "StringValue": "x"},
        "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    message_id = queue.send({"n": 1}, MessageAttributes=attributes, MessageDeduplicationId="once")
    queue.poller.poll_once()
    [record] = queue.last_batch()
    system, told = record.pop("attributes"), record.pop("messageAttributes")
    assert len(record.pop("receiptHandle")) > 10
    assert record == {
        "messageId": message_id,
        "body": '{"n": 1}',
        "md5OfBody": "96d730b7a405ed0e9cb1068b43e06fe4",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.name}",
        "awsRegion": "us-east-1",
    }
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert told["Kind"] == lists | {"stringValue": "x", "dataType": "String"}
    assert told["Raw"] == lists | {"binaryValue": "AP8=", "dataType": "Binary"}
    assert (system["MessageGroupId"], system["MessageDeduplicationId"]) == ("toys", "once")
    assert (len(system["SentTimestamp"]), system["ApproximateReceiveCount"]) == (13, "1")
    assert system["SequenceNumber"].isdigit()


@pytest.mark.parametrize(
    ("order", "left"),
    [
        ({"raise": "no"}, 2),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": "nobody's"}]}}, 2),
        ({"answer": {"batchItemFailures": [{}]}}, 2),
        ({"answer": {"batchItemFailures": "all"}}, 2),
        ({"answer": "fine"}, 2),
        ({"answer": None}, 0),
        ({"answer": {"other": 1}}, 0),
        ({"answer": {"batchItemFailures": None}}, 0),
    ],
)
def test_a_failure_or_a_malformed_answer_keeps_everything_and_no_answer_keeps_nothing(
    queue: Queue, order: dict[str, Any], left: int
) -> None:
    queue.send(order)
    queue.send({"n": 2})
    assert queue.poller.poll_once() == 2
    assert queue.left() == left


def test_a_poller_that_meets_a_defect_says_so_and_goes_on(
    queue: Queue, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "PAUSE_AFTER_ERROR_SECONDS", 0)
    good = Outcome('{"batchItemFailures": []}', False, "1")
    queue.poller._invoke = Mock(side_effect=[RuntimeError("a defect"), good])
    queue.send({"n": 1})
    queue.poller.start()
    assert eventually(lambda: queue.left() == 0)
    queue.poller.stop()
    assert "RuntimeError: a defect" in capfd.readouterr().err


def test_the_schedule_sends_its_input_to_its_group(stack: LocalStack, queue: Queue) -> None:
    stack.schedules[0].fire()
    assert stack.pollers[0].poll_once() == 1
    [record] = queue.last_batch()
    assert record["body"] == '{"refresh": true}'
    assert record["attributes"]["MessageGroupId"] == "toys"


NOW = datetime(2026, 11, 26, 23, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "when"),
    [
        ("rate(1 minute)", "2026-11-26 23:05:30"),
        ("rate(6 hours)", "2026-11-27 05:04:30"),
        ("rate(2 days)", "2026-11-28 23:04:30"),
        ("cron(5 0/6 * * ? *)", "2026-11-27 00:05:00"),
        ("cron(5 * * * ? *)", "2026-11-26 23:05:00"),
        ("cron(0/15 * ? * * *)", "2026-11-26 23:15:00"),
        ("cron(4 23 * * ? *)", "2026-11-27 23:04:00"),
        ("cron(0,30 5,7 * * ? *)", "2026-11-27 05:00:00"),
    ],
)
def test_a_schedule_fires_next_as_eventbridge_would(expression: str, when: str) -> None:
    assert next_time(expression, NOW).strftime("%Y-%m-%d %H:%M:%S") == when


@pytest.mark.parametrize(
    "expression",
    ["cron(0 6 ? * MON *)", "cron(0 6 1 * ? *)", "cron(60 6 * * ? *)", "cron(5 6-8 * * ? *)", "x"],
)
def test_what_is_not_run_locally_is_told(expression: str) -> None:
    with pytest.raises(UnsupportedScheduleError, match="not run locally"):
        next_time(expression, NOW)


def test_the_clock_survives_a_failure_and_fires_at_each_time_unless_disabled(
    capfd: pytest.CaptureFixture[str],
) -> None:
    a_moment_before = NOW.replace(second=59, microsecond=990_000)
    now = (a_moment_before + timedelta(minutes=minute) for minute in count())
    sqs = Mock(send_message=Mock(side_effect=chain([KeyError("a defect")], repeat({}))))
    is_enabled = Mock(side_effect=chain([True] * 3, repeat(False)))
    target = {"MessageBody": "now"}
    clock = Schedule(sqs, "cron(* * * * ? *)", [target], is_enabled, lambda: next(now))
    clock.start()
    assert eventually(lambda: is_enabled.call_count >= 5)
    clock.stop()
    assert sqs.send_message.mock_calls == [call(**target)] * 3
    assert "KeyError" in capfd.readouterr().err
