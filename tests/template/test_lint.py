"""cfn-lint on what CloudFormation gets: in SAM's own shorthand it sees little."""

import json

import cfnlint.api
import pytest

from tests.template.stack import translated

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"
VARIANTS = {
    "plain": {},
    "edge": {"EdgeCache": "true"},
    "edge-with-names": {
        "EdgeCache": "true",
        "AcmCertificateArn": CERTIFICATE,
        "DnsNames": "mips.example.org",
    },
    "everything": {
        "EdgeCache": "true",
        "ApiAccessLogs": "true",
        "SsmKeyAdminArns": "arn:aws:iam::123456789012:role/KeyAdmin",
        "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:on-call",
    },
}


def complaints(text):
    return [str(match) for match in cfnlint.api.lint(text)]


@pytest.mark.parametrize("parameters", VARIANTS.values(), ids=VARIANTS)
def test_translated_template_is_lint_free(parameters):
    assert complaints(json.dumps(translated(**parameters))) == []
