"""MIP Cloud over HTTP: the five calls, their time-outs, retries, and what each failure means.

    failure                                  login                  other calls
    refused, no route, connect time-out      retried                retried
    reset, read time-out, 5xx                AmbiguousLoginError    retried
    429                                      retried                retried
    401                                      CredentialsRefused     SessionLostError (logout: done)
    another 4xx                              LockedOutError         UpstreamDataError
    200 that is not what it should be        LockedOutError         UpstreamDataError

A balances call that timed out is repeated once at most: MIP goes on computing what nobody waits
for any more.

A login that may have reached MIP is never sent twice in one invocation: the second could meet the
session that the first has opened, and lock everybody out.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import tenacity
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from core.adapters.redaction import redacted
from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    OutOfTimeError,
    RequestNotTakenError,
    SessionLostError,
    TimedOutError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.periods import Period
from core.ports import Clock, Credentials, Telemetry
from core.settings import WorkerSettings
from core.timing import Deadline

CONNECT_TIMEOUT_SECONDS = 5.0
LOGOUT_READ_TIMEOUT_SECONDS = 8.0
SHORTEST_CALL_SECONDS = 1.0
"""With less time than this left, a call is not started."""
MAX_ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.5
"""Between the tries of a call; doubled for each, with up to as much again at random."""
LONGEST_PAUSE_SECONDS = 8.0

LOGIN_PATH = "/api/v1/sso/mipadv/login"
SEGMENTS_PATH = "/api/coa/segments"
ACCOUNTS_PATH = "/api/coa/segments/accounts"
BALANCES_PATH = "/api/model/CBODispBal/methods/GetAccountBalances"
LOGOUT_PATH = "/api/security/logout"


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


class MipClient:
    """Implements Upstream."""

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        clock: Clock,
        sleep: Callable[[float], None],
        settings: WorkerSettings,
    ) -> None:
        self._login_url = settings.mip_login_url + LOGIN_PATH
        self._api_url = settings.mip_api_url
        self._organization = settings.mip_org
        # Silence after which a call is given up: the most by which one can overrun its deadline.
        self._read_timeout = float(settings.mip_timeout_seconds)
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._http = requests.Session()
        # No proxy, .netrc or CA bundle from the environment may see or change what is sent.
        self._http.trust_env = False

    def log_in(self, credentials: Credentials, deadline: Deadline) -> str:
        """Post the credentials; see the module's table for what may come of it."""
        body = {
            "username": credentials.username,
            "password": credentials.password,
            "org": self._organization,
        }
        secrets = (credentials.username, credentials.password, self._organization)
        return self._retrying("login", deadline)(self._log_in_once, body, secrets, deadline)

    def log_out(self, token: str, deadline: Deadline) -> None:
        """Close the session; a 401 says that it is gone, which is as good."""
        self._retrying("logout", deadline)(self._log_out_once, token, deadline)

    def segments(self, token: str, deadline: Deadline) -> object:
        """Get the numbers of the segments."""
        return self._json("segments", "GET", SEGMENTS_PATH, token, deadline)

    def accounts(self, token: str, deadline: Deadline) -> object:
        """Get the accounts of all segments."""
        return self._json("accounts", "GET", ACCOUNTS_PATH, token, deadline)

    def balances(self, token: str, period: Period, deadline: Deadline) -> object:
        """Ask for the account balances of a period; a query, although MIP wants a POST."""
        body = balances_request(period)
        return self._json("balances", "POST", BALANCES_PATH, token, deadline, body=body)

    def _log_in_once(
        self, body: Mapping[str, str], secrets: tuple[str, ...], deadline: Deadline
    ) -> str:
        self._telemetry.count("MipLogins")
        try:
            reply = self._exchange("login", "POST", self._login_url, deadline, body=body)
        except (RequestNotTakenError, OutOfTimeError):
            raise
        except TransientUpstreamError as exc:
            raise AmbiguousLoginError(
                f"{exc}; a session may be open", exc.retry_after_seconds
            ) from exc
        _refuse_login(reply, secrets, self._clock())
        return _token(reply)

    def _log_out_once(self, token: str, deadline: Deadline) -> None:
        reply = self._exchange(
            "logout",
            "POST",
            self._api_url + LOGOUT_PATH,
            deadline,
            token=token,
            read_timeout=LOGOUT_READ_TIMEOUT_SECONDS,
        )
        if reply.status == requests.codes.unauthorized:
            return
        if not _is_success(reply):
            raise UpstreamDataError(f"MIP answered {reply.status} to logout")
        if reply.body.lstrip().startswith(b"<"):
            # A page comes from something in between; MIP itself may never have heard of it.
            raise UpstreamDataError("MIP's reply to logout is a page, which confirms nothing")

    def _json(
        self,
        call: str,
        method: str,
        path: str,
        token: str,
        deadline: Deadline,
        body: object = None,
    ) -> object:
        def once() -> object:
            url = self._api_url + path
            reply = self._exchange(call, method, url, deadline, token=token, body=body)
            if reply.status == requests.codes.unauthorized:
                raise SessionLostError(f"MIP answered 401 to {call}: the session is gone")
            if not _is_success(reply):
                raise UpstreamDataError(f"MIP answered {reply.status} to {call}")
            return _parsed(reply.body, call)

        return self._retrying(call, deadline)(once)

    def _exchange(
        self,
        call: str,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        token: str | None = None,
        body: object = None,
        read_timeout: float | None = None,
    ) -> _Reply:
        """Send one request and read the whole reply; 429 and 5xx raise like a broken line."""
        remaining = deadline.remaining()
        if remaining < SHORTEST_CALL_SECONDS:
            raise OutOfTimeError(f"no time was left for {call}")
        self._telemetry.count("MipCalls", call=call)
        try:
            with self._http.request(
                method,
                url,
                json=body,
                headers={"Authorization-Token": token} if token else None,
                timeout=(
                    min(CONNECT_TIMEOUT_SECONDS, remaining),
                    min(read_timeout or self._read_timeout, remaining),
                ),
                stream=True,
                allow_redirects=False,
            ) as response:
                content = _read(response, call, deadline)
        except (requests.RequestException, HTTPError) as exc:
            raise _broken_line(exc, call) from exc
        finally:
            self._telemetry.seconds("MipSeconds", remaining - deadline.remaining(), call=call)
        _raise_for_passing_trouble(response, call, self._clock())
        return _Reply(response.status_code, response.headers, content)

    def _retrying(self, call: str, deadline: Deadline) -> tenacity.Retrying:
        backoff = tenacity.wait_exponential_jitter(
            multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS, jitter=FIRST_PAUSE_SECONDS
        )

        def wait(state: tenacity.RetryCallState) -> float:
            return max(backoff(state), _asked_pause(state))

        most_attempts = MAX_ATTEMPTS

        def stop(state: tenacity.RetryCallState) -> bool:
            nonlocal most_attempts
            if call == "balances" and isinstance(_error_of(state), TimedOutError):
                most_attempts = min(most_attempts, state.attempt_number + 1)
            left = deadline.remaining() - state.upcoming_sleep
            return state.attempt_number >= most_attempts or left < SHORTEST_CALL_SECONDS

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_worth_retrying),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            before_sleep=lambda state: self._tell_retry(call, state),
            reraise=True,
        )

    def _tell_retry(self, call: str, state: tenacity.RetryCallState) -> None:
        self._telemetry.info(
            "call retried",
            call=call,
            attempt=state.attempt_number,
            problem=str(_error_of(state)),
            pause_seconds=round(state.upcoming_sleep, 2),
        )


