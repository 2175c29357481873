"""MIP Cloud over HTTP: what is sent, and what each failure comes to."""

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
)

from core.adapters.mip_client import MipClient, balances_request
from core.adapters.mip_http import retry_after_seconds
from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    MipsCacheError,
    OutOfTimeError,
    SessionLostError,
    TimedOutError,
    TransientUpstreamError,
    UpstreamDataError,
    UpstreamError,
)
from tests.builders import SEPTEMBER, make_credentials, make_worker_settings
from tests.fakes import FakeClock, RecordingTelemetry

LOGIN = "https://login.example.org/api/v1/sso/mipadv/login"
API = "https://api.example.org"
SEGMENTS = f"{API}/api/coa/segments"
ACCOUNTS = f"{API}/api/coa/segments/accounts"
BALANCES = f"{API}/api/model/CBODispBal/methods/GetAccountBalances"
LOGOUT = f"{API}/api/security/logout"
TOKEN = "session-token"
CREDENTIALS = make_credentials()


class MockedMip:
    """MIP's answers as they were told beforehand, and a client that gets them."""

    def __init__(
        self, mock: responses.RequestsMock, clock: FakeClock, telemetry: RecordingTelemetry
    ) -> None:
        self.add, self.add_callback, self.calls = mock.add, mock.add_callback, mock.calls
        self.clock = clock
        self.telemetry = telemetry
        self.client = make_client(clock, telemetry)


@pytest.fixture
def mip(clock: FakeClock, telemetry: RecordingTelemetry) -> Iterator[MockedMip]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield MockedMip(mock, clock, telemetry)


def make_client(clock: FakeClock, telemetry: RecordingTelemetry, **settings: Any) -> MipClient:
    there = {
        "mip_login_url": "https://login.example.org",
        "mip_api_url": API,
        "mip_org": "ORG-7",
    }
    return MipClient(
        telemetry=telemetry,
        clock=clock,
        sleep=clock.sleep,
        settings=make_worker_settings(**there, **settings),
    )


Call = Callable[[MipClient, FakeClock], object]
CALLS: dict[str, tuple[str, str, Call]] = {
    "login": ("POST", LOGIN, lambda c, t: c.log_in(CREDENTIALS, t.deadline(300))),
    "logout": ("POST", LOGOUT, lambda c, t: c.log_out(TOKEN, t.deadline(300))),
    "segments": ("GET", SEGMENTS, lambda c, t: c.segments(TOKEN, t.deadline(300))),
    "accounts": ("GET", ACCOUNTS, lambda c, t: c.accounts(TOKEN, t.deadline(300))),
    "balances": ("POST", BALANCES, lambda c, t: c.balances(TOKEN, SEPTEMBER, t.deadline(300))),
}
FETCHES = ("segments", "accounts", "balances")
MAX_ATTEMPTS = 4


def refused_connection() -> requests.ConnectionError:
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, LOGIN, reason))  # type: ignore[arg-type]


def connect_timeout() -> requests.ConnectTimeout:
    reason = ConnectTimeoutError(None, "slow")
    return requests.ConnectTimeout(MaxRetryError(None, LOGIN, reason))  # type: ignore[arg-type]


NOT_SENT = {"refused": refused_connection, "connect time-out": connect_timeout}
BROKEN = {
    "reset": lambda: requests.ConnectionError(ProtocolError("reset")),
    "read time-out": lambda: requests.ReadTimeout("x"),
    "broken body": lambda: requests.exceptions.ChunkedEncodingError("x"),
    "TLS": lambda: requests.exceptions.SSLError("x"),
}
SERVER_ERRORS = (500, 502, 503, 504)


def attempt(name: str, mip: MockedMip, **answer: Any) -> tuple[MipsCacheError, int]:
    """Make a call that is always answered so; returns what it raises and how often it was sent."""
    method, url, call = CALLS[name]
    mip.add(method, url, **answer)
    with pytest.raises(MipsCacheError) as caught:
        call(mip.client, mip.clock)
    return caught.value, len(mip.calls)


# What is sent


