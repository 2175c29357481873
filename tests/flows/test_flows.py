"""What users and operators go through, from their side of the wire."""

import base64
import json

from local.mip import Fault
from tests.flows.conftest import Flows, eventually


def test_cold_read_waits_for_the_rebuild_and_is_served(flows: Flows) -> None:
    response = flows.get("/accounts")
    assert response.status_code == 200
    assert response.headers["Cache-Status"] == "mips-cache; fwd=uri-miss; stored"
    assert response.json()["000000"] == "No Program"
    assert flows.mip.counters.logins == 1


def test_forced_refresh_is_one_plain_sqs_message(flows: Flows) -> None:
    flows.fill()
    before = flows.stored()["built_at"]
    flows.sqs.send_message(
        QueueUrl=flows.queue_url, MessageGroupId="mips", MessageBody='{"dataset": "all"}'
    )
    eventually(lambda: flows.stored()["built_at"] > before)
    eventually(lambda: len(flows.admin(action="status")["entries"]) == 5)
    eventually(flows.is_idle)
    assert flows.mip.counters.logins == 2
    assert flows.mip.counters.max_open_sessions == 1


def test_purge_through_lambda_invoke_makes_the_next_read_a_miss(flows: Flows) -> None:
    flows.fill()
    answer = flows.stack.client("lambda").invoke(
        FunctionName="AdminFunction",
        Payload=json.dumps({"action": "purge", "dataset": "programs"}),
        LogType="Tail",
    )
    assert json.loads(answer["Payload"].read())["count"] == 1
    assert "admin command" in base64.b64decode(answer["LogResult"]).decode()
    assert flows.get("/accounts").headers["Cache-Status"].endswith("; stored")


def test_balances_need_a_signature_and_are_csv(flows: Flows) -> None:
    unsigned = flows.get("/balances", {"Authorization": ""})
    assert unsigned.status_code == 403
    signed = flows.get("/balances", target_date="2026-02-10")
    assert signed.text.split("\r\n")[1].split(",")[2:4] == ["2026-02-01", "2026-02-28"]


def test_poison_message_is_dead_lettered_listed_redriven_and_discarded(flows: Flows) -> None:
    flows.send('{"dataset": "budgets"}')
    eventually(lambda: flows.admin(action="status")["dead_letters"] == 1)
    letter = flows.admin(action="dead_letters")["messages"][0]
    assert letter["error"]["type"] == "InvalidMessageError"
    assert "programs, balances, all" in letter["error"]["message"]
    assert flows.admin(action="redrive", message_id=letter["message_id"])["count"] == 1
    eventually(lambda: flows.admin(action="dead_letters")["count"] == 1)
    again = flows.admin(action="dead_letters")["messages"][0]
    assert again["message_id"] != letter["message_id"]
    assert flows.admin(action="discard", all=True)["count"] == 1
    assert flows.admin(action="status")["dead_letters"] == 0


def test_mip_down_with_a_cold_cache_is_told_with_a_time_to_come_back(flows: Flows) -> None:
    flows.mip.set_fault("segments", Fault(kind="status", status=400))
    response = flows.get("/accounts")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Content-Type"] == "application/problem+json"
    failing = flows.admin(action="status")["missing"]
    assert [item["last_error"]["error_type"] for item in failing] == ["UpstreamDataError"]
    assert flows.mip.open_sessions == 0
