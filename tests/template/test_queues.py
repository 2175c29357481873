"""The queues, what feeds them, and what the worker is called with."""

from datetime import date

import pytest

from core.model.messages import MAX_RECEIVES, MESSAGE_GROUP, parse_message
from tests.template.stack import stack

QUEUES = ("RebuildQueue", "DeadLetterQueue")
FOURTEEN_DAYS = 14 * 24 * 3600


def target():
    [only] = stack().properties("RefreshSchedule")["Targets"]
    return only


def mapping():
    [only] = stack().of_type("AWS::Lambda::EventSourceMapping").values()
    return only


@pytest.mark.parametrize("queue", QUEUES)
def test_queue_is_fifo_and_drops_repeated_content(queue):
    properties = stack().properties(queue)

    assert properties["FifoQueue"] is True
    assert properties["ContentBasedDeduplication"] is True
    assert properties["QueueName"].endswith(".fifo")


@pytest.mark.parametrize("queue", QUEUES)
def test_queue_is_encrypted_and_keeps_messages_for_14_days(queue):
    assert stack().properties(queue)["SqsManagedSseEnabled"] is True
    assert stack().properties(queue)["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_rebuild_queue_gives_up_after_as_many_receives_as_the_worker():
    """Fewer, and the queue would take a message before the worker could tell why it failed."""
    assert stack().properties("RebuildQueue")["RedrivePolicy"] == {
        "deadLetterTargetArn": "${DeadLetterQueue.Arn}",
        "maxReceiveCount": MAX_RECEIVES,
    }


def test_dead_letter_queue_takes_from_the_rebuild_queue_only():
    allowed = stack().properties("DeadLetterQueue")["RedriveAllowPolicy"]
    [source] = allowed["sourceQueueArns"]

    assert allowed["redrivePermission"] == "byQueue"
    assert source.endswith(":" + stack().properties("RebuildQueue")["QueueName"])


def test_visibility_is_at_least_six_worker_timeouts():
    visibility = stack().properties("RebuildQueue")["VisibilityTimeout"]

    assert visibility >= 6 * stack().properties("WorkerFunction")["Timeout"]


def test_worker_takes_ten_messages_and_reports_failures_one_by_one():
    assert mapping()["EventSourceArn"] == "${RebuildQueue.Arn}"
    assert mapping()["FunctionName"] == "${WorkerFunction}"
    assert mapping()["BatchSize"] == 10
    assert mapping()["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_schedule_sends_to_the_rebuild_queue_in_the_common_group():
    assert target()["Arn"] == "${RebuildQueue.Arn}"
    assert target()["SqsParameters"] == {"MessageGroupId": MESSAGE_GROUP}
    assert MESSAGE_GROUP == "mips"  # operators' commands name it, too


def test_schedule_sends_no_deduplication_id_so_the_queue_makes_one_of_the_content():
    """A rule cannot give one; without content-based deduplication SQS would refuse its messages."""
    assert stack().properties("RebuildQueue")["ContentBasedDeduplication"] is True
    assert set(target()) == {"Id", "Arn", "Input", "SqsParameters"}


def test_schedule_asks_for_everything_in_words_that_the_worker_understands():
    message = parse_message(target()["Input"], date(2026, 10, 15))

    assert (message.selection.name, message.reason) == ("all", "schedule")


def test_schedule_follows_the_parameter():
    rule = stack(RefreshExpression="rate(2 hours)").properties("RefreshSchedule")

    assert rule["ScheduleExpression"] == "rate(2 hours)"
    assert rule["State"] == "ENABLED"


def test_rebuild_queue_lets_only_the_schedule_send():
    statements = stack().properties("RebuildQueuePolicy")["PolicyDocument"]["Statement"]
    [allowed] = [statement for statement in statements if statement["Effect"] == "Allow"]

    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Resource"] == "${RebuildQueue.Arn}"
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": "${RefreshSchedule.Arn}"}}


def test_default_ttls_outlast_the_default_schedule():
    schedule_seconds = 6 * 3600
    worker = stack().properties("WorkerFunction")["Environment"]["Variables"]

    assert stack().properties("RefreshSchedule")["ScheduleExpression"] == "cron(5 0/6 * * ? *)"
    assert worker["PROGRAMS_TTL_SECONDS"] > schedule_seconds
    assert worker["BALANCES_TTL_SECONDS"] > schedule_seconds
