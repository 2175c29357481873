from typing import Any

import pytest

from local.mip import KINDS, PASSWORD, USER, Fault, MipCloud
from local.mip.sample.organisation import sample_organisation
from tests.local.mip.client import AMOUNT, LOCKOUT_SECONDS, Client, Clock


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"kind": "explode"}, "status, html, refuse"),
        ({"kind": ["status"]}, "status, html, refuse"),
        ({"status": 500}, "kind"),
        ([], "kind"),
        ({"kind": "status", "stauts": 500}, "kind, times, status, headers, body, after"),
        ({"kind": "refuse", "status": 500}, "kind, times, after"),
        ({"kind": "shrink"}, "only to accounts"),
        ({"kind": "status", "times": 0}, "times"),
        ({"kind": "status", "times": True}, "times"),
        ({"kind": "status", "status": 99}, "200 to 599"),
        ({"kind": "status", "headers": {"Retry-After": 3}}, "headers"),
        ({"kind": "status", "headers": {"X": "a\r\nb"}}, "headers"),
        ({"kind": "status", "headers": {"Content-Length": "1"}}, "headers"),
        ({"kind": "status", "after": "yes"}, "true or false"),
        ({"kind": "timeout", "seconds": -1}, "seconds"),
        ({"kind": "missing_field", "field": "TITLE"}, AMOUNT),
    ],
)
def test_a_fault_that_cannot_be_is_answered_400_naming_what_is_allowed(
    client: Client, fault: Any, named: str
) -> None:
    reply = client.control("PUT", "faults/balances", fault)
    assert reply.status_code == 400
    assert named in reply.json()["message"]
    assert client.state()["faults"] == {}


def test_an_unknown_control_path_is_answered_404_naming_the_known_ones(client: Client) -> None:
    reply = client.control("GET", "status")
    assert reply.status_code == 404
    assert "PUT /_control/faults/{call}" in reply.json()["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("latency", {"seconds": "1"}),
        ("latency", {"seconds": 1, "call": "login"}),
        ("credentials", {"pasword": "x"}),
        ("credentials", {"password": 1}),
        ("credentials", ["password"]),
    ],
)
def test_a_control_body_of_another_shape_is_answered_400(
    client: Client, path: str, body: Any
) -> None:
    before = client.state()
    assert client.control("PUT", path, body).status_code == 400
    assert client.state() == before


def test_a_fault_can_be_set_seen_and_deleted_over_http(client: Client) -> None:
    fault = {"kind": "status", "status": 503, "times": 2, "headers": {"Retry-After": "3"}}
    fault |= {"body": "slow down"}
    assert client.control("PUT", "faults/login", fault).json()["faults"] == {"login": fault}
    reply = client.try_login()
    assert (reply.status_code, reply.headers["Retry-After"], reply.text) == (503, "3", "slow down")
    assert client.state()["faults"]["login"]["times"] == 1
    assert client.control("DELETE", "faults/login").json()["faults"] == {}
    assert client.try_login().status_code == 200


def test_the_state_shows_sessions_locks_and_counts_but_no_secret(
    client: Client, mip: MipCloud, clock: Clock
) -> None:
    client.login()
    client.try_login()
    clock.advance(20)
    text = client.control("GET", "state").text
    assert client.state() == {
        "open_sessions": 1,
        "locked_users": {USER: LOCKOUT_SECONDS - 20},
        "counters": {
            "login_attempts": 2,
            "logins": 1,
            "logouts": 0,
            "lockouts": 1,
            "max_open_sessions": 1,
            "calls": {"login": 2, "segments": 0, "accounts": 0, "balances": 0, "logout": 0},
        },
        "calls_under_way": 0,
        "faults": {},
        "latency": {},
        "programs": len(sample_organisation().programs),
    }
    assert client.token is not None
    assert client.token not in text
    assert PASSWORD not in text
    assert PASSWORD not in repr(mip.credentials)


def test_latency_delays_the_calls_it_is_set_for(mip: MipCloud) -> None:
    waits: list[float] = []
    mip.set_latency(0.5)
    mip.set_latency(2, "balances")
    mip.set_latency(0, "logout")
    for call in ("segments", "balances", "logout"):
        mip.call(call, wait=waits.append)
    assert waits == [0.5, 2]


def test_a_rotation_refuses_the_old_password_and_leaves_the_open_session_alone(
    client: Client,
) -> None:
    client.login()
    client.control("PUT", "credentials", {"password": "rotated"})
    assert client.send("segments").status_code == 200
    client.send("logout")
    assert client.try_login().status_code == 401
    assert client.try_login("rotated").status_code == 200


def test_expire_ends_every_session_so_that_a_login_succeeds(client: Client) -> None:
    client.login()
    assert client.control("POST", "expire").json()["open_sessions"] == 0
    assert client.send("segments").status_code == 401
    assert client.try_login().status_code == 200


def test_reset_returns_to_the_beginning(client: Client, mip: MipCloud) -> None:
    beginning = client.state()
    client.login()
    client.try_login()
    mip.set_fault("segments", Fault(kind="status"))
    client.control("PUT", "latency", {"seconds": 0})
    client.control("PUT", "credentials", {"password": "rotated"})
    mip.set_programs([])
    assert client.control("POST", "reset").json() == beginning
    assert client.send("segments").status_code == 401
    assert client.try_login().status_code == 200


def test_every_kind_of_fault_can_happen_to_some_call(mip: MipCloud) -> None:
    for kind, rule in KINDS.items():
        for call in rule.calls:
            mip.set_fault(call, Fault(kind=kind))
            assert mip.state()["faults"][call] == {"kind": kind}
