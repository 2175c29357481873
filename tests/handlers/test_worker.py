"""The worker on emulated AWS, with MIP Cloud's stand-in as its upstream."""

import json
from collections.abc import Callable

import pytest

from local.mip import PASSWORD, USER, Fault
from tests.handlers.conftest import Service, event

PROGRAMS = "v1/programs.json"
OCTOBER = "v1/balances/2026-10-01_2026-10-31.json"


def calls(service: Service) -> dict[str, int]:
    return dict(service.mip.counters.calls)


@pytest.mark.parametrize(
    ("sample", "keys"),
    [
        ("worker_programs", [PROGRAMS]),
        ("worker_balances", [OCTOBER]),
        ("worker_accept_shrink", [PROGRAMS]),
        ("worker_batch", [PROGRAMS, "v1/balances/2026-09-01_2026-09-30.json"]),
    ],
)
def test_event_leads_to_its_entries_and_a_closed_session(
    service: Service, sample: str, keys: list[str]
) -> None:
    assert service.work(event(sample)) == []
    for key in keys:
        assert service.stored(key)["schema"] == "v1"
    assert service.mip.open_sessions == 0
    assert not service.steer({"action": "status"})["session_open"]


def test_all_event_costs_one_login_and_one_chart(service: Service) -> None:
    assert service.work(event("worker_all")) == []
    assert calls(service) == {
        "login": 1,
        "segments": 1,
        "accounts": 1,
        "balances": 4,
        "logout": 1,
    }


def test_poison_event_is_dead_lettered_without_calling_mip(service: Service) -> None:
    sample = event("worker_poison")
    assert service.work(sample) == []
    assert sorted(service.dead_letter_bodies()) == sorted(
        record["body"] for record in sample["Records"]
    )
    assert sum(calls(service).values()) == 0


def test_poison_in_a_batch_leaves_the_other_records_unharmed(service: Service) -> None:
    assert service.work(event("worker_batch")) == []
    assert service.dead_letter_bodies() == ["no JSON at all"]


def test_no_secret_or_body_reaches_a_log_or_an_object(
    service: Service, log_lines: Callable[[], str]
) -> None:
    service.mip.set_fault(
        "login", Fault(kind="status", status=403, body=f"{USER} {PASSWORD} locked", times=1)
    )
    service.work(event("worker_programs"))
    service.work(event("worker_programs"))
    record = json.dumps(service.stored("v1/failures/programs.json"))
    out = log_lines()
    for secret in (PASSWORD, "AccessToken", "Depression-Emory Wingo"):
        assert secret not in out
        assert secret not in record
