"""The worker on emulated AWS, with MIP Cloud's stand-in as its upstream."""

import pytest

from tests.handlers.conftest import Service, event

PROGRAMS = "v1/programs.json"
OCTOBER = "v1/balances/2026-10-01_2026-10-31.json"
SEPTEMBER = "v1/balances/2026-09-01_2026-09-30.json"


@pytest.mark.parametrize(
    ("sample", "keys", "letters"),
    [
        ("worker_programs", [PROGRAMS], []),
        ("worker_balances", [OCTOBER], []),
        ("worker_accept_shrink", [PROGRAMS], []),
        ("worker_batch", [PROGRAMS, SEPTEMBER], ["no JSON at all"]),
    ],
)
def test_event_leads_to_its_entries_and_a_closed_session_and_poison_to_a_dead_letter(
    service: Service, sample: str, keys: list[str], letters: list[str]
) -> None:
    assert service.work(event(sample)) == []
    assert service.dead_letter_bodies() == letters
    for key in keys:
        assert service.stored(key)["schema"] == "v1"
    assert service.mip.open_sessions == 0
    assert not service.steer({"action": "status"})["session_open"]


def test_all_event_costs_one_login_and_one_chart(service: Service) -> None:
    assert service.work(event("worker_all")) == []
    once = dict.fromkeys(["login", "segments", "accounts", "logout"], 1)
    assert service.mip.counters.calls == {**once, "balances": 4}


def test_poison_event_is_dead_lettered_without_calling_mip(service: Service) -> None:
    sample = event("worker_poison")
    assert service.work(sample) == []
    bodies = [record["body"] for record in sample["Records"]]
    assert sorted(service.dead_letter_bodies()) == sorted(bodies)
    assert sum(service.mip.counters.calls.values()) == 0
