"""Charts and reports far larger than any that is known."""

from dataclasses import replace

from local.mip import MipCloud
from local.mip.sample.organisation import ChartAccount
from tests.flows.conftest import Flows

ACCOUNTS = 20_000
LONG_NAME = "A program whose name is as long as names in real charts can be, " * 2
PROBLEM = "application/problem+json"


def use_accounts(mip: MipCloud, count: int, name: str = "Account") -> None:
    gl = tuple(ChartAccount(f"{100_000 + n}", "A", f"{name} {n}") for n in range(count))
    mip.organisation = replace(mip.organisation, gl=gl)


def test_list_that_exceeds_a_response_is_refused_and_limit_is_the_way_out(flows: Flows) -> None:
    names = [(f"{100_000 + n:06}01", f"{LONG_NAME} {n}") for n in range(60_000)]
    flows.mip.set_programs([ChartAccount(code, "A", name) for code, name in names])
    refused = flows.get("/accounts")
    assert (refused.status_code, refused.headers["Content-Type"]) == (400, PROBLEM)
    assert "limit" in refused.json()["detail"]
    served = flows.get("/accounts", limit="30001")
    assert served.status_code == 200
    assert list(served.json()) == ["000000", *(code[:6] for code, _ in names[:30_000])]


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
