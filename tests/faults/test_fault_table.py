"""Every row of docs/faults.md, against the stand-in.

Each case starts with a warm cache and a message that asks for newer data; the worker is given it
once. Readers are served good data in every case, so the table has no column for that.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import requests

from core.adapters import mip_client
from local.mip import PASSWORD, Fault
from tests.handlers.conftest import SSM_PATH, Service

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
PROGRAMS = {"dataset": "programs"}
OCTOBER = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}
OUTCOME = re.compile(
    r"(?P<message>comes back|satisfied|dead-lettered)(?:: `(?P<error>\w+)`)?"
    r"(?:; (?P<tries>\d) tries)?; session (?P<session>none|closed|noted|open, unknown to us).*"
)


class Case(NamedTuple):
    """What MIP does (None: nobody listens), the fetch that it happens to, and what that changes.

    `new_lines`: how many lines of the report differ from the one before, where MIP's do.
    """

    what: Fault | None
    fetch: str = "accounts"
    new_lines: int = 0


def status(code: int, **more: Any) -> Case:
    return Case(Fault("status", status=code, **more))


CASES = {
    "connection refused": Case(None),
    "reset before the reply": Case(Fault("refuse")),
    "reset in mid-body": Case(Fault("reset")),
    "no answer in time": Case(Fault("timeout")),
    "no answer in time to balances": Case(Fault("timeout"), "balances"),
    "no answer in time, session opened": Case(Fault("timeout", after=True)),
    "401": status(401),
    "401, session gone": status(401, after=True),
    "403, locked out": status(403),
    "400": status(400),
    "429 with Retry-After": status(429, headers={"Retry-After": "7"}),
    "503": status(503),
    "503, session opened": status(503, after=True),
    "503 once": status(503, times=1),
    "HTML with status 200": Case(Fault("html")),
    "truncated JSON": Case(Fault("truncated")),
    "empty object": Case(Fault("empty_object")),
    "empty list of segments": Case(Fault("empty_list"), "segments"),
    "wrong types": Case(Fault("wrong_types")),
    "a field missing in a GL account, balances asked for": Case(Fault("missing_field")),
    "a field missing in a GL account, programs asked for": Case(Fault("missing_field")),
    "the Program segment missing": Case(Fault("missing_segment"), "segments"),
    "the Program segment missing, balances asked for": Case(Fault("missing_segment"), "segments"),
    "the GL segment missing, balances asked for": Case(
        Fault("missing_segment", title="GL"), "segments"
    ),
    "programs shrunk by 90 percent": Case(Fault("shrink", percent=90.0)),
    "executionResult FAILURE": Case(Fault("failure"), "balances"),
    "an empty report": Case(Fault("empty_list"), "balances"),
    "an account with two of its three records": Case(Fault("missing_record"), "balances"),
    "unbalanced amounts, once": Case(Fault("unbalanced", times=1), "balances"),
    "unbalanced amounts, persisting": Case(Fault("unbalanced"), "balances", new_lines=1),
    "amounts as strings": Case(Fault("string_amounts"), "balances"),
    "amounts of 15 digits": Case(Fault("long_amounts"), "balances", new_lines=91),
}


class Row:
    """One fault of one call, and what the page says of it."""

    def __init__(self, fault: str, call: str, cell: str) -> None:
        outcome = OUTCOME.fullmatch(cell)
        assert outcome, cell
        self.case, self.call, self.name = CASES[fault], call, f"{call}: {fault}"
        self.message, self.error, self.session = outcome.group("message", "error", "session")
        self.tries = int(outcome["tries"] or 1)
        is_of_balances = call == "balances" or fault.endswith("balances asked for")
        self.asks = OCTOBER if is_of_balances else PROGRAMS
        self.key = "balances/2026-10-01_2026-10-31.json" if is_of_balances else "programs.json"

    def read(self, service: Service) -> dict[str, Any]:
        if self.asks is OCTOBER:
            return service.get("/balances", target_date="2026-10-15")
        return service.get("/accounts")


def lines() -> list[list[str]]:
    """Return the cells of the page's table, without its head."""
    found = re.findall(r"^\| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return [line.split(" | ") for line in found[1:]]


def rows() -> Iterator[Row]:
    for fault, *cells in lines():
        for call, cell in zip(("login", CASES[fault].fetch, "logout"), cells, strict=True):
            if cell:
                yield Row(fault, call, cell)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """The paths for which nobody listens, and how often each was tried."""
    tries: dict[str, int] = {}
    original = requests.Session.request

    def request(session: requests.Session, method: str, url: str, **given: Any) -> Any:
        path = urlsplit(url).path
        if path in tries:
            tries[path] += 1
            url = f"http://127.0.0.1:{bound.getsockname()[1]}{path}"
        return original(session, method, url, **given)

    monkeypatch.setattr(requests.Session, "request", request)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens
        yield tries


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_fault_leads_to_what_the_table_says(
    warm: Service, refused: dict[str, int], pauses: list[float], row: Row
) -> None:
    before, stored = warm.mip.counters.calls, warm.stored(f"v1/{row.key}")
    served, what = row.read(warm), row.case.what
    if what:
        warm.mip.set_fault(row.call, what)
    else:
        refused[getattr(mip_client, f"{row.call.upper()}_PATH")] = 0
    pauses.clear()
    warm.send(row.asks)

    came_back = warm.poll()

    calls, seen = warm.mip.counters.calls, row.tries if what else 0
    assert calls["login"] - before["login"] == (seen if row.call == "login" else 1)
    assert calls[row.call] - before[row.call] == seen
    assert sum(refused.values()) == row.tries - seen
    if what and (headers := what.fields.get("headers")):
        assert min(pauses) >= float(headers["Retry-After"])
    assert bool(warm.mip.open_sessions) == (row.session not in {"none", "closed"})
    assert warm.steer({"action": "status"})["session_open"] == (row.session == "noted")
    record = warm.stored(f"v1/failures/{row.key}")
    assert (record["error_type"] if record else None) == row.error
    assert bool(came_back) == (row.message == "comes back")
    assert bool(warm.dead_letter_bodies()) == (row.message == "dead-lettered")
    if row.error:
        assert warm.stored(f"v1/{row.key}") == stored
    else:
        assert warm.stored(f"v1/{row.key}")["built_at"] > stored["built_at"]
    assert differing_lines(row.read(warm), served) == row.case.new_lines
    refused.clear()
    check_made_good(warm, row)


def differing_lines(response: dict[str, Any], earlier: dict[str, Any]) -> int:
    assert response["statusCode"] == earlier["statusCode"] == 200
    pairs = zip(response["body"].split("\n"), earlier["body"].split("\n"), strict=True)
    return sum(one != other for one, other in pairs)


def check_made_good(service: Service, row: Row) -> None:
    """Once MIP is well again the next message is satisfied, and locks nobody out.

    A session that nobody can log out has to expire first.
    """
    service.mip.clear_faults()
    if row.session.startswith("open"):
        service.mip.expire_sessions()
    service.sqs.purge_queue(QueueUrl=service.queue_url)
    if row.message == "dead-lettered":
        service.ssm.put_parameter(
            Name=f"{SSM_PATH}/pass", Value=PASSWORD, Type="SecureString", Overwrite=True
        )
    service.send(row.asks | {"reason": "again"})
    assert service.poll() == []
    assert service.mip.open_sessions == 0
    assert service.mip.counters.lockouts == 0
    assert service.stored(f"v1/failures/{row.key}") is None


def test_page_has_a_line_for_every_fault() -> None:
    assert [fault for fault, *_ in lines()] == list(CASES)
