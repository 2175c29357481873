"""What rings, when, and what the person who is woken by it reads."""

import math
import re

import pytest

from core import errors
from core.model.messages import MAX_RECEIVES
from core.rebuilding.delays import retry_delay_seconds
from tests.template.metrics import VALUES, Watched
from tests.template.stack import TEMPLATE, document, stack

TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
OVERDUE = ("ProgramsOverdueAlarm", "BalancesOverdueAlarm")
# What each alarm watches, and of what: the metric alone does not say of which queue or function.
WATCHED = {
    "DeadLettersAlarm": ("ApproximateNumberOfMessagesVisible", "${DeadLetterQueue.QueueName}"),
    "OldestMessageAlarm": ("ApproximateAgeOfOldestMessage", "${RebuildQueue.QueueName}"),
    "WorkerErrorsAlarm": ("Errors", "${WorkerFunction}"),
    "WorkerThrottlesAlarm": ("Throttles", "${WorkerFunction}"),
    "ReaderServerErrorsAlarm": ("5XXError", "${AWS::StackName}", "Prod"),
    "ProgramsOverdueAlarm": ("Rebuilds", "${WorkerFunction}", "programs", "success"),
    "BalancesOverdueAlarm": ("Rebuilds", "${WorkerFunction}", "balances", "success"),
    "CredentialsRefusedAlarm": ("CredentialsRefused", "${WorkerFunction}"),
    "SessionRecoveredAlarm": ("SessionsRecovered", "${WorkerFunction}"),
    "ScheduleFailedAlarm": ("FailedInvocations", "${RefreshSchedule}"),
}
RETRIED = (
    errors.LockedOutError,
    errors.AmbiguousLoginError,
    errors.RequestNotTakenError,
    errors.TransientUpstreamError,
)

every_alarm = pytest.mark.parametrize("name", stack().of_type("AWS::CloudWatch::Alarm"))


def properties(name):
    return stack().properties(name)


def pauses(error):
    """Return all pauses, in seconds, between the receives of a message that meets an error."""
    return sum(retry_delay_seconds(error, number, 0) for number in range(1, MAX_RECEIVES))


@every_alarm
def test_alarm_watches_its_own_metric_which_somebody_emits(name):
    alarm = properties(name)
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
    watched = Watched(alarm["Namespace"], alarm["MetricName"], dimensions, alarm["Statistic"])
    assert {watched.name, *dimensions.values()} == set(WATCHED[name])
    assert watched.faults() == []


@every_alarm
def test_alarm_goes_on_at_the_first_bad_event_or_when_none_comes(name):
    """But the oldest message's, whose threshold is a time; silence is bad only for the overdue."""
    alarm = properties(name)
    expected = {
        **dict.fromkeys(OVERDUE, ("LessThanThreshold", 1, "breaching")),
        "DeadLettersAlarm": ("GreaterThanThreshold", 0, "notBreaching"),
        "OldestMessageAlarm": ("GreaterThanThreshold", 7200, "notBreaching"),
    }.get(name, ("GreaterThanOrEqualToThreshold", 1, "notBreaching"))
    found = (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"])
    assert found == expected


@every_alarm
def test_alarm_looks_back_no_further_than_cloudwatch_allows(name):
    """A week with periods of an hour or more, a day with shorter ones."""
    most_hours = document()["Parameters"]["OverdueAlarmHours"]["MaxValue"]
    alarm = stack(OverdueAlarmHours=str(most_hours)).properties(name)
    limit = 7 * 86400 if alarm["Period"] >= 3600 else 86400
    assert alarm["Period"] * int(alarm["EvaluationPeriods"]) <= limit


@every_alarm
def test_alarm_has_a_name_of_its_stack_and_says_in_a_sentence_what_happened(name):
    """After that, where to read on."""
    alarm = properties(name)
    sentence = r'[A-Z][^.]+\. Runbook: docs/operations\.md, ".+"'
    assert alarm["AlarmName"].startswith("${AWS::StackName}-")
    assert re.fullmatch(sentence, alarm["AlarmDescription"])


def test_sections_of_the_runbook_come_in_the_order_of_the_alarms():
    runbook = (TEMPLATE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    named = [properties(name)["AlarmDescription"].split('"')[1] for name in WATCHED]
    headings = re.findall(r"^## (.+)$", runbook, flags=re.MULTILINE)
    assert [heading for heading in headings if heading in named] == list(dict.fromkeys(named))


@every_alarm
def test_alarm_tells_the_topic_when_it_goes_on_and_off_and_nobody_without_a_topic(name):
    told = stack(AlarmTopicArn=TOPIC).properties(name)
    assert told["AlarmActions"] == told["OKActions"] == [TOPIC]
    assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & set(properties(name))


def test_no_retry_and_no_killed_worker_makes_the_oldest_message_alarm_ring():
    time_out = properties("WorkerFunction")["Timeout"]
    invisible = properties("RebuildQueue")["VisibilityTimeout"]
    longest_pauses = max(pauses(error("", math.inf)) for error in RETRIED)
    longest = MAX_RECEIVES * time_out + longest_pauses + invisible
    assert longest <= properties("OldestMessageAlarm")["Threshold"]


def test_readers_of_one_entry_that_is_being_retried_do_not_ring():
    """The pauses between receives fit into a period, so their 503s touch two at most.

    A lock-out takes longer: if readers have nothing to be served meanwhile, somebody should know.
    """
    alarm = properties("ReaderServerErrorsAlarm")
    assert pauses(errors.UpstreamDataError("")) < alarm["Period"]
    assert alarm["DatapointsToAlarm"] > 2


@pytest.mark.parametrize("name", OVERDUE)
def test_overdue_alarm_counts_as_many_hours_as_the_installer_says(name):
    alarm = stack(OverdueAlarmHours="48").properties(name)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, "48")
    assert "for 48 hours." in alarm["AlarmDescription"]


def test_names_in_the_dimensions_of_metrics_are_those_that_are_deployed():
    """Powertools is given AWS_LAMBDA_FUNCTION_NAME; a Ref to the function gives the same name."""
    [stage] = stack().of_type("AWS::ApiGateway::Stage").values()
    assert {properties("Api")["Name"]} == VALUES["ApiName"]
    assert {stage["StageName"]} == VALUES["Stage"]
    assert properties("WorkerFunction")["FunctionName"] == "${AWS::StackName}-worker"
    assert properties("ReaderFunction")["FunctionName"] == "${AWS::StackName}-reader"
