"""Every row of the fault table, against the stand-in."""

import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from core.adapters import mip_client
from local.mip import PASSWORD
from tests.faults import table
from tests.faults.table import DEAD_LETTERED, DOCUMENT, LOST, NOTED, OCTOBER, Row
from tests.handlers.conftest import SSM_PATH, Service


def name(row: Row) -> str:
    return f"{row.call}: {row.case.fault}"


def key(row: Row) -> str:
    return "balances/2026-10-01_2026-10-31.json" if row.asks == OCTOBER else "programs.json"


def read(service: Service, row: Row) -> dict[str, Any]:
    if row.asks == OCTOBER:
        return service.get("/balances", target_date="2026-10-15")
    return service.get("/accounts")


class Refusals:
    """Calls that go to a port where nobody listens; `tried` counts them."""

    def __init__(self, port: int, patch: pytest.MonkeyPatch) -> None:
        self.tried = Counter[str]()
        self._refused: set[str] = set()
        original = requests.Session.request

        def request(
            session: requests.Session, method: str, url: str, **given: object
        ) -> requests.Response:
            path = urlsplit(url).path
            if path in self._refused:
                self.tried[path] += 1
                url = f"http://127.0.0.1:{port}{path}"
            return original(session, method, url, **given)

        patch.setattr(requests.Session, "request", request)

    def refuse(self, call: str) -> None:
        self._refused.add(getattr(mip_client, f"{call.upper()}_PATH"))

    def heal(self) -> None:
        self._refused.clear()


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusals]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens
        yield Refusals(bound.getsockname()[1], monkeypatch)


@pytest.mark.parametrize("row", list(table.rows()), ids=name)
def test_fault_leads_to_what_the_table_says(
    warm: Service, refusals: Refusals, pauses: list[float], row: Row
) -> None:
    before, stored = warm.mip.counters.calls, warm.stored(f"v1/{key(row)}")
    served, outcome, what = read(warm, row), row.outcome, row.case.what
    if what:
        warm.mip.set_fault(row.call, what)
    else:
        refusals.refuse(row.call)
    pauses.clear()
    warm.send(row.asks)

    came_back = warm.poll()

    calls = warm.mip.counters.calls
    assert calls["login"] - before["login"] == row.logins
    assert calls[row.call] - before[row.call] == row.seen
    assert refusals.tried.total() == outcome.tries - row.seen
    if what and (headers := what.fields.get("headers")):
        assert min(pauses) >= float(headers["Retry-After"])
    assert bool(warm.mip.open_sessions) == (outcome.session in {LOST, NOTED})
    assert warm.steer({"action": "status"})["session_open"] == (outcome.session == NOTED)
    record = warm.stored(f"v1/failures/{key(row)}")
    assert (record["error_type"] if record else None) == outcome.error
    assert (bool(came_back), bool(warm.dead_letter_bodies())) == {
        table.SATISFIED: (False, False),
        table.COMES_BACK: (True, False),
        DEAD_LETTERED: (False, True),
    }[outcome.message]
    if outcome.error:
        assert warm.stored(f"v1/{key(row)}") == stored
    else:
        assert warm.stored(f"v1/{key(row)}")["built_at"] > stored["built_at"]
    assert differing_lines(read(warm, row), served) == row.case.new_lines
    refusals.heal()
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
    if row.outcome.session == LOST:
        service.mip.expire_sessions()
    service.sqs.purge_queue(QueueUrl=service.queue_url)
    if row.outcome.message == DEAD_LETTERED:
        service.ssm.put_parameter(
            Name=f"{SSM_PATH}/pass", Value=PASSWORD, Type="SecureString", Overwrite=True
        )
    service.send(row.asks | {"reason": "again"})
    assert service.poll() == []
    assert service.mip.open_sessions == 0
    assert service.mip.counters.lockouts == 0
    assert service.stored(f"v1/failures/{key(row)}") is None


def test_table_in_the_docs_is_this_one() -> None:
    """`python -m tests.faults.table` renews it."""
    document = DOCUMENT.read_text()
    assert document == table.renewed(document)
