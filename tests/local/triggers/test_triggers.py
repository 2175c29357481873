"""The event source mapping and the schedule, over moto's FIFO queue."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.functions.sandbox import Invocation, Outcome
from local.stack import LocalStack
from local.template import stack_template
from local.triggers import poller
from local.triggers.poller import Poller, reported_failures
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
        self.name = f"{uuid.uuid4().hex}.fifo"
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.url = self.sqs.create_queue(
            QueueName=self.name, Attributes=attributes | {"VisibilityTimeout": "1"}
        )["QueueUrl"]
        worker = stack.functions["WorkerFunction"]
        source = stack_template.load(TOY_TEMPLATE, {}).event_sources[0]
        self.poller = Poller(
            self.sqs, self.url, source, lambda event: worker.invoke(Invocation(event))
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
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "messageId": message_id,
        "body": '{"n": 1}',
        "messageAttributes": {
            "Kind": {**lists, "stringValue": "x", "dataType": "String"},
            "Raw": {**lists, "binaryValue": "AP8=", "dataType": "Binary"},
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
        {"answer": {"batchItemFailures": [{}]}},
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
    assert reported_failures(result, {"1"}) == set()
    queue.send({"answer": result})
    assert queue.poller.poll_once() == 1
    assert queue.left() == 0


def test_the_schedule_sends_its_input_to_its_group(stack: LocalStack) -> None:
    stack.schedules[0].fire()
    assert stack.pollers[0].poll_once() == 1
    record = last_event(stack)["Records"][0]
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


class FailingQueue:
    """Takes messages, but for the first one."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tries = 0

    def send_message(self, **message: str) -> None:
        self.tries += 1
        if self.tries == 1:
            raise KeyError("a defect")
        self.sent.append(message["MessageBody"])


class Times:
    """A clock that jumps from one moment before a full minute to the next one's."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 26, 12, 0, 59, 990_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


def test_the_clock_survives_a_failure_and_fires_at_each_time(
    capfd: pytest.CaptureFixture[str],
) -> None:
    queue = FailingQueue()
    target = {"MessageBody": "now"}
    clock = Schedule(queue, "cron(* * * * ? *)", [target], lambda: True, Times())
    clock.start()
    assert eventually(lambda: len(queue.sent) >= 2)
    clock.stop()
    assert "KeyError" in capfd.readouterr().err


def test_a_rule_that_is_disabled_sends_nothing() -> None:
    queue = FailingQueue()
    asked = []
    clock = Schedule(queue, "cron(* * * * ? *)", [], lambda: bool(asked.append(1)), Times())
    clock._targets.append({"MessageBody": "now"})
    clock.start()
    assert eventually(lambda: len(asked) >= 2)
    clock.stop()
    assert queue.tries == 0


def test_a_poller_that_meets_a_defect_says_so_and_goes_on(
    queue: Queue, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "PAUSE_AFTER_ERROR_SECONDS", 0)
    outcomes = iter([RuntimeError("a defect"), Outcome('{"batchItemFailures": []}', False, "1")])

    def invoke(_: str) -> Outcome:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    queue.poller._invoke = invoke
    queue.send({"n": 1})
    queue.poller.start()
    assert eventually(lambda: queue.left() == 0)
    queue.poller.stop()
    assert "RuntimeError: a defect" in capfd.readouterr().err
