"""MIP Cloud over HTTP: what is sent, and what each failure comes to."""

import gzip
import io
import json
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

from core.adapters.mip_client import MipClient
from core.adapters.mip_http import retry_after_seconds
from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    MipsCacheError,
    OutOfTimeError,
    RequestNotTakenError,
    SessionLostError,
    TimedOutError,
    TransientUpstreamError,
    UpstreamDataError,
    UpstreamError,
)
from core.timing import Deadline
from local.mip import balances_body
from tests.builders import SEPTEMBER, make_credentials, make_worker_settings
from tests.fakes import FakeClock, RecordingTelemetry

LOGIN = "https://login.example.org/api/v1/sso/mipadv/login"
API = "https://api.example.org"
TOKEN = "session-token"
CREDENTIALS = make_credentials()
CONFIDENTIAL = f"confidential {CREDENTIALS.username} {CREDENTIALS.password} ORG-7"
MAX_ATTEMPTS = 4

Call = Callable[[MipClient, Deadline], object]
CALLS: dict[str, tuple[str, str, Call]] = {
    "login": ("POST", LOGIN, lambda c, by: c.log_in(CREDENTIALS, by)),
    "logout": ("POST", f"{API}/api/security/logout", lambda c, by: c.log_out(TOKEN, by)),
    "segments": ("GET", f"{API}/api/coa/segments", lambda c, by: c.segments(TOKEN, by)),
    "accounts": ("GET", f"{API}/api/coa/segments/accounts", lambda c, by: c.accounts(TOKEN, by)),
    "balances": (
        "POST",
        f"{API}/api/model/CBODispBal/methods/GetAccountBalances",
        lambda c, by: c.balances(TOKEN, SEPTEMBER, by),
    ),
}
FETCHES = ("segments", "accounts", "balances")


class MockedMip:
    """MIP's answers as they were told beforehand, and a client that gets them."""

    def __init__(
        self, mock: responses.RequestsMock, clock: FakeClock, telemetry: RecordingTelemetry
    ) -> None:
        self._mock = mock
        self.clock = clock
        self.telemetry = telemetry
        self.client = MipClient(
            telemetry=telemetry,
            clock=clock,
            sleep=clock.sleep,
            settings=make_worker_settings(
                mip_login_url="https://login.example.org",
                mip_api_url=API,
                mip_org="ORG-7",
                mip_timeout_seconds=42,
            ),
        )

    def answer(self, name: str, **answer: Any) -> None:
        """Give an answer to a call; the last one again and again."""
        self._mock.add(*CALLS[name][:2], **answer)

    def answer_late(self, name: str, seconds: float, status: int, body: str) -> None:
        """Let so much time pass until the answer has come."""

        def late(_request: object) -> tuple[int, dict[str, str], str]:
            self.clock.advance(seconds=seconds)
            return status, {}, body

        self._mock.add_callback(*CALLS[name][:2], callback=late)

    def call(self, name: str, seconds_left: float = 300) -> Any:
        return CALLS[name][2](self.client, self.clock.deadline(seconds_left))

    def fail(self, name: str, seconds_left: float = 300, **answer: Any) -> UpstreamError:
        """Make a call that fails, because it is always answered so."""
        if answer:
            self.answer(name, **answer)
        with pytest.raises(UpstreamError) as caught:
            self.call(name, seconds_left)
        return caught.value

    @property
    def requests(self) -> list[Any]:
        return [call.request for call in self._mock.calls]


@pytest.fixture
def mip(clock: FakeClock, telemetry: RecordingTelemetry) -> Iterator[MockedMip]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield MockedMip(mock, clock, telemetry)


# What is sent


def test_login_sends_the_credentials_and_returns_the_token(mip: MockedMip) -> None:
    mip.answer("login", json={"AccessToken": TOKEN})
    assert mip.call("login") == TOKEN
    [request] = mip.requests
    sent = {"username": CREDENTIALS.username, "password": CREDENTIALS.password, "org": "ORG-7"}
    assert json.loads(request.body) == sent
    assert "Authorization-Token" not in request.headers


