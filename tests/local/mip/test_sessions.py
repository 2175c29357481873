from concurrent.futures import ThreadPoolExecutor

import pytest

from local.mip import ORGANISATION, PASSWORD, USER
from tests.fakes import FakeClock
from tests.local.mip.client import IDLE_SECONDS, LOCKOUT_SECONDS, Client

FETCHES = ("segments", "accounts", "balances")


def test_a_login_opens_a_session_that_every_call_accepts_until_the_logout(client: Client) -> None:
    client.login()
    assert client.statuses(*FETCHES) == [200] * 3
    assert client.mip.open_sessions == 1
    assert client.statuses("logout", *FETCHES, "logout") == [200, *[401] * 4]
    assert client.mip.open_sessions == 0


@pytest.mark.parametrize("token", [None, "made-up"])
def test_a_call_without_the_token_of_an_open_session_is_refused_with_401(
    client: Client, token: str | None
) -> None:
    client.login()
    client.token = token
    assert client.statuses(*FETCHES, "logout") == [401] * 4


@pytest.mark.parametrize(
    "wrong", [{"password": "x"}, {"user": "somebody"}, {"org": "Another Non-Profit"}]
)
def test_a_login_with_wrong_credentials_is_refused_with_401_and_opens_nothing(
    client: Client, wrong: dict[str, str]
) -> None:
    reply = client.try_login(**wrong)
    assert (reply.status_code, bool(reply.json()["message"])) == (401, True)
    assert client.mip.open_sessions == 0


def test_a_login_while_a_session_is_open_locks_the_user_out_and_leaves_the_session_open(
    client: Client, clock: FakeClock
) -> None:
    client.login()
    assert client.statuses("login", "segments", "logout", "login") == [403, 200, 200, 403]
    assert client.try_login("wrong").status_code == 403
    assert client.try_login(user="somebody").status_code == 401
    clock.advance(seconds=LOCKOUT_SECONDS - 1)
    assert client.statuses("login") == [403]
    clock.advance(seconds=1)
    assert client.statuses("login") == [200]


def test_a_session_ends_after_the_idle_time_which_every_use_starts_anew(
    client: Client, clock: FakeClock
) -> None:
    client.login()
    for _ in range(2):
        clock.advance(seconds=IDLE_SECONDS - 1)
        assert client.statuses("segments") == [200]
    clock.advance(seconds=IDLE_SECONDS)
    assert client.statuses("segments", "login") == [401, 200]


def test_of_many_logins_at_once_exactly_one_opens_a_session(client: Client) -> None:
    body = {"username": USER, "password": PASSWORD, "org": ORGANISATION}
    with ThreadPoolExecutor(12) as pool:
        replies = [pool.submit(client.mip.call, "login", body=body) for _ in range(12)]
    assert sorted(reply.result().status for reply in replies) == [200] + [403] * 11
    counters = client.mip.counters
    assert (counters.max_open_sessions, counters.lockouts) == (1, 1)
