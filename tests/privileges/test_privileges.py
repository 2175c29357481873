"""Least privilege: the rights that the functions' calls need are the rights that their roles have.

Every function does all that it does, over emulated AWS; each call is noted with what it needs.
"""

import pytest

from local.mip import PASSWORD, Fault
from tests.handlers.conftest import SSM_PATH, Service, environment, mip, service
from tests.privileges.calls import Calls, Right, covers
from tests.template.stack import ROLES, edge_stack

__all__ = ["environment", "mip", "service"]

REBUILDS = "${RebuildQueue.Arn}"
TRACING = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
# Lambda receives for the worker, with the worker's role (Lambda Developer Guide, "SQS").
FEEDING = {
    (f"sqs:{action}", REBUILDS)
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
}


def needed_by_lambda(role: str) -> set[Right]:
    """What Lambda does itself with a function's role: it logs, traces and feeds the worker."""
    group = role.replace("Role", "LogGroup")
    logging = {
        (f"logs:{action}", f"${{{group}.Arn}}") for action in ("CreateLogStream", "PutLogEvents")
    }
    return logging | TRACING | (FEEDING if role == "WorkerRole" else set())


@pytest.fixture
def calls(service: Service, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every call of a service that has done all it can do."""
    monkeypatch.setenv("DISTRIBUTION_ID", "${EdgeDistribution}")
    # The queue is emptied more often than AWS, and so moto, allows.
    monkeypatch.setenv("MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR", "false")
    recorded = Calls(monkeypatch)
    for act in (miss, fail_and_recover, forward, be_refused, recover_a_session, serve, operate):
        act(service)
        service.sqs.purge_queue(QueueUrl=service.queue_url)
    return recorded


def rebuild(service: Service, reason: str) -> list[str]:
    """Have the programs rebuilt; the reason makes the message new."""
    service.send({"dataset": "programs", "reason": reason})
    return service.poll()


def put_parameter(service: Service, name: str, value: str) -> None:
    name = f"{SSM_PATH}/{name}"
    service.ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def miss(service: Service) -> None:
    for path in ("/accounts", "/balances"):
        assert service.get(path, {"Prefer": "wait=1"})["statusCode"] == 503
    assert service.poll() == []


def fail_and_recover(service: Service) -> None:
    service.mip.set_fault("accounts", Fault(kind="status", status=400))
    assert rebuild(service, "fails") != []
    service.mip.clear_faults()
    service.sqs.purge_queue(QueueUrl=service.queue_url)
    assert rebuild(service, "recovers") == []
    assert service.stored("v1/failures/programs.json") is None


def forward(service: Service) -> None:
    """A message of another group is sent on into ours."""
    service.sqs.send_message(
        QueueUrl=service.queue_url, MessageBody='{"dataset": "all"}', MessageGroupId="misp"
    )
    assert service.poll() == []
    assert service.poll() == []


def be_refused(service: Service) -> None:
    put_parameter(service, "pass", "wrong")
    assert rebuild(service, "refused") == []
    put_parameter(service, "pass", PASSWORD)
    assert rebuild(service, "new password") == []
    assert service.stored("v1/failures/login.json") is None


def recover_a_session(service: Service) -> None:
    put_parameter(service, "session", "left open")
    assert rebuild(service, "finds a session") == []


def serve(service: Service) -> None:
    for path in ("/accounts", "/tags", "/balances"):
        assert service.get(path)["statusCode"] == 200
    service.make_stale()
    assert service.get("/accounts")["statusCode"] == 200
    assert service.poll() == []


def operate(service: Service) -> None:
    for number in range(3):
        service.send(f"no JSON {number}")
    assert service.poll() == []
    # As SQS moves it by the redrive policy: without a reason.
    letters_url, body = service.dead_letter_queue_url, '{"dataset": "programs"}'
    service.sqs.send_message(QueueUrl=letters_url, MessageBody=body, MessageGroupId="mips")
    letters = service.steer({"action": "dead_letters"})["messages"]
    first, second = [letter["message_id"] for letter in letters][:2]
    service.store("v1/failures/programs.json", b"{}")
    for payload in (
        {"action": "status"},
        {"action": "redrive", "message_id": first},
        {"action": "discard", "message_id": second},
        {"action": "redrive", "all": True, "dry_run": True},
        {"action": "discard", "all": True},
        {"action": "refresh", "dataset": "all"},
        {"action": "purge", "soft": True},
        {"action": "purge", "dry_run": True},
        {"action": "purge"},
    ):
        assert service.steer(payload)
    assert service.dead_letter_bodies() == []


def test_functions_need_every_right_of_their_roles_and_no_other(calls: Calls) -> None:
    for role in ROLES:
        granted = edge_stack().grants(role)
        needed = calls.needed[role] | needed_by_lambda(role)
        missing = {right for right in needed if not any(covers(g, right) for g in granted)}
        needless = {right for right in granted if not any(covers(right, n) for n in needed)}
        assert (role, missing, needless) == (role, set(), set())
