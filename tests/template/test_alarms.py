"""What rings, when, and what the person who is woken by it reads."""

import math
import re

import pytest

from core.errors import (
    AmbiguousLoginError,
    LockedOutError,
    RequestNotTakenError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.messages import MAX_RECEIVES
from core.rebuilding.delays import retry_delay_seconds
from tests.template.metrics import VALUES, Watched
from tests.template.stack import TEMPLATE, stack

TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
OVERDUE = ("ProgramsOverdueAlarm", "BalancesOverdueAlarm")
# In the order of the runbook, where each section says what to do.
SECTIONS = {
    "DeadLettersAlarm": "Dead letters",
    "OldestMessageAlarm": "Messages wait too long",
    "WorkerErrorsAlarm": "The worker fails",
    "WorkerThrottlesAlarm": "The worker is throttled",
    "ReaderServerErrorsAlarm": "Readers get server errors",
    "ProgramsOverdueAlarm": "Nothing was rebuilt",
    "BalancesOverdueAlarm": "Nothing was rebuilt",
    "CredentialsRefusedAlarm": "Credentials refused",
    "SessionRecoveredAlarm": "A session was recovered",
    "ScheduleFailedAlarm": "The schedule failed",
}
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

every_alarm = pytest.mark.parametrize("name", SECTIONS)


def properties(name):
    return stack().properties(name)


def watched_by(name):
    alarm = properties(name)
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
    return Watched(alarm["Namespace"], alarm["MetricName"], dimensions, alarm["Statistic"])


ANY_ERROR = (LockedOutError, AmbiguousLoginError, RequestNotTakenError, TransientUpstreamError)


def pauses(error):
    """Return all pauses, in seconds, between the receives of a message that meets an error."""
    return sum(retry_delay_seconds(error, number, 0) for number in range(1, MAX_RECEIVES))


def test_every_alarm_has_a_section_of_the_runbook_in_its_order():
    runbook = (TEMPLATE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", runbook, flags=re.MULTILINE)

    assert set(stack().of_type("AWS::CloudWatch::Alarm")) == set(SECTIONS)
    assert [heading for heading in headings if heading in SECTIONS.values()] == list(
        dict.fromkeys(SECTIONS.values())
    )


@every_alarm
def test_alarm_watches_its_own_metric_which_somebody_emits(name):
    watched = watched_by(name)

    assert (watched.name, *sorted(watched.dimensions.values())) == (
        WATCHED[name][0],
        *sorted(WATCHED[name][1:]),
    )
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
    alarm = properties(name)
    limit = 7 * 86400 if alarm["Period"] >= 3600 else 86400

    assert alarm["Period"] * int(alarm["EvaluationPeriods"]) <= limit


@every_alarm
def test_alarm_says_in_a_sentence_what_happened_and_where_to_read_on(name):
    described = re.fullmatch(
        r'[A-Z][^.]+\. Runbook: docs/operations\.md, "(.+)"', properties(name)["AlarmDescription"]
    )

    assert described
    assert described[1] == SECTIONS[name]


def test_alarms_have_names_of_their_own_that_begin_with_the_stacks():
    names = {properties(name)["AlarmName"] for name in SECTIONS}

    assert len(names) == len(SECTIONS)
    assert all(name.startswith("${AWS::StackName}-") for name in names)


@every_alarm
def test_alarm_tells_the_topic_when_it_goes_on_and_off_and_nobody_without_a_topic(name):
    told = stack(AlarmTopicArn=TOPIC).properties(name)

    assert told["AlarmActions"] == told["OKActions"] == [TOPIC]
    assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & set(properties(name))


def test_no_retry_and_no_killed_worker_makes_the_oldest_message_alarm_ring():
    time_out = properties("WorkerFunction")["Timeout"]
    invisible = properties("RebuildQueue")["VisibilityTimeout"]

    longest_pauses = max(pauses(error("", math.inf)) for error in ANY_ERROR)

    longest = MAX_RECEIVES * time_out + longest_pauses + invisible

    assert longest <= properties("OldestMessageAlarm")["Threshold"]


def test_readers_of_one_entry_that_is_being_retried_do_not_ring():
    """The pauses between receives fit into a period, so their 503s touch two at most.

    A lock-out takes longer: if readers have nothing to be served meanwhile, somebody should know.
    """
    alarm = properties("ReaderServerErrorsAlarm")

    assert pauses(UpstreamDataError("")) < alarm["Period"]
    assert alarm["DatapointsToAlarm"] > 2


@pytest.mark.parametrize("name", OVERDUE)
def test_overdue_alarm_counts_as_many_hours_as_the_installer_says(name):
    alarm = stack(OverdueAlarmHours="48").properties(name)

    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, "48")
    assert "for 48 hours." in alarm["AlarmDescription"]


def test_api_of_the_alarm_is_the_one_that_is_deployed():
    [stage] = stack().of_type("AWS::ApiGateway::Stage").values()

    assert {properties("Api")["Name"]} == VALUES["ApiName"]
    assert {stage["StageName"]} == VALUES["Stage"]


def test_service_of_a_metric_is_the_name_of_its_function():
    """Powertools is given AWS_LAMBDA_FUNCTION_NAME; a Ref to the function gives the same name."""
    assert properties("WorkerFunction")["FunctionName"] == "${AWS::StackName}-worker"
    assert properties("ReaderFunction")["FunctionName"] == "${AWS::StackName}-reader"