def _raise_for_passing_trouble(response: requests.Response, call: str, now: datetime) -> None:
    problem = f"MIP answered {response.status_code} to {call}"
    asked = retry_after_seconds(response.headers.get("Retry-After"), now)
    if response.status_code == requests.codes.too_many_requests:
        raise RequestNotTakenError(problem, asked)
    if response.status_code >= 500:
        raise TransientUpstreamError(problem, asked)


def balances_request(period: Period) -> dict[str, Any]:
    """Return the body that MIP's own web page sends for a period: all GL accounts, level 1."""
    filter_fields: list[dict[str, Any]] = [
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
    return {
        "BOInformation": {
            "constructor": {},
            "ModelFields": {
                "fields": [
                    {"DISPBAL_DATEFROM": period.start.isoformat()},
                    {"DISPBAL_DATETO": period.end.isoformat()},
                ],
                "DISPBAL_SEGINFO": [{"fields": filter_fields}],
            },
        },
        "MethodParameters": {"strJson": '{"level":1}'},
    }


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); None if absent or unreadable."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _error_of(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _asked_pause(state: tenacity.RetryCallState) -> float:
    return getattr(_error_of(state), "retry_after_seconds", None) or 0.0


def _is_worth_retrying(exc: BaseException) -> bool:
    return isinstance(exc, TransientUpstreamError) and not isinstance(exc, OutOfTimeError)


