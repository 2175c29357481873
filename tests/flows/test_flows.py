"""What users and operators go through, from their side of the wire."""

from concurrent.futures import ThreadPoolExecutor

from local.mip import Fault
from tests.flows.conftest import Flows, eventually


def test_expired_entry_is_served_stale_and_then_rebuilt(flows: Flows) -> None:
    flows.fill()
    flows.expire()
    stale = flows.get("/accounts")
    assert stale.status_code == 200
    assert "; hit; ttl=-" in stale.headers["Cache-Status"]
    eventually(lambda: "; ttl=-" not in flows.get("/accounts").headers["Cache-Status"])
    assert flows.mip.counters.logins == 2


def test_purges_within_one_minute_are_each_followed_by_a_rebuild(flows: Flows) -> None:
    """Each purge has an id of its own, also for a reader that has not seen the entry between."""
    flows.fill()
    for _ in range(3):
        flows.admin(action="purge", dataset="programs")
        flows.renew_readers()
        assert flows.get("/accounts").headers["Cache-Status"].endswith("; stored")


def test_rebuild_that_failed_is_asked_for_again_once_its_record_is_purged(flows: Flows) -> None:
    flows.mip.set_fault("segments", Fault(kind="status", status=400))
    assert flows.get("/accounts").status_code == 503
    flows.mip.clear_faults()
    flows.admin(action="purge")
    assert flows.get("/accounts").status_code == 200


def test_balances_of_two_months_join_without_a_gap(flows: Flows) -> None:
    january = flows.get("/balances", target_date="2026-01-15").text.splitlines()[1:]
    february = flows.get("/balances", target_date="2026-02-15").text.splitlines()[1:]
    ends = {row.split(",")[0]: row.split(",")[-1] for row in january}
    starts = {row.split(",")[0]: row.split(",")[-3] for row in february}
    assert ends == starts


def test_mip_down_with_a_warm_cache_goes_unnoticed(flows: Flows) -> None:
    flows.fill()
    flows.expire()
    flows.mip.set_fault("login", Fault(kind="refuse"))
    served = [flows.get("/accounts").status_code for _ in range(5)]
    assert served == [200] * 5


def test_mip_down_with_a_cold_cache_is_told_with_a_time_to_come_back(flows: Flows) -> None:
    flows.mip.set_fault("segments", Fault(kind="status", status=400))
    response = flows.get("/accounts")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Content-Type"] == "application/problem+json"
    failing = flows.admin(action="status")["missing"]
    assert [item["last_error"]["error_type"] for item in failing] == ["UpstreamDataError"]
    assert flows.mip.open_sessions == 0


def test_fifty_cold_readers_cost_one_session(flows: Flows) -> None:
    with ThreadPoolExecutor(50) as readers:
        responses = list(readers.map(lambda _: flows.get("/accounts"), range(50)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.text for response in responses}) == 1
    assert flows.mip.counters.logins == 1
