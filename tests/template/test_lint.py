"""cfn-lint on what CloudFormation gets: in SAM's own shorthand it sees little."""

import json

import cfnlint.api

from local.template.stack_template import load
from tests.template.stack import REQUIRED, TEMPLATE


def test_translated_template_is_lint_free():
    """It looks at both branches of every condition."""
    translated = load(TEMPLATE, REQUIRED).document
    assert [str(match) for match in cfnlint.api.lint(json.dumps(translated))] == []
