"""`letters`, `redrive` and `discard`."""

from typing import Any

import pytest

from tests.tools.admin.command_line import CommandLine, letter, letters


def test_letters_are_listed_with_what_they_asked_for_and_why_they_failed(
    admin: CommandLine,
) -> None:
    admin.answers["dead_letters"] = [letters(letter())]
    shown = admin("letters").out.splitlines()
    row = (
        "letter-1 2026-10-15 12:00:00 UTC 5 programs UpstreamDataError: the list of programs shrank"
    )
    assert " ".join(shown[2].split()) == row
    assert "14 days" in shown[-1]


def test_letter_that_is_no_request_is_shown_but_cannot_move_the_cursor(admin: CommandLine) -> None:
    admin.answers["dead_letters"] = [letters(letter(body="\x1b[2Jgone [red]x\u202e"))]
    out = admin("letters").out
    assert r"\x1b[2Jgone [red]x\u202e" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("action", ["redrive", "discard"])
@pytest.mark.parametrize(
    ("command", "chosen"),
    [
        (["letter-1"], {"message_id": "letter-1"}),
        (["--all", "--dry-run"], {"all": True, "dry_run": True}),
    ],
)
def test_letters_are_acted_on_by_id_or_all_together(
    admin: CommandLine, action: str, command: list[str], chosen: dict[str, Any]
) -> None:
    admin.answers[action] = [{"summary": "1 dead letter", "message_ids": ["letter-1"]}]
    assert admin(action, *command).out == "1 dead letter\n  letter-1\n"
    assert admin.payloads == [{"action": action, **chosen}]


@pytest.mark.parametrize("command", [[], ["letter-1", "--all"]])
def test_letters_must_be_chosen(admin: CommandLine, command: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        admin("discard", *command)
    assert admin.payloads == []
