from local.mip import Fault, MipCloud
from tests.local.mip.client import Client


def test_counters_tell_attempts_from_successes(client: Client, mip: MipCloud) -> None:
    client.try_login("wrong")
    client.login()
    client.try_login()
    client.send("segments")
    client.send("logout")
    client.send("logout")
    counters = mip.counters
    assert counters.login_attempts == 3
    assert (counters.logins, counters.logouts, counters.lockouts) == (1, 1, 1)
    assert counters.calls == {"login": 3, "segments": 1, "accounts": 0, "balances": 0, "logout": 2}


def test_the_journal_names_call_status_and_fault_in_order(client: Client, mip: MipCloud) -> None:
    client.login()
    mip.set_fault("segments", Fault(kind="status", status=502))
    client.send("segments")
    client.send("logout")
    seen = [(e.number, e.call, e.status, e.fault) for e in mip.journal]
    assert seen == [
        (1, "login", 200, None),
        (2, "segments", 502, "status"),
        (3, "logout", 200, None),
    ]
    assert client.control("GET", "journal").json()[1] == {
        "number": 2,
        "call": "segments",
        "status": 502,
        "fault": "status",
    }


def test_the_hook_sees_a_call_before_it_has_any_effect(client: Client, mip: MipCloud) -> None:
    seen: list[tuple[str, int]] = []
    mip.on_call = lambda call: seen.append((call, mip.open_sessions))
    client.login()
    client.send("logout")
    assert seen == [("login", 0), ("logout", 1)]
