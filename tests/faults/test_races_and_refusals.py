"""Purges and writers that come in between, and credentials that MIP refuses."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.model.entry import Tombstone, encode_tombstone
from local.mip import PASSWORD, MipCloudServer
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


def test_second_writer_between_fetch_and_write_wins(warm: Service) -> None:
    other = warm.stored(PROGRAMS) | {"built_at": "2026-11-23T00:00:00+00:00"}
    once_during(warm, "accounts", lambda: warm.store(PROGRAMS, json.dumps(other).encode()))
    warm.send({"dataset": "programs"})
    assert len(warm.poll()) == 1
    assert warm.stored(PROGRAMS) == other


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


def test_changed_credentials_are_tried_at_once(refused: Service) -> None:
    set_password(refused, PASSWORD)
    deliver(refused, "rotated")
    assert refused.mip.counters.login_attempts == 2
    assert refused.stored(PROGRAMS) is not None


def test_changed_credentials_that_are_wrong_again_are_tried_once_more(refused: Service) -> None:
    set_password(refused, "wrong too")
    deliver(refused, "rotated")
    deliver(refused, "and again")
    assert refused.mip.counters.login_attempts == 2


def test_refusal_is_forgotten_after_a_login_that_worked(refused: Service) -> None:
    set_password(refused, PASSWORD)
    deliver(refused, "rotated")
    assert refused.stored("v1/failures/login.json") is None


def test_refused_credentials_are_tried_again_after_the_cool_down(
    refused: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = refused.stored("v1/failures/login.json")
    noted["refused_at"] = "2026-01-01T00:00:00+00:00"
    refused.store("v1/failures/login.json", json.dumps(noted).encode())
    deliver(refused, "an hour later")
    assert refused.mip.counters.login_attempts == 2


def test_note_of_a_refusal_holds_no_secret(refused: Service) -> None:
    assert set(refused.stored("v1/failures/login.json")) == {"refused_at", "versions"}


def test_mip_that_nobody_listens_for_is_tried_again_and_made_good_once_it_is_back(
    warm: Service, mip: MipCloudServer
) -> None:
    """Nothing has reached MIP, so the login may be repeated within the invocation."""
    before = warm.mip.counters.login_attempts
    mip.__exit__(None, None, None)
    warm.send({"dataset": "programs"})
    assert len(warm.poll()) == 1
    record = warm.stored("v1/failures/programs.json")
    assert record["error_type"] == "RequestNotTakenError"
    assert warm.get("/accounts")["statusCode"] == 200
    assert warm.mip.counters.login_attempts == before
    mip.__enter__()
    warm.sqs.purge_queue(QueueUrl=warm.queue_url)
    warm.send({"dataset": "programs", "reason": "again"})
    assert warm.poll() == []
