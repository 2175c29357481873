"""Admin payloads: understood as a whole, or refused with the choices."""

from typing import Any

import pytest

from core.errors import InvalidCommandError
from core.model.selection import Selection
from core.operating.commands import (
    ARGUMENTS,
    Command,
    Discard,
    ListDeadLetters,
    Purge,
    Redrive,
    Refresh,
    Status,
    parse_command,
)
from tests.builders import SEPTEMBER, TODAY

ALL = Selection("all")
SEPTEMBER_DATES = {"from": "2026-09-01", "to": "2026-09-30"}


UNDERSTOOD: dict[str, tuple[dict[str, Any], Command]] = {
    "status": ({}, Status()),
    "purge": (
        {"dataset": "balances", **SEPTEMBER_DATES, "soft": True, "dry_run": True},
        Purge(Selection("balances", SEPTEMBER), soft=True, dry_run=True),
    ),
    "refresh": ({"dataset": "all", "accept_shrink": True}, Refresh(ALL, accept_shrink=True)),
    "dead_letters": ({"limit": 1}, ListDeadLetters(1)),
    "redrive": ({"message_id": "m-1", "dry_run": True}, Redrive("m-1", dry_run=True)),
    "discard": ({"all": True, "dry_run": True}, Discard(None, dry_run=True)),
}


@pytest.mark.parametrize(("action", "understood"), UNDERSTOOD.items(), ids=UNDERSTOOD)
def test_parse_command_takes_every_argument(
    action: str, understood: tuple[dict[str, Any], Command]
) -> None:
    arguments, command = understood
    assert parse_command({"action": action, **arguments}, TODAY) == command


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("purge", Purge(ALL, soft=False, dry_run=False)),
        ("refresh", Refresh(ALL, accept_shrink=False)),
        ("dead_letters", ListDeadLetters(1000)),
    ],
)
def test_parse_command_without_arguments_is_about_everything(action: str, command: Command) -> None:
    assert parse_command({"action": action}, TODAY) == command


def test_redrive_and_discard_act_unless_they_are_told_to_run_dry() -> None:
    asked = {"message_id": "m-1"}
    assert parse_command({"action": "redrive", **asked}, TODAY) == Redrive("m-1", dry_run=False)
    assert parse_command({"action": "discard", **asked}, TODAY) == Discard("m-1", dry_run=False)


ACTIONS = ", ".join(ARGUMENTS)
REFUSED: list[tuple[object, str]] = [
    (None, "JSON object"),
    ([], "JSON object"),
    ({}, ACTIONS),
    ({"action": "explode"}, ACTIONS),
    ({"action": ["status"]}, ACTIONS),
    ({"action": "status", "x": 1}, "takes no arguments; not x"),
    ({"action": "purge", "datset": 1}, "takes dataset, from, to, soft, dry_run; not datset"),
    ({"action": "refresh", "soft": True}, "not soft"),
    ({"action": "purge", "dataset": "payroll"}, "programs, balances, all"),
    ({"action": "purge", "to": "2026-09-30"}, "balances only"),
    ({"action": "purge", "soft": "yes"}, "soft must be true or false"),
    ({"action": "purge", "dry_run": 1}, "dry_run must be true or false"),
    ({"action": "refresh", "accept_shrink": None}, "accept_shrink must be true or false"),
    *[({"action": "dead_letters", "limit": n}, "from 1 to 1000") for n in (0, 1001, "5", True)],
    ({"action": "redrive"}, "either message_id"),
    ({"action": "discard", "message_id": "m", "all": True}, "either message_id"),
    *[({"action": "discard", "all": value}, "all must be true") for value in (False, "true")],
    *[({"action": "redrive", "message_id": value}, "must be a text") for value in ("", 5)],
]


@pytest.mark.parametrize(("payload", "problem"), REFUSED)
def test_parse_command_wrong_payload_is_refused_with_the_choices(
    payload: object, problem: str
) -> None:
    with pytest.raises(InvalidCommandError, match=problem):
        parse_command(payload, TODAY)
