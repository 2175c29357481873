from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.mip import MipCloud
from tests.local.mip.client import IDLE_SECONDS, LOCKOUT_SECONDS, Client, Clock


def test_a_login_with_the_right_credentials_opens_a_session_that_every_call_accepts(
    client: Client, mip: MipCloud
) -> None:
    client.login()
    for call in ("segments", "accounts", "balances"):
        assert client.anything(call).status_code == 200
    assert mip.open_sessions == 1


@pytest.mark.parametrize(
    "wrong", [{"password": "x"}, {"user": "somebody"}, {"org": "Another Non-Profit"}]
)
def test_a_login_with_wrong_credentials_is_refused_with_401_and_opens_nothing(
    client: Client, mip: MipCloud, wrong: dict[str, str]
) -> None:
    reply = client.try_login(**wrong)
    assert reply.status_code == 401
    assert reply.json()["message"]
    assert mip.open_sessions == 0


def test_a_login_while_a_session_is_open_locks_the_user_out(
    client: Client, new_client: Callable[[], Client], clock: Clock
) -> None:
    client.login()
    second = new_client()
    assert second.try_login().status_code == 403
    client.send("logout")
    clock.advance(LOCKOUT_SECONDS - 1)
    assert second.try_login().status_code == 403
    clock.advance(1)
    assert second.try_login().status_code == 200


def test_a_lock_out_refuses_wrong_passwords_too_but_neither_the_session_nor_other_users(
    client: Client,
) -> None:
    client.login()
    assert client.try_login().status_code == 403
    assert client.try_login("wrong").status_code == 403
    assert client.try_login(user="somebody").status_code == 401
    assert client.send("segments").status_code == 200
    assert client.send("logout").status_code == 200


def test_a_session_ends_after_the_idle_time_and_then_a_login_succeeds(
    client: Client, clock: Clock
) -> None:
    client.login()
    clock.advance(IDLE_SECONDS)
    assert client.send("segments").status_code == 401
    assert client.try_login().status_code == 200


def test_every_use_of_a_session_starts_its_idle_time_anew(client: Client, clock: Clock) -> None:
    client.login()
    for _ in range(3):
        clock.advance(IDLE_SECONDS - 1)
        assert client.send("segments").status_code == 200


def test_logout_closes_the_session_for_every_later_call(client: Client, mip: MipCloud) -> None:
    client.login()
    assert client.send("logout").status_code == 200
    assert mip.open_sessions == 0
    for call in ("segments", "accounts", "balances", "logout"):
        assert client.anything(call).status_code == 401


@pytest.mark.parametrize("call", ["segments", "accounts", "balances", "logout"])
@pytest.mark.parametrize("token", [None, "made-up"])
def test_a_call_without_the_token_of_an_open_session_is_refused_with_401(
    client: Client, call: str, token: str | None
) -> None:
    client.login()
    client.token = token
    assert client.anything(call).status_code == 401


def test_of_many_logins_at_once_exactly_one_opens_a_session(
    mip: MipCloud, new_client: Callable[[], Client]
) -> None:
    clients = [new_client() for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(r.status_code for r in pool.map(Client.try_login, clients))
    assert statuses == [200] + [403] * 11
    assert (mip.counters.max_open_sessions, mip.counters.lockouts) == (1, 1)