def _read(response: requests.Response, call: str, deadline: Deadline) -> bytes:
    """Read a body within the deadline: the read time-out alone restarts with every byte."""
    chunks = []
    # read1 gives what has arrived; iter_content would wait for a full chunk, byte by byte.
    while chunk := response.raw.read1(65536, decode_content=True):
        chunks.append(chunk)
        if deadline.remaining() <= 0:
            # Not OutOfTimeError: MIP has had the request, which matters for a login.
            raise TimedOutError(f"MIP's reply to {call} took too long to read")
    return b"".join(chunks)


def _broken_line(exc: requests.RequestException | HTTPError, call: str) -> TransientUpstreamError:
    """Name a failure of the line; its own text is left out, as it may quote the request."""
    reason = exc.args[0] if exc.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return RequestNotTakenError(f"no connection to MIP for {call}")
    if isinstance(exc, requests.Timeout | ReadTimeoutError):
        return TimedOutError(f"MIP did not answer {call} in time")
    return TransientUpstreamError(f"the connection to MIP broke during {call}")


def _is_success(reply: _Reply) -> bool:
    return 200 <= reply.status < 300


def _refuse_login(reply: _Reply, secrets: tuple[str, ...], now: datetime) -> None:
    """Raise for a login that was answered with a refusal.

    MIP does not document its refusals: 401 is taken for wrong credentials, any other 4xx for a
    lock-out. The reply's text may help an operator, so it is kept, redacted and cut.
    """
    if reply.status == requests.codes.unauthorized:
        raise CredentialsRefusedError(f"MIP answered 401 to login: {redacted(reply.body, secrets)}")
    if not _is_success(reply):
        raise LockedOutError(
            f"MIP answered {reply.status} to login: {redacted(reply.body, secrets)}",
            retry_after_seconds(reply.headers.get("Retry-After"), now),
        )


def _token(reply: _Reply) -> str:
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError) as exc:
        raise LockedOutError("MIP answered a login with something that is not JSON") from exc
    if not isinstance(document, dict):
        raise LockedOutError("MIP answered a login with something that is not a JSON object")
    # MIP's reference spells it AccessToken, its own tutorial accessToken.
    for name, value in document.items():
        if name.lower() == "accesstoken" and isinstance(value, str) and value.strip():
            return value.strip()
    raise LockedOutError("MIP answered a login without a token")


def _parsed(body: bytes, call: str) -> object:
    try:
        # Decimal keeps the digits of an amount, its trailing zeros included.
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as exc:
        raise UpstreamDataError(f"MIP's reply to {call} is not JSON") from exc
