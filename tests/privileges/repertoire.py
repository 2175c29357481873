"""Everything that the three handlers do, as scenes: each begins on a clean deployment.

A scene checks its own effect, so that it cannot pass by without doing what it is there for.
"""

from collections.abc import Callable

import requests
from moto.s3.models import s3_backends

from local.aws.clients import ACCOUNT_ID
from local.mip import ORGANISATION, PASSWORD, USER, Fault
from tests.handlers.conftest import SSM_PATH
from tests.privileges.deployment import Deployment

PROGRAMS = "v1/programs.json"
FAILURE = "v1/failures/programs.json"
REFUSAL = "v1/failures/login.json"

Scene = Callable[[Deployment], None]


def _reader_hit(on: Deployment) -> None:
    on.fill()
    for path in ("/accounts", "/tags", "/balances"):
        assert on.get(path)["statusCode"] == 200


def _reader_revalidation(on: Deployment) -> None:
    on.fill()
    etag = on.get("/accounts")["headers"]["ETag"]
    assert on.get("/accounts", {"If-None-Match": etag})["statusCode"] == 304


def _reader_stale(on: Deployment) -> None:
    on.fill()
    _expire(on)
    assert "ttl=-" in on.get("/accounts")["headers"]["Cache-Status"]
    assert on.waiting(on.queue_url) == 1


def _reader_miss(on: Deployment) -> None:
    assert on.get("/accounts")["headers"]["Cache-Status"].endswith("detail=rebuild-queued")
    assert on.waiting(on.queue_url) == 1


def _reader_miss_with_a_wait(on: Deployment) -> None:
    assert on.get("/accounts", {"Prefer": "wait=1"})["statusCode"] == 503


def _reader_paused(on: Deployment) -> None:
    _fail(on)
    on.poll()
    assert on.get("/accounts")["headers"]["Cache-Status"].endswith("detail=rebuild-failed")
    assert on.waiting(on.queue_url) == 0


def _reader_unreadable(on: Deployment) -> None:
    on.store(PROGRAMS, {"schema": "v0"})
    assert on.get("/accounts")["statusCode"] == 503
    assert on.waiting(on.queue_url) == 1


def _worker_rebuild(on: Deployment) -> None:
    on.fill()
    on.send({"dataset": "balances", "from": "2026-01-01", "to": "2026-01-31"})
    on.poll()
    assert on.stored("v1/balances/2026-01-01_2026-01-31.json")
    assert on.mip.open_sessions == 0


def _worker_collapse(on: Deployment) -> None:
    on.fill()
    entry = on.stored(PROGRAMS)
    on.store(PROGRAMS, entry | {"built_at": entry["fresh_until"]})
    before = on.mip.counters.logins
    on.send({"dataset": "programs", "reason": "older than the entry"})
    assert on.poll() == []
    assert on.mip.counters.logins == before


def _worker_recovery(on: Deployment) -> None:
    url = on.environments["WorkerFunction"]["MIP_LOGIN_URL"]
    login = {"username": USER, "password": PASSWORD, "org": ORGANISATION}
    answer = requests.post(f"{url}/api/v1/sso/mipadv/login", json=login, timeout=5)
    token = answer.json()["AccessToken"]
    on.ssm.put_parameter(
        Name=f"{SSM_PATH}/session", Value=token, Type="SecureString", Overwrite=True
    )
    on.fill()
    assert on.mip.counters.lockouts == 0


def _worker_retry(on: Deployment) -> None:
    _fail(on)
    assert len(on.poll()) == 1
    assert on.waiting(on.queue_url) == 0
    assert on.stored(FAILURE)["attempts"] == 1


def _worker_success_after_failure(on: Deployment) -> None:
    _fail(on, times=1)
    on.poll()
    assert on.stored(FAILURE)
    on.mip.clear_faults()
    on.sqs.purge_queue(QueueUrl=on.queue_url)
    on.send({"dataset": "programs", "reason": "again"})
    assert on.poll() == []
    assert on.stored(FAILURE) is None


def _worker_last_receive(on: Deployment) -> None:
    _fail(on)
    assert on.poll(receives=5) == []
    assert on.waiting(on.dead_letter_queue_url) == 1
    assert on.stored(FAILURE)["dead_lettered"]


def _worker_invalid_message(on: Deployment) -> None:
    on.send("no JSON at all")
    assert on.poll() == []
    assert on.waiting(on.dead_letter_queue_url) == 1


def _worker_conflict(on: Deployment) -> None:
    on.fill()
    _expire(on)
    backend = s3_backends[ACCOUNT_ID]["aws"]

    def purge(call: str) -> None:
        if call == "segments":
            backend.delete_object(on.bucket, f"cache/{PROGRAMS}")

    on.mip.on_call = purge
    on.send({"dataset": "programs", "reason": "conflict"})
    assert len(on.poll()) == 1
    assert on.stored(FAILURE) is None