def test_login_sends_the_credentials_and_returns_the_token(mip: MockedMip) -> None:
    mip.add("POST", LOGIN, json={"AccessToken": TOKEN})
    assert mip.client.log_in(CREDENTIALS, mip.clock.deadline(300)) == TOKEN
    request = mip.calls[0].request
    assert json.loads(request.body) == {
        "username": CREDENTIALS.username,
        "password": CREDENTIALS.password,
        "org": "ORG-7",
    }
    assert "Authorization-Token" not in request.headers


@pytest.mark.parametrize("name", FETCHES)
def test_fetch_sends_the_token_and_returns_the_reply(mip: MockedMip, name: str) -> None:
    method, url, call = CALLS[name]
    mip.add(method, url, json={"a": 1})
    assert call(mip.client, mip.clock) == {"a": 1}
    assert mip.calls[0].request.headers["Authorization-Token"] == TOKEN


def test_logout_posts_the_token(mip: MockedMip) -> None:
    mip.add("POST", LOGOUT)
    mip.client.log_out(TOKEN, mip.clock.deadline(300))
    assert mip.calls[0].request.headers["Authorization-Token"] == TOKEN


def test_balances_sends_what_mips_own_page_sends(mip: MockedMip) -> None:
    mip.add("POST", BALANCES, json={})
    mip.client.balances(TOKEN, SEPTEMBER, mip.clock.deadline(300))
    assert json.loads(mip.calls[0].request.body) == {
        "BOInformation": {
            "constructor": {},
            "ModelFields": {
                "fields": [
                    {"DISPBAL_DATEFROM": "2026-09-01"},
                    {"DISPBAL_DATETO": "2026-09-30"},
                ],
                "DISPBAL_SEGINFO": [
                    {
                        "fields": [
                            {"GRID_PHY_ID": 0},
                            {"FILTER_SELECT": True},
                            {"FILTER_ORDER": -1},
                            {"FILTER_FIX": False},
                            {"FILTER_DATATYPE": 10},
                            {"FILTER_FIELDTYPE": 40},
                            {"FILTER_ITEM": "GL"},
                            {"FILTER_OPERATOR": "<>"},
                            {"FILTER_CRITERIA1": "<Blank>"},
                            {"FILTER_CRITERIA2": ""},
                        ]
                    }
                ],
            },
        },
        "MethodParameters": {"strJson": '{"level":1}'},
    }


def test_balances_request_is_made_anew_each_time() -> None:
    balances_request(SEPTEMBER)["BOInformation"]["constructor"]["x"] = 1
    assert balances_request(SEPTEMBER)["BOInformation"]["constructor"] == {}


@pytest.mark.parametrize("literal", ["0.10", "100.00", "0.30000000000000004"])
def test_fetch_keeps_mips_digits(mip: MockedMip, literal: str) -> None:
    mip.add("POST", BALANCES, body=f'{{"amount": {literal}}}')
    reply = mip.client.balances(TOKEN, SEPTEMBER, mip.clock.deadline(300))
    assert isinstance(reply, dict)
    assert isinstance(reply["amount"], Decimal)
    assert str(reply["amount"]) == literal


@pytest.mark.parametrize(
    ("name", "read_timeout"),
    [("login", 42), ("segments", 42), ("accounts", 42), ("balances", 42), ("logout", 8)],
)
def test_call_has_connect_and_read_timeouts(mip: MockedMip, name: str, read_timeout: int) -> None:
    """A logout is light work for MIP, and its time is reserved: it has a time-out of its own."""
    client = make_client(mip.clock, mip.telemetry, mip_timeout_seconds=42)
    method, url, call = CALLS[name]
    mip.add(method, url, json={"AccessToken": TOKEN})
    call(client, mip.clock)
    assert mip.calls[0].request.req_kwargs["timeout"] == (5, read_timeout)


def test_compressed_reply_is_read(mip: MockedMip) -> None:
    body = gzip.compress(b'{"COA_SEGID": []}')
    mip.add("GET", SEGMENTS, body=body, headers={"Content-Encoding": "gzip"})
    assert mip.client.segments(TOKEN, mip.clock.deadline(300)) == {"COA_SEGID": []}


def test_call_timeouts_shrink_with_the_time_that_is_left(mip: MockedMip) -> None:
    mip.add("GET", SEGMENTS, json={})
    mip.client.segments(TOKEN, mip.clock.deadline(2))
    assert mip.calls[0].request.req_kwargs["timeout"] == (2, 2)


