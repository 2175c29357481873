"""A clock that stands still, and MIP Cloud as a program meets it."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import requests

from core.model.entry import PeriodBalances
from core.model.periods import Period
from core.transform.balances import join_balances
from local.mip import ORGANISATION, PASSWORD, USER, balances_body
from local.mip.calls import ENDPOINTS

LOCKOUT_SECONDS, IDLE_SECONDS = 60.0, 120.0
AMOUNT = "DBDETAIL_SUM_POSTEDAMT"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Client:
    """MIP Cloud as a program meets it: real HTTP, over one kept-alive connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.token: str | None = None

    def send(self, call: str, body: Any = None, timeout: float = 5.0) -> requests.Response:
        method, path = ENDPOINTS[call]
        headers = {"Authorization-Token": self.token} if self.token else {}
        return self.http.request(
            method, self.url + path, json=body, headers=headers, timeout=timeout
        )

    def try_login(
        self, password: str = PASSWORD, *, user: str = USER, org: str = ORGANISATION
    ) -> requests.Response:
        return self.send("login", {"username": user, "password": password, "org": org})

    def login(self) -> None:
        self.token = self.try_login().json()["AccessToken"]

    def balances(self, start: str = "2026-10-01", end: str = "2026-10-31") -> requests.Response:
        return self.send("balances", balances_body(start, end))

    def books(self) -> PeriodBalances:
        """Return October's balances as the service reads them."""
        reply = json.loads(self.balances().text, parse_float=Decimal)
        return join_balances(reply, (), Period(date(2026, 10, 1), date(2026, 10, 31)))

    def anything(self, call: str) -> requests.Response:
        """Make that call as it should be made."""
        if call == "login":
            return self.try_login()
        if call == "balances":
            return self.balances()
        return self.send(call)

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, f"{self.url}/_control/{path}", json=body, timeout=5)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.control("GET", "state").json()
        return state
