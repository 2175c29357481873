"""Charts and reports far larger than any that is known."""

import json
from bisect import bisect_left
from dataclasses import replace

from handlers.responses import rendered
from local.mip import MipCloud
from local.mip.sample.organisation import ChartAccount
from tests.flows.conftest import Flows

PROGRAMS = 60_000
ACCOUNTS = 20_000
LONG_NAME = "A program whose name is as long as names in real charts can be, " * 2
PROBLEM = "application/problem+json"


def use_programs(mip: MipCloud, name: str) -> None:
    mip.set_programs(
        [ChartAccount(f"{100_000 + n:06}01", "A", f"{name} {n}") for n in range(PROGRAMS)]
    )


def use_accounts(mip: MipCloud, count: int, name: str = "Account") -> None:
    gl = tuple(ChartAccount(f"{100_000 + n}", "A", f"{name} {n}") for n in range(count))
    mip.organisation = replace(mip.organisation, gl=gl)


def longest_list(names: dict[str, str]) -> int:
    """How many of the programs fit into one response."""

    def is_too_long(count: int) -> bool:
        return not rendered(json.dumps(dict(list(names.items())[:count]))).fits

    return bisect_left(range(len(names)), True, key=is_too_long) - 1


def test_list_that_exceeds_a_response_is_refused_and_limit_is_the_way_out(flows: Flows) -> None:
    """To the last entry that fits: what is served is whole."""
    use_programs(flows.mip, LONG_NAME)
    refused = flows.get("/accounts")
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, PROBLEM)
    assert "limit" in refused.json()["detail"]
    names = {"000000": "No Program", **flows.stored()["data"]["active"]}
    longest = longest_list(names)
    served = flows.get("/accounts", limit=str(longest))
    assert served.status_code == 200
    assert list(served.json()) == list(names)[:longest]
    assert flows.get("/accounts", limit=str(longest + 1)).status_code == 400


def test_twenty_thousand_balance_rows_pass_through_everything(flows: Flows) -> None:
    use_accounts(flows.mip, ACCOUNTS)
    response = flows.get("/balances", target_date="2026-01-15")
    assert response.status_code == 200
    rows = response.text.splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [
        [f"{100_000 + n}", f"Account {n}"] for n in range(ACCOUNTS)
    ]


def test_report_that_exceeds_a_response_is_a_problem_and_not_cut(flows: Flows) -> None:
    use_accounts(flows.mip, ACCOUNTS, name="A name " * 40)
    response = flows.get("/balances", target_date="2026-01-15")
    assert (response.status_code, response.headers["Content-Type"]) == (500, PROBLEM)
    assert "longer than one response" in response.json()["detail"]