@pytest.mark.parametrize("name", ["login", *FETCHES])
def test_redirect_is_never_followed(mip: MockedMip, name: str) -> None:
    elsewhere = {"Location": "https://elsewhere.example.org/"}
    _, sent = attempt(name, mip, status=302, headers=elsewhere)
    assert sent == 1


# Failures that are retried


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("error", NOT_SENT.values(), ids=NOT_SENT)
def test_connection_that_did_not_come_about_is_retried(
    mip: MockedMip, name: str, error: Callable[[], Exception]
) -> None:
    raised, sent = attempt(name, mip, body=error())
    assert isinstance(raised, TransientUpstreamError)
    assert sent == MAX_ATTEMPTS


@pytest.mark.parametrize("name", [*FETCHES, "logout"])
@pytest.mark.parametrize("error", BROKEN)
def test_broken_line_is_retried_after_the_login(mip: MockedMip, name: str, error: str) -> None:
    raised, sent = attempt(name, mip, body=BROKEN[error]())
    assert isinstance(raised, TransientUpstreamError)
    heavy_and_slow = (name, error) == ("balances", "read time-out")
    assert sent == (2 if heavy_and_slow else MAX_ATTEMPTS)


def test_balances_that_timed_out_are_repeated_once_whatever_comes_between(mip: MockedMip) -> None:
    """MIP goes on computing what nobody waits for any more: four such queries would pile up."""
    for answer in ({"status": 503}, {"body": BROKEN["read time-out"]()}, {"status": 503}):
        mip.add("POST", BALANCES, **answer)
    with pytest.raises(TransientUpstreamError, match="503"):
        mip.client.balances(TOKEN, SEPTEMBER, mip.clock.deadline(300))
    assert len(mip.calls) == 3


@pytest.mark.parametrize("name", [*FETCHES, "logout"])
@pytest.mark.parametrize("status", SERVER_ERRORS)
def test_server_error_is_retried_after_the_login(mip: MockedMip, name: str, status: int) -> None:
    raised, sent = attempt(name, mip, status=status)
    assert isinstance(raised, TransientUpstreamError)
    assert str(status) in str(raised)
    assert sent == MAX_ATTEMPTS


@pytest.mark.parametrize("name", CALLS)
def test_too_many_requests_is_retried(mip: MockedMip, name: str) -> None:
    raised, sent = attempt(name, mip, status=429)
    assert isinstance(raised, TransientUpstreamError)
    assert sent == MAX_ATTEMPTS


@pytest.mark.parametrize("name", CALLS)
def test_call_that_works_at_last_succeeds(mip: MockedMip, name: str) -> None:
    method, url, call = CALLS[name]
    for _ in range(MAX_ATTEMPTS - 1):
        mip.add(method, url, status=429)
    mip.add(method, url, json={"AccessToken": TOKEN})
    call(mip.client, mip.clock)
    retries = [event for _, event, _ in mip.telemetry.events if event == "call retried"]
    assert len(retries) == MAX_ATTEMPTS - 1


def test_backoff_grows_from_try_to_try(mip: MockedMip) -> None:
    attempt("segments", mip, status=503)
    first, second, third = mip.clock.sleeps
    assert 0.5 <= first <= 1 <= second <= 1.5
    assert 2 <= third <= 2.5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(mip: MockedMip, status: int) -> None:
    mip.add("GET", SEGMENTS, status=status, headers={"Retry-After": "12"})
    mip.add("GET", SEGMENTS, json={})
    mip.client.segments(TOKEN, mip.clock.deadline(300))
    assert mip.clock.sleeps == [12.0]


def test_backoff_is_kept_where_mip_asks_for_less(mip: MockedMip) -> None:
    attempt("segments", mip, status=503, headers={"Retry-After": "1"})
    assert mip.clock.sleeps[-1] >= 2


def test_backoff_that_leaves_no_time_for_a_try_is_not_begun(mip: MockedMip) -> None:
    mip.add("GET", SEGMENTS, status=503)
    with pytest.raises(TransientUpstreamError, match="503"):
        mip.client.segments(TOKEN, mip.clock.deadline(1.4))
    assert mip.clock.sleeps == []


