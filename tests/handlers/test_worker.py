"""The worker on emulated AWS, with MIP Cloud's stand-in as its upstream."""

import json
from collections.abc import Callable

import pytest

from local.mip import PASSWORD, USER, Fault
from tests.handlers.conftest import Service, event

PROGRAMS = "v1/programs.json"


@pytest.mark.parametrize(
    ("sample", "keys", "letters"),
    [
        ("worker_programs", [PROGRAMS], []),
        ("worker_balances", ["v1/balances/2026-10-01_2026-10-31.json"], []),
        ("worker_accept_shrink", [PROGRAMS], []),
        (
            "worker_batch",
            [PROGRAMS, "v1/balances/2026-09-01_2026-09-30.json"],
            ["no JSON at all"],
        ),
    ],
)
def test_event_leads_to_its_entries_whatever_else_is_in_its_batch_and_to_a_closed_session(
    service: Service, sample: str, keys: list[str], letters: list[str]
) -> None:
    assert service.work(event(sample)) == []
    for key in keys:
        assert service.stored(key)["schema"] == "v1"
    assert service.dead_letter_bodies() == letters
    assert service.mip.open_sessions == 0
    assert not service.steer({"action": "status"})["session_open"]


def test_all_event_costs_one_login_and_one_chart(service: Service) -> None:
    assert service.work(event("worker_all")) == []
    once = dict.fromkeys(("login", "segments", "accounts", "logout"), 1)
    assert service.mip.counters.calls == {**once, "balances": 4}


def test_poison_event_is_dead_lettered_without_calling_mip(service: Service) -> None:
    sample = event("worker_poison")
    assert service.work(sample) == []
    bodies = [record["body"] for record in sample["Records"]]
    assert sorted(service.dead_letter_bodies()) == sorted(bodies)
    assert sum(service.mip.counters.calls.values()) == 0


def test_no_secret_or_body_reaches_a_log_or_an_object(
    service: Service, log_lines: Callable[[], str]
) -> None:
    said = f"{USER}/{PASSWORD} is locked"
    service.mip.set_fault("login", Fault(kind="status", status=403, body=said, times=1))
    service.work(event("worker_programs"))
    service.work(event("worker_programs"))
    written = log_lines() + json.dumps(service.stored("v1/failures/programs.json"))
    assert [
        secret
        for secret in (PASSWORD, f"{USER}/", "AccessToken", "Depression-Emory Wingo")
        if secret in written
    ] == []
