"""MIP Cloud's stand-in as a program meets it."""

from typing import Any

import requests

from local.mip import ORGANISATION, PASSWORD, USER, MipCloudServer, balances_body
from local.mip.calls import ENDPOINTS

LOCKOUT_SECONDS, IDLE_SECONDS = 60.0, 120.0


class Client:
    """Real HTTP, over one kept-alive connection; `mip` is what answers it."""

    def __init__(self, server: MipCloudServer) -> None:
        self.url = server.url
        self.mip = server.mip
        self.http = requests.Session()
        self.http.trust_env = False
        self.token: str | None = None

    def send(self, call: str, body: Any = None, **options: Any) -> requests.Response:
        method, path = ENDPOINTS[call]
        headers = {"Authorization-Token": self.token} if self.token else {}
        return self.http.request(
            method, self.url + path, json=body, headers=headers, timeout=5, **options
        )

    def try_login(
        self, password: str = PASSWORD, *, user: str = USER, org: str = ORGANISATION
    ) -> requests.Response:
        return self.send("login", {"username": user, "password": password, "org": org})

    def login(self) -> None:
        self.token = self.try_login().json()["AccessToken"]

    def balances(self, start: str = "2026-10-01", end: str = "2026-10-31") -> requests.Response:
        return self.send("balances", balances_body(start, end))

    def statuses(self, *calls: str) -> list[int]:
        """The statuses of calls that are made as they should be."""
        return [self._anything(call).status_code for call in calls]

    def _anything(self, call: str) -> requests.Response:
        if call == "login":
            return self.try_login()
        return self.balances() if call == "balances" else self.send(call)

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, f"{self.url}/_control/{path}", json=body, timeout=5)

    def state(self) -> Any:
        return self.control("GET", "state").json()
