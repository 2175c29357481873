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


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        pytest.param({"action": "status"}, Status(), id="status"),
        pytest.param({"action": "purge"}, Purge(ALL, soft=False, dry_run=False), id="purge"),
        pytest.param(
            {"action": "purge", "dataset": "programs", "soft": True, "dry_run": True},
            Purge(Selection("programs"), soft=True, dry_run=True),
            id="soft purge of programs, dry",
        ),
        pytest.param(
            {"action": "purge", "dataset": "balances"},
            Purge(Selection("balances"), soft=False, dry_run=False),
            id="purge all balances",
        ),
        pytest.param(
            {"action": "purge", "dataset": "balances", **SEPTEMBER_DATES},
            Purge(Selection("balances", SEPTEMBER), soft=False, dry_run=False),
            id="purge one period",
        ),
        pytest.param({"action": "refresh"}, Refresh(ALL, accept_shrink=False), id="refresh"),
        pytest.param(
            {"action": "refresh", "dataset": "all", "accept_shrink": True},
            Refresh(ALL, accept_shrink=True),
            id="refresh, shrink accepted",
        ),
        pytest.param({"action": "dead_letters"}, ListDeadLetters(1000), id="dead letters"),
        pytest.param({"action": "dead_letters", "limit": 1}, ListDeadLetters(1), id="one letter"),
        pytest.param(
            {"action": "redrive", "message_id": "m-1"},
            Redrive("m-1", dry_run=False),
            id="redrive one",
        ),
        pytest.param(
            {"action": "redrive", "all": True, "dry_run": True},
            Redrive(None, dry_run=True),
            id="redrive all, dry",
        ),
        pytest.param(
            {"action": "discard", "all": True}, Discard(None, dry_run=False), id="discard all"
        ),
        pytest.param(
            {"action": "discard", "message_id": "m-1", "dry_run": True},
            Discard("m-1", dry_run=True),
            id="discard one, dry",
        ),
    ],
)
def test_parse_command_valid_payload_is_understood(
    payload: dict[str, Any], command: Command
) -> None:
    assert parse_command(payload, TODAY) == command


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(None, "JSON object", id="null"),
        pytest.param([], "JSON object", id="array"),
        pytest.param("status", "JSON object", id="text"),
        pytest.param({}, ", ".join(ARGUMENTS), id="no action"),
        pytest.param({"action": "explode"}, ", ".join(ARGUMENTS), id="unknown action"),
        pytest.param({"action": ["status"]}, ", ".join(ARGUMENTS), id="action as list"),
        pytest.param({"action": "status", "x": 1}, "takes no arguments; not x", id="argument"),
        pytest.param(
            {"action": "purge", "datset": "programs"},
            "takes dataset, from, to, soft, dry_run; not datset",
            id="typo",
        ),
        pytest.param({"action": "refresh", "soft": True}, "not soft", id="another's argument"),
        pytest.param(
            {"action": "purge", "dataset": "payroll"}, "programs, balances, all", id="dataset"
        ),
        pytest.param({"action": "purge", "to": "2026-09-30"}, "balances only", id="half a period"),
        pytest.param({"action": "purge", "soft": "yes"}, "soft must be true or false", id="soft"),
        pytest.param({"action": "purge", "dry_run": 1}, "dry_run must be true or false", id="dry"),
        pytest.param(
            {"action": "refresh", "accept_shrink": None},
            "accept_shrink must be true or false",
            id="shrink",
        ),
        pytest.param({"action": "dead_letters", "limit": 0}, "from 1 to 1000", id="limit 0"),
        pytest.param({"action": "dead_letters", "limit": 1001}, "from 1 to 1000", id="limit 1001"),
        pytest.param({"action": "dead_letters", "limit": "5"}, "from 1 to 1000", id="limit text"),
        pytest.param({"action": "dead_letters", "limit": True}, "from 1 to 1000", id="limit bool"),
        pytest.param({"action": "redrive"}, "either message_id", id="redrive what"),
        pytest.param(
            {"action": "discard", "message_id": "m", "all": True}, "either message_id", id="both"
        ),
        pytest.param({"action": "discard", "all": False}, "all must be true", id="all false"),
        pytest.param({"action": "discard", "all": "true"}, "all must be true", id="all as text"),
        pytest.param({"action": "redrive", "message_id": ""}, "must be a text", id="empty id"),
        pytest.param({"action": "redrive", "message_id": 5}, "must be a text", id="number as id"),
    ],
)
def test_parse_command_wrong_payload_is_refused_with_the_choices(
    payload: object, problem: str
) -> None:
    with pytest.raises(InvalidCommandError, match=problem):
        parse_command(payload, TODAY)