@pytest.mark.parametrize(
    ("name", "reply"), [*((name, {"a": 1}) for name in FETCHES), ("logout", None)]
)
def test_other_calls_send_the_token_and_return_the_reply(
    mip: MockedMip, name: str, reply: object
) -> None:
    mip.answer(name, json={"a": 1})
    assert mip.call(name) == reply
    assert mip.requests[0].headers["Authorization-Token"] == TOKEN


def test_balances_sends_what_mips_own_page_sends(mip: MockedMip) -> None:
    mip.answer("balances", json={})
    mip.call("balances")
    assert json.loads(mip.requests[0].body) == balances_body("2026-09-01", "2026-09-30")


@pytest.mark.parametrize("literal", ["0.10", "100.00", "0.30000000000000004"])
def test_fetch_keeps_mips_digits(mip: MockedMip, literal: str) -> None:
    mip.answer("balances", body=f'{{"amount": {literal}}}')
    amount = mip.call("balances")["amount"]
    assert isinstance(amount, Decimal)
    assert str(amount) == literal


@pytest.mark.parametrize(
    ("name", "seconds_left", "timeout"),
    [
        ("logout", 300, (5, 8)),
        *((name, 300, (5, 42)) for name in ("login", *FETCHES)),
        ("segments", 1, (1, 1)),
    ],
)
def test_call_has_connect_and_read_timeouts_no_longer_than_the_time_that_is_left(
    mip: MockedMip, name: str, seconds_left: float, timeout: tuple[float, float]
) -> None:
    """A logout is light work for MIP, and its time is reserved: it has a time-out of its own.

    A second is just enough for a call to be started.
    """
    mip.answer(name, json={"AccessToken": TOKEN})
    mip.call(name, seconds_left)
    assert mip.requests[0].req_kwargs["timeout"] == timeout


def test_compressed_reply_is_read(mip: MockedMip) -> None:
    body = gzip.compress(b'{"COA_SEGID": []}')
    mip.answer("segments", body=body, headers={"Content-Encoding": "gzip"})
    assert mip.call("segments") == {"COA_SEGID": []}


def test_environment_proxy_is_not_used(mip: MockedMip) -> None:
    assert mip.client._http._session.trust_env is False


# Failures


def unreached(kind: type[requests.ConnectionError], reason: Exception) -> requests.ConnectionError:
    return kind(MaxRetryError(None, LOGIN, reason))  # type: ignore[arg-type]


NO_ROUTE = NewConnectionError(None, "no route")  # type: ignore[arg-type]
NOT_TAKEN = (RequestNotTakenError, RequestNotTakenError)
BROKEN = (AmbiguousLoginError, TransientUpstreamError)
REFUSED = (LockedOutError, UpstreamDataError)
REPEATED = {RequestNotTakenError, TransientUpstreamError, TimedOutError}
FAILURES: list[tuple[Any, type[UpstreamError], type[UpstreamError]]] = [
    # the answer, what a login raises, what another call raises
    (unreached(requests.ConnectionError, NO_ROUTE), *NOT_TAKEN),
    (unreached(requests.ConnectTimeout, ConnectTimeoutError(None, "slow")), *NOT_TAKEN),
    (429, *NOT_TAKEN),
    (requests.ConnectionError(ProtocolError(CONFIDENTIAL)), *BROKEN),
    (requests.exceptions.ChunkedEncodingError(CONFIDENTIAL), *BROKEN),
    (requests.exceptions.SSLError(CONFIDENTIAL), *BROKEN),
    (requests.RequestException(CONFIDENTIAL), *BROKEN),
    (requests.ReadTimeout(CONFIDENTIAL), AmbiguousLoginError, TimedOutError),
    *((status, *BROKEN) for status in (500, 502, 503, 504)),
    (401, CredentialsRefusedError, SessionLostError),
    *((status, *REFUSED) for status in (300, 302, 400, 403, 404, 409)),
]
CELLS = [
    pytest.param(
        name, answer, of_login if name == "login" else of_others, id=f"{name} - {answer!r:.35}"
    )
    for answer, of_login, of_others in FAILURES
    for name in CALLS
    if (name, answer) != ("logout", 401)
]


