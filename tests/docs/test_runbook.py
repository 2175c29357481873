"""The runbook is what an operator types at night: its commands and names are those that exist."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from cfnlint.decode.cfn_yaml import loads

from core.model.messages import parse_message
from core.operating.commands import parse_command
from tools.admin.__main__ import COMMANDS, CONVERSATIONS
from tools.admin.arguments import parse

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in RUNBOOK.split("\n## ")[1:]}
TODAY = date(2026, 11, 26)
ALARMS = re.findall(
    r"AlarmName: !Sub \$\{AWS::StackName\}-([a-z-]+)\n.*?Runbook: docs/operations\.md, \"(.+?)\"",
    (ROOT / "template.yaml").read_text(),
    re.DOTALL,
)
PAYLOADS = set(re.findall(r"--payload '(\{.*?\})'", RUNBOOK))
BODIES = set(re.findall(r"--message-body '(\{.*?\})'", RUNBOOK)) - {'{"dataset": "budgets"}'}
# In backquotes, or in a block that is not run. (Those of `console` blocks are run by another test.)
TYPED = set(re.findall(r"(?:`admin |^admin )([a-z][^`#\n]*)", RUNBOOK, re.MULTILINE))


@pytest.mark.parametrize(("name", "section"), ALARMS)
def test_alarm_is_named_in_its_section_as_the_pager_shows_it_and_with_an_address(
    name: str, section: str
) -> None:
    text = SECTIONS[section]
    assert f"`{{stack}}-{name}`: <https://" in text
    assert f"alarmsV2:alarm/lambda-mips-api-{name}>" in text


@pytest.mark.parametrize("payload", sorted(PAYLOADS))
def test_payload_is_one_that_the_admin_function_takes(payload: str) -> None:
    parse_command(json.loads(payload), TODAY)


@pytest.mark.parametrize("body", sorted(BODIES))
def test_message_is_one_that_the_worker_takes(body: str) -> None:
    parse_message(body, TODAY)


@pytest.mark.parametrize("typed", sorted(TYPED))
def test_command_exists(typed: str) -> None:
    assert parse(typed.split(), {}).command == typed.split(maxsplit=1)[0]


def test_every_command_of_an_operator_is_in_the_runbook() -> None:
    told = set(re.findall(r"\badmin ([a-z]+)", RUNBOOK))
    assert told >= {*COMMANDS, *CONVERSATIONS}


def test_first_aid_is_five_lines_on_top() -> None:
    title, text = next(iter(SECTIONS.items()))
    assert title == "First aid"
    assert [line[:2] for line in text.splitlines()[1:] if line] == ["1.", "2.", "3.", "4.", "5."]
    assert all(len(line) <= 120 for line in text.splitlines())


def test_every_question_of_the_dashboard_is_in_its_table() -> None:
    template = loads((ROOT / "template.yaml").read_text())
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    asked = re.findall(r"^\| [\w ]*\| (.+?\?) \|", SECTIONS["The dashboard"], re.MULTILINE)
    assert asked == re.findall(r'"title": "(.+?\?)"', body)
