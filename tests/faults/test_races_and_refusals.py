"""Purges and writers that come in between, and credentials that MIP refuses."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.model.entry import Tombstone, encode_tombstone
from local.mip import PASSWORD
from tests.handlers.conftest import SSM_PATH, Service

PROGRAMS = "v1/programs.json"


def once_during(service: Service, call: str, action: Callable[[], object]) -> None:
    """Have something happen while MIP answers a call for the first time."""
    done: list[str] = []

    def on_call(name: str) -> None:
        if name == call and not done:
            done.append(name)
            action()

    service.mip.on_call = on_call


def purge_the_object(service: Service) -> None:
    # As the admin does it; its own function would share this process's clients.
    tombstone = Tombstone.new(PROGRAM_LISTS, datetime.now(UTC))
    service.store(PROGRAMS, encode_tombstone(tombstone))


def test_purge_between_fetch_and_write_wins_and_the_message_is_done_at_once(warm: Service) -> None:
    once_during(warm, "accounts", lambda: purge_the_object(warm))
    warm.send({"dataset": "programs"})
    [left] = warm.poll()
    assert left
    assert "id" in warm.stored(PROGRAMS)
    assert warm.stored("v1/failures/programs.json") is None
    assert warm.poll() == []
    assert warm.get("/accounts")["statusCode"] == 200


def set_password(service: Service, value: str) -> None:
    service.ssm.put_parameter(
        Name=f"{SSM_PATH}/pass", Value=value, Type="SecureString", Overwrite=True
    )


def deliver(service: Service, reason: str) -> None:
    service.send({"dataset": "programs", "reason": reason})
    assert service.poll() == []


@pytest.fixture
def refused(service: Service) -> Service:
    """MIP has refused the credentials once."""
    set_password(service, "wrong")
    deliver(service, "first")
    assert service.mip.counters.login_attempts == 1
    return service


def test_refused_credentials_are_tried_once_however_many_messages_come(refused: Service) -> None:
    for number in range(5):
        deliver(refused, f"again {number}")
    assert refused.mip.counters.login_attempts == 1
    assert len(refused.dead_letter_bodies()) == 6


def test_changed_credentials_are_tried_at_once_and_the_refusal_is_forgotten(
    refused: Service,
) -> None:
    set_password(refused, PASSWORD)
    deliver(refused, "rotated")
    assert refused.mip.counters.login_attempts == 2
    assert refused.stored(PROGRAMS) is not None
    assert refused.stored("v1/failures/login.json") is None
