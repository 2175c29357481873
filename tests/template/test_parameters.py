"""What an installer may choose, and what is refused before anything is created."""

import re

import pytest

from tests.template.stack import REQUIRED, document

PARAMETERS = document()["Parameters"]
DEFAULTS = {
    "MipLoginUrl": "https://login.mip.com",
    "MipApiUrl": "https://api.mip.com",
    "SsmParamPrefix": "/lambda/mipsSecret",
    "CodesToOmit": "999900,999800,999700,990500",
    "NoProgramCode": "000000",
    "OtherCode": "000001",
    "ProgramsTtlSeconds": 86400,
    "BalancesTtlSeconds": 25200,
    "RefreshExpression": "cron(5 0/6 * * ? *)",
    "TagKey": "CostCenter",
    "BalanceMonths": 4,
    "MissWaitSeconds": 20,
    "GraceSeconds": 3600,
    "EdgeTtlSeconds": 300,
    "MaxShrinkPercent": 50,
    "MipTimeoutSeconds": 60,
    "AuthCooldownSeconds": 3600,
    "TimeZone": "UTC",
    "ThrottleRate": 25,
    "ThrottleBurst": 50,
    "ReaderConcurrency": 0,
    "AlarmTopicArn": "",
    "OverdueAlarmHours": 12,
    "SsmKeyAdminArns": "",
    "SsmAliasPrefix": "lambda-mips-api",
    "LogRetentionDays": 90,
    "ApiAccessLogs": "false",
    "EdgeCache": "false",
    "AcmCertificateArn": "",
    "DnsNames": "",
}

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b-2c3d"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call_1"
# Values that a parameter must take, and such that could not work.
ACCEPTED = {
    "MipOrganization": ["Example Org 7"],
    "MipLoginUrl": ["https://login.example.org:8443/sso"],
    "SsmParamPrefix": ["/books"],
    "CodesToOmit": ["", "999900, 99980A"],
    "TagKey": ["cost center/2", "k" * 128],
    "RefreshExpression": ["rate(1 hour)", "cron(0 6 * * ? *)"],
    "TimeZone": ["America/Argentina/Buenos_Aires", "Etc/GMT+5"],
    "AcmCertificateArn": [CERTIFICATE],
    "DnsNames": ["mips.example.org", "*.example.org"],
    "AlarmTopicArn": ["", TOPIC, TOPIC.replace("arn:aws:", "arn:aws-us-gov:")],
    "SsmKeyAdminArns": [
        "arn:aws:iam::123456789012:role/team/KeyAdmin",
        "arn:aws-us-gov:iam::123456789012:root",
    ],
}
REFUSED = {
    "MipOrganization": ["", " "],
    "MipLoginUrl": ["http://login.mip.com"],
    "MipApiUrl": ["api.mip.com"],
    "SsmParamPrefix": ["lambda/mipsSecret", "/lambda/mipsSecret/"],
    "CodesToOmit": ["9999;9998", "999900,"],
    "NoProgramCode": [""],
    "OtherCode": ["00-1"],
    "RefreshExpression": ["6 hours", "rate(0 hours)"],
    "TagKey": ["", "Aws:cost", "CostCenter ", "k" * 129],
    "TimeZone": ["", "../etc/passwd"],
    "AcmCertificateArn": [CERTIFICATE.replace("us-east-1", "eu-west-1")],
    "DnsNames": ["https://mips.example.org"],
    "AlarmTopicArn": ["on-call@example.org", TOPIC + ".fifo", f"{TOPIC} {TOPIC}"],
    "SsmKeyAdminArns": ["KeyAdmin", "*"],
    "SsmAliasPrefix": ["aws/books"],
}
EDGE_ONLY = {"Fn::Equals": [{"Ref": "EdgeCache"}, "true"]}


def is_given(name):
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]}


def matches(name, value):
    return re.search(PARAMETERS[name]["AllowedPattern"], value) is not None


def test_parameters_have_the_documented_defaults():
    given = {name: entry["Default"] for name, entry in PARAMETERS.items() if "Default" in entry}

    assert given == DEFAULTS


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


@pytest.mark.parametrize("name", REFUSED)
def test_parameter_accepts_sensible_values_and_refuses_what_could_not_work(name):
    assert [value for value in ACCEPTED.get(name, []) if not matches(name, value)] == []
    assert [value for value in REFUSED[name] if matches(name, value)] == []


def test_every_pattern_has_been_seen_to_refuse_something():
    assert set(REFUSED) == {name for name, entry in PARAMETERS.items() if "AllowedPattern" in entry}


@pytest.mark.parametrize("name", DEFAULTS)
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
    assert PARAMETERS["OverdueAlarmHours"]["MaxValue"] == 7 * 24


def test_console_shows_every_parameter_once_in_a_group():
    groups = document()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert sorted(shown) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("name", "condition", "asserted"),
    [
        (
            "NamesNeedACertificate",
            {"Fn::Not": [{"Fn::EachMemberEquals": [{"Ref": "DnsNames"}, ""]}]},
            [is_given("AcmCertificateArn"), EDGE_ONLY],
        ),
        ("CertificateNeedsTheEdge", is_given("AcmCertificateArn"), [EDGE_ONLY]),
    ],
)
def test_names_and_certificates_that_would_serve_nothing_are_refused_before_anything_is_made(
    name, condition, asserted
):
    rule = document()["Rules"][name]

    assert rule["RuleCondition"] == condition
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == asserted
