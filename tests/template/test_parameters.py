"""What an installer may choose, and what is refused before anything is created."""

import re

import pytest

from tests.template.stack import REQUIRED, document

PARAMETERS = document()["Parameters"]
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b-2c3d"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call_1"
ACCEPTED = [
    ("MipOrganization", "Example Org 7"),
    ("MipLoginUrl", "https://login.example.org:8443/sso"),
    ("SsmParamPrefix", "/books"),
    ("CodesToOmit", ""),
    ("TagKey", "cost center/2"),
    ("TagKey", "k" * 128),
    ("CodesToOmit", "999900, 99980A"),
    ("RefreshExpression", "rate(1 hour)"),
    ("RefreshExpression", "cron(0 6 * * ? *)"),
    ("TimeZone", "America/Argentina/Buenos_Aires"),
    ("TimeZone", "Etc/GMT+5"),
    ("AcmCertificateArn", CERTIFICATE),
    ("DnsNames", "mips.example.org"),
    ("DnsNames", "*.example.org"),
    ("AlarmTopicArn", ""),
    ("AlarmTopicArn", TOPIC),
    ("AlarmTopicArn", TOPIC.replace("arn:aws:", "arn:aws-us-gov:")),
    ("SsmKeyAdminArns", "arn:aws:iam::123456789012:role/team/KeyAdmin"),
    ("SsmKeyAdminArns", "arn:aws-us-gov:iam::123456789012:root"),
]
REFUSED = [
    ("MipOrganization", ""),
    ("MipOrganization", " "),
    ("MipLoginUrl", "http://login.mip.com"),
    ("MipApiUrl", "api.mip.com"),
    ("SsmParamPrefix", "lambda/mipsSecret"),
    ("SsmParamPrefix", "/lambda/mipsSecret/"),
    ("CodesToOmit", "9999;9998"),
    ("CodesToOmit", "999900,"),
    ("NoProgramCode", ""),
    ("OtherCode", "00-1"),
    ("RefreshExpression", "6 hours"),
    ("TagKey", ""),
    ("TagKey", "Aws:cost"),
    ("TagKey", "CostCenter "),
    ("TagKey", "k" * 129),
    ("RefreshExpression", "rate(0 hours)"),
    ("TimeZone", ""),
    ("TimeZone", "../etc/passwd"),
    ("AcmCertificateArn", CERTIFICATE.replace("us-east-1", "eu-west-1")),
    ("DnsNames", "https://mips.example.org"),
    ("AlarmTopicArn", "on-call@example.org"),
    ("AlarmTopicArn", TOPIC + ".fifo"),
    ("AlarmTopicArn", TOPIC.replace("sns", "sqs")),
    ("AlarmTopicArn", f"{TOPIC} {TOPIC}"),
    ("SsmKeyAdminArns", "KeyAdmin"),
    ("SsmKeyAdminArns", "*"),
    ("SsmAliasPrefix", "aws/books"),
]


def matches(name, value):
    return re.search(PARAMETERS[name]["AllowedPattern"], value) is not None


def test_parameters_without_a_default_are_those_that_nobody_can_guess():
    assert {name for name, entry in PARAMETERS.items() if "Default" not in entry} == set(REQUIRED)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_described_and_limited_and_says_how(name):
    parameter = PARAMETERS[name]

    assert parameter["Description"]
    assert parameter["ConstraintDescription"].startswith("must ")
    assert {"AllowedPattern", "AllowedValues"} & set(parameter) or {"MinValue", "MaxValue"} <= set(
        parameter
    )


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_parameter_accepts_a_sensible_value(name, value):
    assert matches(name, value)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_parameter_refuses_a_value_that_could_not_work(name, value):
    assert not matches(name, value)


def test_every_pattern_has_been_seen_to_refuse_something():
    patterned = {name for name, entry in PARAMETERS.items() if "AllowedPattern" in entry}

    assert patterned == {name for name, _ in REFUSED}


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - REQUIRED.keys()))
def test_default_keeps_within_its_own_limits(name):
    parameter, default = PARAMETERS[name], PARAMETERS[name]["Default"]

    assert default in parameter.get("AllowedValues", [default])
    assert parameter["Type"] != "Number" or (
        parameter.get("MinValue", default) <= default <= parameter.get("MaxValue", default)
    )
    assert "AllowedPattern" not in parameter or matches(name, default)


def test_miss_wait_leaves_time_to_answer_before_api_gateway_gives_up():
    assert PARAMETERS["MissWaitSeconds"]["MaxValue"] == 20


def test_overdue_alarm_looks_back_no_further_than_cloudwatch_does():
    """Periods of an hour may add up to a week; shorter ones only to a day."""
    hours = PARAMETERS["OverdueAlarmHours"]

    assert (hours["MinValue"], hours["MaxValue"]) == (1, 7 * 24)


def test_console_shows_every_parameter_once_in_a_group():
    groups = document()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert sorted(shown) == sorted(PARAMETERS)


EDGE_ONLY = {"Fn::Equals": [{"Ref": "EdgeCache"}, "true"]}


def test_names_without_a_certificate_or_an_edge_are_refused_before_anything_is_made():
    rule = document()["Rules"]["NamesNeedACertificate"]

    assert rule["RuleCondition"] == {
        "Fn::Not": [{"Fn::EachMemberEquals": [{"Ref": "DnsNames"}, ""]}]
    }
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "AcmCertificateArn"}, ""]}]},
        EDGE_ONLY,
    ]


def test_certificate_without_an_edge_is_refused_before_anything_is_made():
    rule = document()["Rules"]["CertificateNeedsTheEdge"]

    assert rule["RuleCondition"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AcmCertificateArn"}, ""]}]
    }
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == [EDGE_ONLY]