def test_call_with_just_enough_time_is_started(mip: MockedMip) -> None:
    mip.add("GET", SEGMENTS, json={})
    assert mip.client.segments(TOKEN, mip.clock.deadline(1)) == {}


def test_retry_after_longer_than_the_time_left_is_not_waited_for(mip: MockedMip) -> None:
    raised, sent = attempt("segments", mip, status=429, headers={"Retry-After": "3600"})
    assert isinstance(raised, TransientUpstreamError)
    assert raised.retry_after_seconds == 3600
    assert sent == 1
    assert mip.clock.sleeps == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param(" 120 ", 120.0, id="seconds"),
        pytest.param("Thu, 15 Oct 2026 12:02:00 GMT", 120.0, id="date"),
        pytest.param("Thu, 15 Oct 2026 12:02:00 -0000", 120.0, id="date without a zone"),
        pytest.param("Thu, 15 Oct 2026 11:00:00 GMT", 0.0, id="past date"),
        pytest.param("soon", None, id="word"),
        pytest.param("", None, id="empty"),
        pytest.param("-5", None, id="negative"),
        pytest.param("\u0665", None, id="other digits"),
        pytest.param("Thu, 15 Oct 99999999999999999999 12:00:00 GMT", None, id="absurd year"),
    ],
)
def test_retry_after_seconds_reads_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, datetime(2026, 10, 15, 12, tzinfo=UTC)) == seconds


# Deadlines


@pytest.mark.parametrize("name", ["segments", "accounts", "balances"])
@pytest.mark.parametrize("left", [0.9, 0, -5])
def test_fetch_without_time_is_not_started(mip: MockedMip, name: str, left: float) -> None:
    fetch = {
        "segments": lambda: mip.client.segments(TOKEN, mip.clock.deadline(left)),
        "accounts": lambda: mip.client.accounts(TOKEN, mip.clock.deadline(left)),
        "balances": lambda: mip.client.balances(TOKEN, SEPTEMBER, mip.clock.deadline(left)),
    }[name]
    with pytest.raises(OutOfTimeError, match=name):
        fetch()
    assert len(mip.calls) == 0


def test_login_without_time_is_not_started_and_not_ambiguous(mip: MockedMip) -> None:
    with pytest.raises(OutOfTimeError):
        mip.client.log_in(CREDENTIALS, mip.clock.deadline(0.5))
    assert len(mip.calls) == 0


def test_retries_stop_before_the_deadline(mip: MockedMip) -> None:
    def slow(request: Any) -> tuple[int, dict[str, str], str]:
        mip.clock.advance(seconds=40)
        return (503, {}, "")

    mip.add_callback("GET", SEGMENTS, slow)
    with pytest.raises(TransientUpstreamError):
        mip.client.segments(TOKEN, mip.clock.deadline(60))
    assert len(mip.calls) == 2


def slow_body(clock: FakeClock, body: str) -> Callable[[Any], tuple[int, dict[str, str], str]]:
    """Answer at once, but let a minute pass until the body has come."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        clock.advance(seconds=60)
        return (200, {}, body)

    return answer


def test_fetch_whose_reply_takes_too_long_is_given_up(mip: MockedMip) -> None:
    mip.add_callback("GET", SEGMENTS, slow_body(mip.clock, "{}"))
    with pytest.raises(TransientUpstreamError, match="too long"):
        mip.client.segments(TOKEN, mip.clock.deadline(60))
    assert len(mip.calls) == 1


class BrokenBody(io.RawIOBase):
    """A body during which the line breaks."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("broken", "error"),
    [(TimeoutError(), TimedOutError), (ConnectionResetError(), TransientUpstreamError)],
)
def test_line_that_breaks_in_mid_body_is_told_as_what_it_is(
    mip: MockedMip, broken: Exception, error: type[UpstreamError]
) -> None:
    mip.add("GET", SEGMENTS, body=io.BufferedReader(BrokenBody(broken)))
    with pytest.raises(error) as caught:
        mip.client.segments(TOKEN, mip.clock.deadline(1.4))  # too little for a second try
    assert caught.type is error


