from typing import Any

import pytest

from local.mip import PASSWORD, USER, Fault
from local.mip.faults import AMOUNT
from local.mip.sample.organisation import sample_organisation
from tests.fakes import FakeClock
from tests.local.mip.client import LOCKOUT_SECONDS, Client


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("faults/balances", {"kind": "explode"}, "status, html, refuse"),
        ("faults/balances", {"kind": ["status"]}, "status, html, refuse"),
        ("faults/balances", {"status": 500}, "kind"),
        ("faults/balances", [], "kind"),
        (
            "faults/balances",
            {"kind": "status", "stauts": 500},
            "kind, times, status, headers, body, after",
        ),
        ("faults/balances", {"kind": "refuse", "status": 500}, "kind, times, after"),
        ("faults/balances", {"kind": "shrink"}, "only to accounts"),
        ("faults/balances", {"kind": "status", "times": 0}, "times"),
        ("faults/balances", {"kind": "status", "status": 99}, "200 to 599"),
        ("faults/balances", {"kind": "status", "headers": {"Retry-After": 3}}, "headers"),
        ("faults/balances", {"kind": "status", "headers": {"X": "a\r\nb"}}, "headers"),
        ("faults/balances", {"kind": "status", "headers": {"Content-Length": "1"}}, "headers"),
        ("faults/balances", {"kind": "status", "after": "yes"}, "true or false"),
        ("faults/balances", {"kind": "timeout", "seconds": -1}, "seconds"),
        ("faults/balances", {"kind": "missing_field", "field": "TITLE"}, AMOUNT),
        ("latency", {"seconds": "1"}, "a number from 0 to 3600"),
        ("latency", {"seconds": 1, "call": "login"}, '{"seconds": number}'),
        ("credentials", {"pasword": "x"}, "user, password or org"),
        ("credentials", {"password": 1}, "user, password or org"),
        ("credentials", ["password"], "user, password or org"),
    ],
)
def test_what_cannot_be_set_is_answered_400_naming_what_is_allowed(
    client: Client, path: str, body: Any, named: str
) -> None:
    before = client.state()
    reply = client.control("PUT", path, body)
    assert reply.status_code == 400
    assert named in reply.json()["message"]
    assert client.state() == before


def test_an_unknown_control_path_is_answered_404_naming_the_known_ones(client: Client) -> None:
    reply = client.control("GET", "status")
    assert reply.status_code == 404
    assert "PUT /_control/faults/{call}" in reply.json()["message"]


def test_a_fault_can_be_set_seen_and_deleted_over_http(client: Client) -> None:
    fault = {"kind": "status", "times": 2, "status": 429, "headers": {"Retry-After": "3"}}
    fault["body"] = "slow down"
    assert client.control("PUT", "faults/login", fault).json()["faults"] == {"login": fault}
    reply = client.try_login()
    answer = (reply.status_code, reply.headers["Retry-After"], reply.text)
    assert answer == (429, "3", "slow down")
    assert client.state()["faults"]["login"]["times"] == 1
    assert client.control("DELETE", "faults/login").json()["faults"] == {}
    assert client.statuses("login") == [200]


def test_the_state_shows_sessions_locks_and_counts_but_no_secret(
    client: Client, clock: FakeClock
) -> None:
    client.login()
    client.statuses("segments", "login", "logout", "logout")
    clock.advance(seconds=20)
    assert client.state() == {
        "open_sessions": 0,
        "locked_users": {USER: LOCKOUT_SECONDS - 20},
        "counters": {
            "login_attempts": 2,
            "logins": 1,
            "logouts": 1,
            "lockouts": 1,
            "max_open_sessions": 1,
            "calls": {"login": 2, "segments": 1, "accounts": 0, "balances": 0, "logout": 2},
        },
        "calls_under_way": 0,
        "faults": {},
        "latency": {},
        "programs": len(sample_organisation().programs),
    }
    assert PASSWORD not in repr(client.mip.credentials)


def test_a_call_is_told_before_its_effect_and_its_answer_with_the_fault(client: Client) -> None:
    told: list[tuple[Any, ...]] = []
    client.mip.on_call = lambda call: told.append((call, client.mip.open_sessions))
    client.mip.on_answer = lambda *answer: told.append(answer)
    client.mip.set_fault("segments", Fault(kind="status", status=502))
    client.login()
    client.statuses("segments", "logout")
    assert told[:2] == [("login", 0), ("login", 200, None)]
    assert told[2:4] == [("segments", 1), ("segments", 502, "status")]
    assert told[4:] == [("logout", 1), ("logout", 200, None)]


def test_latency_delays_the_calls_it_is_set_for(client: Client) -> None:
    waits: list[float] = []
    client.mip.set_latency(0.5)
    client.mip.set_latency(2, "balances")
    client.mip.set_latency(0, "logout")
    for call in ("segments", "balances", "logout"):
        client.mip.call(call, wait=waits.append)
    assert waits == [0.5, 2]


def test_a_rotation_refuses_the_old_password_and_leaves_the_open_session_alone(
    client: Client,
) -> None:
    client.login()
    client.control("PUT", "credentials", {"password": "rotated"})
    assert client.statuses("segments", "logout", "login") == [200, 200, 401]
    assert client.try_login("rotated").status_code == 200


def test_expire_ends_every_session_so_that_a_login_succeeds(client: Client) -> None:
    client.login()
    assert client.control("POST", "expire").json()["open_sessions"] == 0
    assert client.statuses("segments", "login") == [401, 200]


def test_reset_returns_to_the_beginning(client: Client) -> None:
    beginning = client.state()
    client.login()
    client.statuses("login")
    client.mip.set_fault("segments", Fault(kind="status"))
    client.mip.set_latency(1)
    client.mip.set_credentials(password="rotated")
    client.mip.set_programs([])
    assert client.control("POST", "reset").json() == beginning
    assert client.statuses("segments", "login") == [401, 200]
