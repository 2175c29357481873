"""Terminals, pipes, and the manual."""

import json
import re

import pytest

from tests.tools.admin.desk import Desk, TerminalFile, entry, failure, status
from tools.admin.__main__ import COMMANDS, CONVERSATIONS
from tools.admin.arguments import parse

LONG = "x" * 300


def plain(out: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", out)


@pytest.fixture
def terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose answers reach a person."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    desk.out = TerminalFile
    desk.function.answers["status"] = [status(entry(last_error=failure(message=LONG)))]
    return desk


def test_wide_terminal_gets_a_coloured_table(
    terminal: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = terminal("status").out
    assert "\x1b[" in out
    assert max(map(len, plain(out).splitlines())) <= 80


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_terminal_without_colour_gets_none(
    terminal: Desk, monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    monkeypatch.setenv(*variable)
    out = terminal("status").out
    assert "\x1b[3" not in out
    assert "fresh" in out


def test_narrow_terminal_gets_a_line_for_each_value(
    terminal: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = plain(terminal("status").out)
    assert "\nstate: fresh\n" in out
    assert max(map(len, out.splitlines())) <= 30
    assert out.replace("\n", "").count("x" * 300) == 1


def test_pipe_gets_each_row_in_one_line_and_no_colour(desk: Desk) -> None:
    desk.function.answers["status"] = [status(entry(last_error=failure(message=LONG)))]
    out = desk("status").out
    assert "\x1b" not in out
    assert sum(LONG in line and "programs" in line for line in out.splitlines()) == 1


def test_json_is_one_document_whatever_the_terminal(terminal: Desk) -> None:
    assert json.loads(terminal("status", "--json").out)["entries"][0]["state"] == "fresh"


def test_manual_names_every_command_and_its_rights(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"], {})
    manual = capsys.readouterr().out
    rights = manual.partition("\nrights ")[2].partition("\nexit status")[0]
    assert ended.value.code == 0
    for name in {*COMMANDS, *CONVERSATIONS}:
        assert f"\n    {name} " in manual
        assert name in rights


@pytest.mark.parametrize(
    "command", [["--stack", "x", "--json", "status"], ["status", "--stack", "x", "--json"]]
)
def test_options_may_stand_before_and_after_the_command(command: list[str]) -> None:
    parsed = parse(command, {"STACK": "y"})
    assert (parsed.stack, parsed.json, parsed.local) == ("x", True, False)


@pytest.mark.parametrize(
    ("environment", "stack"), [({}, "lambda-mips-api"), ({"STACK": "mine"}, "mine")]
)
def test_stack_is_the_environments_unless_it_is_said(
    environment: dict[str, str], stack: str
) -> None:
    assert parse(["status"], environment).stack == stack


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["flush"],
        ["refresh", "budgets"],
        ["logs", "--since", "yesterday"],
        ["status", "--local-port", "0"],
        ["restore"],
    ],
)
def test_wrong_command_line_ends_with_status_2(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(command, {})
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