def test_login_whose_reply_takes_too_long_is_ambiguous(mip: MockedMip) -> None:
    mip.add_callback("POST", LOGIN, slow_body(mip.clock, '{"AccessToken": "t"}'))
    with pytest.raises(AmbiguousLoginError):
        mip.client.log_in(CREDENTIALS, mip.clock.deadline(30))


# Logins


@pytest.mark.parametrize("error", BROKEN.values(), ids=BROKEN)
def test_login_on_a_broken_line_is_ambiguous_and_not_repeated(
    mip: MockedMip, error: Callable[[], Exception]
) -> None:
    raised, sent = attempt("login", mip, body=error())
    assert isinstance(raised, AmbiguousLoginError)
    assert sent == 1


@pytest.mark.parametrize("status", SERVER_ERRORS)
def test_login_answered_with_a_server_error_is_ambiguous_and_not_repeated(
    mip: MockedMip, status: int
) -> None:
    raised, sent = attempt("login", mip, status=status)
    assert isinstance(raised, AmbiguousLoginError)
    assert sent == 1


def test_login_ambiguous_after_a_refused_connection_is_not_repeated(mip: MockedMip) -> None:
    mip.add("POST", LOGIN, body=refused_connection())
    mip.add("POST", LOGIN, status=503)
    with pytest.raises(AmbiguousLoginError):
        mip.client.log_in(CREDENTIALS, mip.clock.deadline(300))
    assert len(mip.calls) == 2


def test_login_401_is_a_refusal_of_the_credentials_and_not_repeated(mip: MockedMip) -> None:
    raised, sent = attempt("login", mip, status=401, body="unknown user")
    assert isinstance(raised, CredentialsRefusedError)
    assert str(raised) == "MIP answered 401 to login: unknown user"
    assert sent == 1


@pytest.mark.parametrize("status", [302, 400, 403, 404, 409, 423])
def test_login_other_refusal_is_a_lock_out_and_not_repeated(mip: MockedMip, status: int) -> None:
    raised, sent = attempt("login", mip, status=status, body="already logged in")
    assert isinstance(raised, LockedOutError)
    assert str(raised) == f"MIP answered {status} to login: already logged in"
    assert sent == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        '{"AccessToken": null}',
        '{"AccessToken": ""}',
        '{"AccessToken": 5}',
        "[" * 100_000,
    ],
    ids=lambda body: body[:20],
)
def test_login_200_without_a_token_is_a_lock_out(mip: MockedMip, body: str) -> None:
    raised, sent = attempt("login", mip, status=200, body=body)
    assert isinstance(raised, LockedOutError)
    assert sent == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"accessToken": "session-token", "restApiUrl": "https://api.example.org"}',
        '{"ACCESSTOKEN": "session-token"}',
        '{"accessToken": null, "AccessToken": "session-token"}',
        '{"AccessToken": "session-token", "accessToken": 7}',
        '{"AccessToken": " session-token\\n"}',
    ],
)
def test_login_finds_the_token_in_any_letter_case(mip: MockedMip, body: str) -> None:
    """MIP's reference spells it AccessToken, its own tutorial accessToken."""
    mip.add("POST", LOGIN, body=body)
    assert mip.client.log_in(CREDENTIALS, mip.clock.deadline(300)) == TOKEN


@pytest.mark.parametrize(("status", "error"), [(503, AmbiguousLoginError), (403, LockedOutError)])
def test_login_that_says_when_to_come_back_tells_it(
    mip: MockedMip, status: int, error: type[UpstreamError]
) -> None:
    raised, _ = attempt("login", mip, status=status, headers={"Retry-After": "600"})
    assert isinstance(raised, error)
    assert raised.retry_after_seconds == 600


@pytest.mark.parametrize("status", [401, 403])
def test_login_refusal_never_tells_a_secret(mip: MockedMip, status: int) -> None:
    echo = {"user": CREDENTIALS.username, "pass": CREDENTIALS.password, "org": "ORG-7"}
    raised, _ = attempt("login", mip, status=status, json=echo)
    for secret in echo.values():
        assert secret not in str(raised)
    assert "***" in str(raised)


