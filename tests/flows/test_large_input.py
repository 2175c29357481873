"""Charts and reports far larger than any that is known."""

import json
from dataclasses import replace

from local.mip_cloud import MipCloud
from local.sample.organisation import ChartAccount
from tests.flows.conftest import Flows

PROGRAMS = 60_000
ACCOUNTS = 20_000


def use_programs(mip: MipCloud, name: str) -> None:
    mip.set_programs(
        [ChartAccount(f"{100_000 + n:06}01", "A", f"{name} {n}") for n in range(PROGRAMS)]
    )


def test_sixty_thousand_programs_pass_through_everything(flows: Flows) -> None:
    use_programs(flows.mip, "Program")
    response = flows.get("/accounts")
    assert response.status_code == 200
    assert len(response.json()) == PROGRAMS + 1
    assert len(flows.get("/tags", limit="10").json()) == 10


def test_list_that_exceeds_a_response_is_an_error_that_names_the_way_out(flows: Flows) -> None:
    use_programs(flows.mip, "A program whose name is as long as names in real charts can be, " * 2)
    response = flows.get("/accounts")
    assert response.status_code == 400
    assert "limit" in response.json()["detail"]
    assert len(flows.get("/accounts", limit="30000").json()) == 30_000


def test_twenty_thousand_balance_rows_pass_through_everything(flows: Flows) -> None:
    gl = tuple(ChartAccount(f"{10_000 + n}", "A", f"Account {n}") for n in range(ACCOUNTS))
    flows.mip.organisation = replace(flows.mip.organisation, gl=gl)
    response = flows.get("/balances", target_date="2026-01-15")
    assert response.status_code == 200
    assert len(response.text.splitlines()) > ACCOUNTS - 100
    stored = flows.stored("cache/v1/balances/2026-01-01_2026-01-31.json")
    assert json.dumps(stored).count("Account ") == len(response.text.splitlines()) - 1
