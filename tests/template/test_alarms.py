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
OVERDUE = ["ProgramsOverdueAlarm", "BalancesOverdueAlarm"]
ALARMS = {
    # What it watches, when it goes on, for how many periods of how many, its part of the runbook.
    "DeadLettersAlarm": ("ApproximateNumberOfMessagesVisible > 0", 1, 1, "Dead letters"),
    "OldestMessageAlarm": ("ApproximateAgeOfOldestMessage > 7200", 1, 1, "Messages wait too long"),
    "WorkerErrorsAlarm": ("Errors >= 1", 1, 12, "The worker fails"),
    "WorkerThrottlesAlarm": ("Throttles >= 1", 2, 3, "The worker is throttled"),
    "ReaderServerErrorsAlarm": ("5XXError >= 1", 3, 6, "Readers get server errors"),
    "ProgramsOverdueAlarm": ("Rebuilds < 1", 12, 12, "Nothing was rebuilt"),
    "BalancesOverdueAlarm": ("Rebuilds < 1", 12, 12, "Nothing was rebuilt"),
    "CredentialsRefusedAlarm": ("CredentialsRefused >= 1", 1, 12, "Credentials refused"),
    "SessionRecoveredAlarm": ("SessionsRecovered >= 1", 1, 12, "A session was recovered"),
    "ScheduleFailedAlarm": ("FailedInvocations >= 1", 1, 12, "The schedule failed"),
}
OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
}

every_alarm = pytest.mark.parametrize("name", ALARMS)


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


def test_stack_has_these_alarms_and_no_others():
    assert set(stack().of_type("AWS::CloudWatch::Alarm")) == set(ALARMS)


@every_alarm
def test_alarm_watches_a_metric_that_somebody_emits(name):
    assert watched_by(name).faults() == []


@every_alarm
def test_alarm_goes_on_at_its_threshold(name):
    alarm = properties(name)
    of = int(alarm["EvaluationPeriods"])
    condition = (
        f"{alarm['MetricName']} {OPERATORS[alarm['ComparisonOperator']]} {alarm['Threshold']}"
    )

    assert (condition, alarm.get("DatapointsToAlarm", of), of) == ALARMS[name][:3]


@every_alarm
def test_alarm_looks_back_no_further_than_cloudwatch_allows(name):
    """A week with periods of an hour or more, a day with shorter ones."""
    alarm = properties(name)
    limit = 7 * 86400 if alarm["Period"] >= 3600 else 86400

    assert alarm["Period"] * int(alarm["EvaluationPeriods"]) <= limit


@every_alarm
def test_silence_is_bad_only_where_something_should_have_happened(name):
    expected = "breaching" if name in OVERDUE else "notBreaching"

    assert properties(name)["TreatMissingData"] == expected


@every_alarm
def test_alarm_says_in_a_sentence_what_happened_and_where_to_read_on(name):
    described = re.fullmatch(
        r'[A-Z][^.]+\. Runbook: docs/operations\.md, "(.+)"', properties(name)["AlarmDescription"]
    )

    assert described
    assert described[1] == ALARMS[name][3]


def test_alarms_follow_the_order_of_the_runbook():
    runbook = (TEMPLATE.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", runbook, flags=re.MULTILINE)

    sections = list(dict.fromkeys(section for *_, section in ALARMS.values()))

    assert [heading for heading in headings if heading in sections] == sections


def test_alarms_have_names_of_their_own_that_begin_with_the_stacks():
    names = {properties(name)["AlarmName"] for name in ALARMS}

    assert len(names) == len(ALARMS)
    assert all(name.startswith("${AWS::StackName}-") for name in names)


@every_alarm
def test_alarm_tells_the_topic_when_it_goes_on_and_off(name):
    alarm = stack(AlarmTopicArn=TOPIC).properties(name)

    assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]


@every_alarm
def test_alarm_without_a_topic_tells_nobody(name):
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
