"""The queues, what feeds them, and what the worker is called with."""

from datetime import date

import pytest

from core.model.messages import MAX_RECEIVES, MESSAGE_GROUP, parse_message
from tests.template.stack import stack


def queue():
    return stack().properties("RebuildQueue")


@pytest.mark.parametrize("name", ["RebuildQueue", "DeadLetterQueue"])
def test_queue_is_an_encrypted_fifo_that_drops_repeated_content_and_keeps_messages_longest(name):
    """A rule gives no deduplication id: without content-based deduplication SQS refuses its own."""
    properties = stack().properties(name)
    assert properties["FifoQueue"] is properties["ContentBasedDeduplication"] is True
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_rebuild_queue_gives_up_after_as_many_receives_as_the_worker():
    """Fewer, and the queue would take a message before the worker could tell why it failed."""
    assert queue()["RedrivePolicy"] == {
        "deadLetterTargetArn": "${DeadLetterQueue.Arn}",
        "maxReceiveCount": MAX_RECEIVES,
    }


def test_dead_letter_queue_takes_from_the_rebuild_queue_only():
    allowed = stack().properties("DeadLetterQueue")["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    [source] = allowed["sourceQueueArns"]
    assert source.endswith(":" + queue()["QueueName"])


def test_visibility_is_at_least_six_worker_timeouts():
    assert queue()["VisibilityTimeout"] >= 6 * stack().properties("WorkerFunction")["Timeout"]


def test_worker_takes_ten_messages_and_reports_failures_one_by_one():
    [mapping] = stack().of_type("AWS::Lambda::EventSourceMapping").values()
    assert mapping["EventSourceArn"] == "${RebuildQueue.Arn}"
    assert mapping["FunctionName"] == "${WorkerFunction}"
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_schedule_sends_what_the_worker_understands_to_its_queue_in_the_common_group():
    rule = stack(RefreshExpression="rate(2 hours)").properties("RefreshSchedule")
    [target] = rule["Targets"]
    message = parse_message(target["Input"], date(2026, 10, 15))
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(2 hours)", "ENABLED")
    assert target["Arn"] == "${RebuildQueue.Arn}"
    assert target["SqsParameters"] == {"MessageGroupId": MESSAGE_GROUP}
    assert MESSAGE_GROUP == "mips"  # operators' commands name it, too
    assert (message.selection.name, message.reason) == ("all", "schedule")


def test_default_ttls_outlast_the_default_schedule():
    worker = stack().properties("WorkerFunction")["Environment"]["Variables"]
    ttls = [int(worker[f"{dataset}_TTL_SECONDS"]) for dataset in ("PROGRAMS", "BALANCES")]
    assert stack().properties("RefreshSchedule")["ScheduleExpression"] == "cron(5 0/6 * * ? *)"
    assert min(ttls) > 6 * 3600
