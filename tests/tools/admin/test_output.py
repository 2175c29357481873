"""Terminals, pipes, and the manual."""

import json
import re
from collections.abc import Callable

import pytest

from tests.tools.admin.command_line import CommandLine, TerminalFile, entry, failure, status
from tools.admin.__main__ import COMMANDS, CONVERSATIONS
from tools.admin.arguments import parse

LONG = "x" * 300
Screen = Callable[..., str]


def plain(out: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", out)


@pytest.fixture
def screen(admin: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Shows the status to a person, on a terminal of which the environment tells more."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    admin.out = TerminalFile
    admin.answers["status"] = [status(entry(last_error=failure(message=LONG)))]

    def show(*options: str, **environment: str) -> str:
        for name, value in {"TERM": "xterm-256color", **environment}.items():
            monkeypatch.setenv(name, value)
        return admin("status", *options).out

    return show


def test_wide_terminal_gets_a_coloured_table(screen: Screen) -> None:
    out = screen(COLUMNS="80")
    assert "\x1b[" in out
    assert max(map(len, plain(out).splitlines())) <= 80


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_terminal_without_colour_gets_none(screen: Screen, variable: dict[str, str]) -> None:
    out = screen(**variable)
    assert "\x1b[3" not in out
    assert "fresh" in out


def test_narrow_terminal_gets_a_line_for_each_value(screen: Screen) -> None:
    out = plain(screen(COLUMNS="30"))
    assert "\nstate: fresh\n" in out
    assert max(map(len, out.splitlines())) <= 30
    assert out.replace("\n", "").count(LONG) == 1


def test_pipe_gets_each_row_in_one_line_and_no_colour(admin: CommandLine) -> None:
    admin.answers["status"] = [status(entry(last_error=failure(message=LONG)))]
    out = admin("status").out
    assert "\x1b" not in out
    assert sum(LONG in line and "programs" in line for line in out.splitlines()) == 1


def test_json_is_one_document_whatever_the_terminal(screen: Screen) -> None:
    assert json.loads(screen("--json"))["entries"][0]["state"] == "fresh"


def test_manual_names_every_command_and_its_rights(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        parse(["--help"], {})
    manual = capsys.readouterr().out
    rights = manual.partition("\nrights ")[2].partition("\nexit status")[0]
    for name in {*COMMANDS, *CONVERSATIONS}:
        assert f"\n    {name} " in manual
        assert name in rights


@pytest.mark.parametrize(
    "command", [["--stack", "x", "--json", "status"], ["status", "--stack", "x", "--json"]]
)
def test_options_may_stand_before_and_after_the_command(command: list[str]) -> None:
    parsed = parse(command, {"STACK": "y"})
    assert (parsed.stack, parsed.json, parsed.local) == ("x", True, False)


def test_stack_is_the_environments_unless_it_is_said() -> None:
    assert parse(["status"], {"STACK": "mine"}).stack == "mine"
    assert parse(["status"], {}).stack == "lambda-mips-api"


@pytest.mark.parametrize(
    "command",
    ["", "flush", "refresh budgets", "logs --since yesterday", "status --local-port 0", "restore"],
)
def test_wrong_command_line_ends_with_status_2(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        parse(command.split(), {})
    assert "error:" in capsys.readouterr().err