@pytest.mark.parametrize(("name", "answer", "error"), CELLS)
def test_failure_is_named_and_the_call_repeated_if_that_is_harmless_and_may_help(
    mip: MockedMip, name: str, answer: Any, error: type[UpstreamError]
) -> None:
    """No secret is told, and of MIP's texts only that of a refused login."""
    if isinstance(answer, int):
        raised = mip.fail(name, status=answer, body=CONFIDENTIAL)
        assert str(raised).startswith(f"MIP answered {answer} to {name}")
    else:
        raised = mip.fail(name, body=answer)
    assert type(raised) is error
    heavy_and_slow = (name, error) == ("balances", TimedOutError)
    tries = MAX_ATTEMPTS if error in REPEATED else 1
    assert len(mip.requests) == (2 if heavy_and_slow else tries)
    told = f"{raised} {mip.telemetry.events} {mip.telemetry.metrics}"
    for secret in (TOKEN, CREDENTIALS.username, CREDENTIALS.password, "ORG-7", LOGIN):
        assert secret not in told
    assert ("confidential" in told) is (error in {LockedOutError, CredentialsRefusedError})
    assert str(raised).endswith("confidential *** *** ***") is ("confidential" in told)
    calls = [told for metric, _, told in mip.telemetry.metrics if metric == "MipCalls"]
    assert calls == [{"call": name}] * len(mip.requests)
    assert mip.telemetry.counted("MipLogins") == (len(mip.requests) if name == "login" else 0)


@pytest.mark.parametrize("name", ["login", *FETCHES])
def test_redirect_is_never_followed(mip: MockedMip, name: str) -> None:
    mip.fail(name, status=302, headers={"Location": "https://elsewhere.example.org/"})
    assert len(mip.requests) == 1


def test_balances_that_timed_out_are_repeated_once_whatever_comes_between(mip: MockedMip) -> None:
    """MIP goes on computing what nobody waits for any more: four such queries would pile up."""
    for answer in ({"status": 503}, {"body": requests.ReadTimeout("x")}, {"status": 503}):
        mip.answer("balances", **answer)
    assert "503" in str(mip.fail("balances"))
    assert len(mip.requests) == 3


def test_login_ambiguous_after_a_refused_connection_is_not_repeated(mip: MockedMip) -> None:
    mip.answer("login", body=unreached(requests.ConnectionError, NO_ROUTE))
    assert isinstance(mip.fail("login", status=503), AmbiguousLoginError)
    assert len(mip.requests) == 2


@pytest.mark.parametrize("name", CALLS)
def test_call_that_works_at_last_succeeds(mip: MockedMip, name: str) -> None:
    for _ in range(MAX_ATTEMPTS - 1):
        mip.answer(name, status=429)
    mip.answer(name, json={"AccessToken": TOKEN})
    mip.call(name)
    assert [event for _, event, _ in mip.telemetry.events] == ["call retried"] * (MAX_ATTEMPTS - 1)


def test_logout_is_tried_until_it_is_confirmed_and_a_401_says_that_it_is_done(
    mip: MockedMip,
) -> None:
    mip.answer("logout", status=500)
    mip.answer("logout", body=requests.ReadTimeout("x"))
    mip.answer("logout", status=401)
    mip.call("logout")
    assert len(mip.requests) == 3


