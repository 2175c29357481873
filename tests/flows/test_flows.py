"""What users and operators go through, from their side of the wire."""

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
