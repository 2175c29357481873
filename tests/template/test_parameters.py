"""What an installer may choose, and what is refused before anything is created."""

import re

import pytest

from handlers.time_budget import LONGEST_WAIT_SECONDS
from tests.template.stack import document, stack

PARAMETERS = document()["Parameters"]
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


def matches(name, value):
    return re.search(PARAMETERS[name]["AllowedPattern"], value) is not None


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_described_and_limited_and_says_how(name):
    parameter = PARAMETERS[name]
    assert parameter["Description"]
    assert parameter["ConstraintDescription"].startswith("must ")
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)
    assert ("MinValue" in parameter) == ("MaxValue" in parameter)


@pytest.mark.parametrize(
    "name", [name for name in PARAMETERS if "AllowedPattern" in PARAMETERS[name]]
)
def test_parameter_accepts_sensible_values_and_refuses_what_could_not_work(name):
    assert [value for value in ACCEPTED.get(name, []) if not matches(name, value)] == []
    assert [value for value in REFUSED[name] if matches(name, value)] == []


def test_miss_wait_leaves_time_to_answer_before_api_gateway_gives_up():
    assert PARAMETERS["MissWaitSeconds"]["MaxValue"] == LONGEST_WAIT_SECONDS


def test_console_shows_every_parameter_once_in_a_group():
    groups = document()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("names", "certificate", "edge", "refused"),
    [
        ("", "", "false", False),
        ("mips.example.org", CERTIFICATE, "true", False),
        ("", CERTIFICATE, "true", False),
        ("mips.example.org", "", "true", True),
        ("mips.example.org", CERTIFICATE, "false", True),
        ("", CERTIFICATE, "false", True),
    ],
)
def test_names_and_certificates_that_would_serve_nothing_are_refused_before_anything_is_made(
    names, certificate, edge, refused
):
    chosen = stack(DnsNames=names, AcmCertificateArn=certificate, EdgeCache=edge)
    assert chosen.refused() is refused
