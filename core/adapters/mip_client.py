"""MIP Cloud: its five calls, and what each failure means.

    failure                                  login                  other calls
    refused, no route, connect time-out      retried                retried
    reset, read time-out, 5xx                AmbiguousLoginError    retried
    429                                      retried                retried
    401                                      CredentialsRefused     SessionLostError (logout: done)
    another 4xx                              LockedOutError         UpstreamDataError
    200 that is not what it should be        LockedOutError         UpstreamDataError

A login that may have reached MIP is never sent twice in one invocation: the second could meet the
session that the first has opened, and lock everybody out.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import requests

from core.adapters.mip_http import MipHttp, MipReply, MipRequest, retry_after_seconds
from core.adapters.mip_retries import retrying
from core.adapters.redaction import redacted
from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    OutOfTimeError,
    RequestNotTakenError,
    SessionLostError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.periods import Period
from core.ports import Clock, Credentials, Telemetry
from core.settings import WorkerSettings
from core.timing import Deadline

LOGOUT_READ_TIMEOUT_SECONDS = 8.0
"""A logout is light work for MIP, and the time that is reserved for it is short."""

LOGIN_PATH = "/api/v1/sso/mipadv/login"
SEGMENTS_PATH = "/api/coa/segments"
ACCOUNTS_PATH = "/api/coa/segments/accounts"
BALANCES_PATH = "/api/model/CBODispBal/methods/GetAccountBalances"
LOGOUT_PATH = "/api/security/logout"


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
        self._read_timeout = float(settings.mip_timeout_seconds)
        self._telemetry = telemetry
        self._clock = clock
        self._http = MipHttp(telemetry, clock)
        self._retrying = partial(retrying, telemetry=telemetry, sleep=sleep)

    def log_in(self, credentials: Credentials, deadline: Deadline) -> str:
        """Post the credentials; see the module's table for what may come of it."""
        body = {
            "username": credentials.username,
            "password": credentials.password,
            "org": self._organization,
        }
        request = MipRequest("login", "POST", self._login_url, self._read_timeout, body=body)
        secrets = tuple(body.values())
        return self._retrying("login", deadline)(self._log_in_once, request, secrets, deadline)

    def log_out(self, token: str, deadline: Deadline) -> None:
        """Close the session; a 401 says that it is gone, which is as good."""
        url = self._api_url + LOGOUT_PATH
        request = MipRequest("logout", "POST", url, LOGOUT_READ_TIMEOUT_SECONDS, token)
        self._retrying("logout", deadline)(self._log_out_once, request, deadline)

    def segments(self, token: str, deadline: Deadline) -> object:
        """Get the numbers of the segments."""
        return self._fetch("segments", "GET", SEGMENTS_PATH, token, deadline)

    def accounts(self, token: str, deadline: Deadline) -> object:
        """Get the accounts of all segments."""
        return self._fetch("accounts", "GET", ACCOUNTS_PATH, token, deadline)

    def balances(self, token: str, period: Period, deadline: Deadline) -> object:
        """Ask for the account balances of a period; a query, although MIP wants a POST."""
        body = balances_request(period)
        return self._fetch("balances", "POST", BALANCES_PATH, token, deadline, body)

    def _log_in_once(
        self, request: MipRequest, secrets: tuple[str, ...], deadline: Deadline
    ) -> str:
        self._telemetry.count("MipLogins")
        try:
            reply = self._http.exchange(request, deadline)
        except (RequestNotTakenError, OutOfTimeError):
            raise
        except TransientUpstreamError as exc:
            raise AmbiguousLoginError(
                f"{exc}; a session may be open", exc.retry_after_seconds
            ) from exc
        _refuse_login(reply, secrets, self._clock())
        return _token(reply)

    def _log_out_once(self, request: MipRequest, deadline: Deadline) -> None:
        reply = self._http.exchange(request, deadline)
        if reply.status == requests.codes.unauthorized:
            return
        if not reply.is_success:
            raise UpstreamDataError(f"MIP answered {reply.status} to logout")
        if reply.body.lstrip().startswith(b"<"):
            # A page comes from something between us and MIP, which may not have got the request.
            raise UpstreamDataError("MIP's reply to logout is a page, which confirms nothing")

    def _fetch(
        self,
        call: str,
        method: str,
        path: str,
        token: str,
        deadline: Deadline,
        body: object = None,
    ) -> object:
        url = self._api_url + path
        request = MipRequest(call, method, url, self._read_timeout, token, body)
        return self._retrying(call, deadline)(self._fetch_once, request, deadline)

    def _fetch_once(self, request: MipRequest, deadline: Deadline) -> object:
        reply = self._http.exchange(request, deadline)
        if reply.status == requests.codes.unauthorized:
            raise SessionLostError(f"MIP answered 401 to {request.call}: the session is gone")
        if not reply.is_success:
            raise UpstreamDataError(f"MIP answered {reply.status} to {request.call}")
        return _parsed(reply.body, request.call)


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


def _refuse_login(reply: MipReply, secrets: tuple[str, ...], now: datetime) -> None:
    """Raise for a login that was answered with a refusal.

    MIP does not document its refusals: 401 is taken for wrong credentials, any other 4xx for a
    lock-out. The reply's text may help an operator, so it is kept, redacted and cut.
    """
    if reply.status == requests.codes.unauthorized:
        raise CredentialsRefusedError(f"MIP answered 401 to login: {redacted(reply.body, secrets)}")
    if not reply.is_success:
        raise LockedOutError(
            f"MIP answered {reply.status} to login: {redacted(reply.body, secrets)}",
            retry_after_seconds(reply.headers.get("Retry-After"), now),
        )


def _token(reply: MipReply) -> str:
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError) as exc:
        raise LockedOutError("MIP's reply to login is not JSON") from exc
    if not isinstance(document, dict):
        raise LockedOutError("MIP's reply to login is not a JSON object")
    # MIP's reference spells it AccessToken, its own tutorial accessToken.
    for name, value in document.items():
        if name.lower() == "accesstoken" and isinstance(value, str) and value.strip():
            return value.strip()
    raise LockedOutError("MIP's reply to login holds no token")


def _parsed(body: bytes, call: str) -> object:
    try:
        # Decimal keeps the digits of an amount, its trailing zeros included.
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as exc:
        raise UpstreamDataError(f"MIP's reply to {call} is not JSON") from exc