def _worker_foreign_group(on: Deployment) -> None:
    on.sqs.send_message(
        QueueUrl=on.queue_url, MessageBody='{"dataset": "programs"}', MessageGroupId="misp"
    )
    assert on.poll() == []
    assert on.waiting(on.queue_url) == 1
    assert on.poll() == []
    assert on.stored(PROGRAMS)


def _worker_refused_credentials(on: Deployment) -> None:
    on.set_password("wrong")
    on.send({"dataset": "programs"})
    on.poll()
    assert on.stored(REFUSAL)
    on.set_password(PASSWORD)
    on.send({"dataset": "programs", "reason": "new credentials"})
    on.poll()
    assert on.stored(REFUSAL) is None
    assert on.stored(PROGRAMS)


def _admin_status(on: Deployment) -> None:
    on.fill()
    _fail(on)
    on.poll(receives=5)
    on.ssm.put_parameter(
        Name=f"{SSM_PATH}/session", Value="token", Type="SecureString", Overwrite=True
    )
    status = on.steer(action="status")
    assert status["dead_letters"] == 1
    assert status["session_open"]
    assert [entry for entry in status["entries"] if entry["last_error"]]


def _admin_purge(on: Deployment) -> None:
    on.fill()
    on.store(FAILURE, {})
    assert on.steer(action="purge", dry_run=True)["count"] == 5
    assert on.invalidations == []
    assert on.steer(action="purge")["count"] == 5
    assert len(on.invalidations) == 1
    assert "purged_at" in on.stored(PROGRAMS)
    assert on.stored(FAILURE) is None


def _admin_soft_purge(on: Deployment) -> None:
    on.fill()
    assert on.steer(action="purge", soft=True)["count"] == 5
    assert "ttl=-" in on.get("/accounts")["headers"]["Cache-Status"]


def _admin_refresh(on: Deployment) -> None:
    assert on.steer(action="refresh", dataset="balances")["count"] == 4
    assert on.waiting(on.queue_url) == 4


def _admin_dead_letters(on: Deployment) -> None:
    _dead_letters(on)
    assert on.steer(action="dead_letters")["count"] == 12
    assert on.steer(action="dead_letters")["count"] == 12


def _admin_redrive(on: Deployment) -> None:
    _dead_letters(on)
    [letter, *_] = on.steer(action="dead_letters")["messages"]
    assert on.steer(action="redrive", message_id=letter["message_id"])["count"] == 1
    assert on.steer(action="redrive", all=True)["count"] == 11
    assert on.waiting(on.queue_url) == 12


def _admin_discard(on: Deployment) -> None:
    _dead_letters(on)
    [letter, *_] = on.steer(action="dead_letters")["messages"]
    assert on.steer(action="discard", message_id=letter["message_id"])["count"] == 1
    assert on.steer(action="discard", all=True, dry_run=True)["count"] == 11
    assert on.steer(action="discard", all=True)["count"] == 11
    assert on.waiting(on.dead_letter_queue_url) == 0


SCENES: dict[str, Scene] = {
    "reader: hit": _reader_hit,
    "reader: 304": _reader_revalidation,
    "reader: stale, rebuild queued": _reader_stale,
    "reader: miss, rebuild queued": _reader_miss,
    "reader: miss with a wait": _reader_miss_with_a_wait,
    "reader: failure waited out": _reader_paused,
    "reader: unreadable entry": _reader_unreadable,
    "worker: rebuild": _worker_rebuild,
    "worker: collapsed message": _worker_collapse,
    "worker: session recovered": _worker_recovery,
    "worker: retry with a delay": _worker_retry,
    "worker: success after a failure": _worker_success_after_failure,
    "worker: dead-lettered at the last receive": _worker_last_receive,
    "worker: invalid message": _worker_invalid_message,
    "worker: conflict": _worker_conflict,
    "worker: message of a foreign group": _worker_foreign_group,
    "worker: credentials refused, then changed": _worker_refused_credentials,
    "admin: status": _admin_status,
    "admin: purge": _admin_purge,
    "admin: soft purge": _admin_soft_purge,
    "admin: refresh": _admin_refresh,
    "admin: dead letters": _admin_dead_letters,
    "admin: redrive": _admin_redrive,
    "admin: discard": _admin_discard,
}


def _expire(on: Deployment) -> None:
    entry = on.stored(PROGRAMS)
    on.store(PROGRAMS, entry | {"fresh_until": entry["built_at"]})


def _fail(on: Deployment, times: int | None = None) -> None:
    """Queue a rebuild that fails, because MIP answers nonsense."""
    on.mip.set_fault("accounts", Fault(kind="status", status=400, times=times))
    on.send({"dataset": "programs", "reason": "to fail"})


def _dead_letters(on: Deployment) -> None:
    """Make twelve dead letters: the redrive policy moved eleven, and the worker sent one."""
    for number in range(11):
        on.sqs.send_message(
            QueueUrl=on.dead_letter_queue_url,
            MessageBody=f'{{"dataset": "programs", "reason": "{number}"}}',
            MessageGroupId="mips",
        )
    on.send("no JSON at all")
    on.poll()