NO_JSON = (b"", b"<html>confidential", b"\xff\xfe", b"[" * 100_000)
NO_TOKEN = (
    b"null",
    b"[]",
    b"{}",
    *(b'{"AccessToken": %s}' % value for value in (b"null", b'""', b"5")),
)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        *(("login", body) for body in NO_JSON + NO_TOKEN),
        *(("segments", body) for body in NO_JSON),
        ("logout", b" <html>confidential"),
    ],
    ids=lambda value: str(value[:22]),
)
def test_reply_that_is_not_what_it_should_be_is_an_error(
    mip: MockedMip, name: str, body: bytes
) -> None:
    """A page comes from something between us and MIP, which may not have got the request."""
    raised = mip.fail(name, status=200, body=body)
    assert type(raised) is (LockedOutError if name == "login" else UpstreamDataError)
    assert "confidential" not in str(raised)
    assert len(mip.requests) == 1


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
    mip.answer("login", body=body)
    assert mip.call("login") == TOKEN


# Time


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=str)
def test_backoff_grows_from_try_to_try_where_mip_asks_for_less(
    mip: MockedMip, headers: dict[str, str]
) -> None:
    mip.fail("segments", status=503, headers=headers)
    first, second, third = mip.clock.sleeps
    assert 0.5 <= first <= 1 <= second <= 1.5
    assert 2 <= third <= 2.5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(mip: MockedMip, status: int) -> None:
    mip.answer("segments", status=status, headers={"Retry-After": "12"})
    mip.answer("segments", json={})
    mip.call("segments")
    assert mip.clock.sleeps == [12.0]


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("login", 503, AmbiguousLoginError),
        ("login", 403, LockedOutError),
        ("segments", 429, RequestNotTakenError),
        ("segments", 503, TransientUpstreamError),
    ],
)
def test_retry_after_longer_than_the_time_left_is_told_and_not_waited_for(
    mip: MockedMip, name: str, status: int, error: type[UpstreamError]
) -> None:
    raised = mip.fail(name, status=status, headers={"Retry-After": "600"})
    assert (type(raised), raised.retry_after_seconds) == (error, 600)
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


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("seconds_left", [0.9, 0, -5])
def test_call_without_time_is_not_started(mip: MockedMip, name: str, seconds_left: float) -> None:
    raised = mip.fail(name, seconds_left)
    assert isinstance(raised, OutOfTimeError)
    assert name in str(raised)
    assert mip.requests == []


@pytest.mark.parametrize(
    ("seconds_left", "taken", "tries"),
    [(1.4, 0, 1), (60, 40, 2)],
    ids=["no time for a backoff", "no time for a third try"],
)
def test_retries_stop_before_the_deadline(
    mip: MockedMip, seconds_left: float, taken: float, tries: int
) -> None:
    mip.answer_late("segments", taken, 503, "")
    assert "503" in str(mip.fail("segments", seconds_left))
    assert (len(mip.requests), len(mip.clock.sleeps)) == (tries, tries - 1)


@pytest.mark.parametrize(
    ("name", "error"), [("segments", TimedOutError), ("login", AmbiguousLoginError)]
)
def test_reply_that_takes_too_long_is_given_up(
    mip: MockedMip, name: str, error: type[UpstreamError]
) -> None:
    mip.answer_late(name, 60, 200, '{"AccessToken": "t"}')
    raised = mip.fail(name, 60)
    assert type(raised) is error
    assert "too long" in str(raised)
    assert len(mip.requests) == 1


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
    body = io.BufferedReader(BrokenBody(broken))
    assert type(mip.fail("segments", 1.4, body=body)) is error  # too little for a second try


@pytest.mark.parametrize("status", [200, 503])
def test_request_is_counted_and_timed_however_it_ends(mip: MockedMip, status: int) -> None:
    mip.answer_late("segments", 2, status, "{}")
    with suppress(MipsCacheError):
        mip.call("segments")
    timed = [(value, told) for name, value, told in mip.telemetry.metrics if name == "MipSeconds"]
    assert timed[0] == (2.0, {"call": "segments"})
    assert mip.telemetry.counted("MipCalls") == len(timed)