def test_login_refusal_long_text_is_cut_to_one_line(mip: MockedMip) -> None:
    raised, _ = attempt("login", mip, status=403, body="no\n\x00way " * 999)
    assert re.fullmatch(r"MIP answered 403 to login: [a-z ]{1,200}", str(raised))


@pytest.mark.parametrize("name", CALLS)
def test_every_try_of_a_call_is_counted_by_its_name(mip: MockedMip, name: str) -> None:
    _, sent = attempt(name, mip, status=429)
    calls = [dimensions for metric, _, dimensions in mip.telemetry.metrics if metric == "MipCalls"]
    assert calls == [{"call": name}] * sent


def test_logins_are_counted(mip: MockedMip) -> None:
    attempt("login", mip, status=403)
    assert mip.telemetry.counted("MipLogins") == 1


# The other calls


@pytest.mark.parametrize("name", FETCHES)
def test_fetch_401_is_a_lost_session_and_not_repeated(mip: MockedMip, name: str) -> None:
    raised, sent = attempt(name, mip, status=401)
    assert isinstance(raised, SessionLostError)
    assert sent == 1


@pytest.mark.parametrize("name", [*FETCHES, "logout"])
@pytest.mark.parametrize("status", [300, 302, 400, 403, 404])
def test_other_refusal_is_upstream_data_and_not_repeated(
    mip: MockedMip, name: str, status: int
) -> None:
    raised, sent = attempt(name, mip, status=status, body="confidential")
    assert isinstance(raised, UpstreamDataError)
    assert str(raised) == f"MIP answered {status} to {name}"
    assert sent == 1


@pytest.mark.parametrize("name", FETCHES)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>confidential", b"\xff\xfe", b"[" * 100_000],
    ids=lambda body: str(body[:9]),
)
def test_fetch_reply_that_is_no_json_is_upstream_data(
    mip: MockedMip, name: str, body: bytes
) -> None:
    raised, sent = attempt(name, mip, status=200, body=body)
    assert isinstance(raised, UpstreamDataError)
    assert "confidential" not in str(raised)
    assert sent == 1


def test_logout_401_is_done(mip: MockedMip) -> None:
    mip.add("POST", LOGOUT, status=401)
    mip.client.log_out(TOKEN, mip.clock.deadline(300))
    assert len(mip.calls) == 1


def test_logout_answered_with_a_page_is_not_confirmed(mip: MockedMip) -> None:
    """It comes from something between us and MIP, which may not have got the request."""
    raised, _ = attempt("logout", mip, status=200, body=" <html>")
    assert isinstance(raised, UpstreamDataError)


def test_logout_is_tried_until_it_is_confirmed(mip: MockedMip) -> None:
    mip.add("POST", LOGOUT, status=500)
    mip.add("POST", LOGOUT, body=requests.ReadTimeout("x"))
    mip.add("POST", LOGOUT, status=200)
    mip.client.log_out(TOKEN, mip.clock.deadline(300))
    assert len(mip.calls) == 3


# What is told


@pytest.mark.parametrize("name", CALLS)
def test_errors_and_telemetry_hold_no_secret_and_no_body(mip: MockedMip, name: str) -> None:
    text = f"{TOKEN} {CREDENTIALS.password}"
    raised, _ = attempt(name, mip, status=503, body=text)
    told = f"{raised} {mip.telemetry.events} {mip.telemetry.metrics}"
    assert TOKEN not in told
    assert CREDENTIALS.password not in told
    assert LOGIN not in told


def test_environment_proxy_is_not_used(mip: MockedMip) -> None:
    assert mip.client._http._session.trust_env is False


@pytest.mark.parametrize("status", [200, 503])
def test_request_is_counted_and_timed_however_it_ends(mip: MockedMip, status: int) -> None:
    def answer_late(_request: object) -> tuple[int, dict[str, str], str]:
        mip.clock.advance(seconds=2)
        return status, {}, "{}"

    mip.add_callback("GET", SEGMENTS, callback=answer_late)
    with suppress(MipsCacheError):
        mip.client.segments(TOKEN, mip.clock.deadline(300))
    timed = [(value, told) for name, value, told in mip.telemetry.metrics if name == "MipSeconds"]
    assert timed[0] == (2.0, {"call": "segments"})
    assert mip.telemetry.counted("MipCalls") == len(timed)
