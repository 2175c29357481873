"""AWS services that fail: what the reader answers, what the worker does; nothing is lost."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from core.adapters import aws
from handlers.wiring.reader import reader as reader_services
from local.mip import Fault
from tests.failing_aws import SECRET, Answer, FailingAws, s3_error, sqs_error
from tests.handlers.conftest import Service, event

PROGRAMS = "v1/programs.json"
Break = Callable[..., None]


Parsed = tuple[SimpleNamespace, dict[str, object]]


def refusal(status: int, code: str) -> Callable[[], Parsed]:
    """An AWS error, in the form in which botocore has parsed it."""
    parsed = {"Error": {"Code": code, "Message": "secret detail"}, "ResponseMetadata": {}}
    return lambda: (SimpleNamespace(status_code=status), parsed)


def no_route() -> Parsed:
    raise EndpointConnectionError(endpoint_url="https://aws")


def no_answer() -> Parsed:
    raise ReadTimeoutError(endpoint_url="https://aws")


FAULTS = {
    "500": refusal(500, "InternalFailure"),
    "503": refusal(503, "ServiceUnavailable"),
    "denied": refusal(403, "AccessDeniedException"),
    "no route": no_route,
    "no answer": no_answer,
}


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Make an operation of an AWS service fail, for the worker's clients only."""
    broken: dict[str, Callable[[], Parsed]] = {}
    make = aws.client

    def client(service: str, *args: object) -> object:
        made = make(service, *args)
        made.meta.events.register_first("before-call", answer)
        return made

    def answer(event_name: str, **_: object) -> Parsed | None:
        fault = broken.get(event_name.rsplit(".", 1)[-1])
        return fault() if fault else None

    monkeypatch.setattr("handlers.wiring.worker.client", client)

    def break_(operation: str, fault: str | None) -> None:
        broken.clear()
        if fault:
            broken[operation] = FAULTS[fault]

    return break_


@pytest.fixture
def working(breaks: Break, warm: Service) -> Service:
    return warm


Fails = Callable[[str | None, Answer], None]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fails]:
    """Give the reader another process, for which a service is an endpoint that fails, or none."""

    def fail(service: str | None, answer: Answer) -> None:
        reader_services.cache_clear()
        for name in ("S3", "SQS"):
            monkeypatch.delenv(f"AWS_ENDPOINT_URL_{name}", raising=False)
        endpoint.answer(answer)
        if service:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", endpoint.url)

    with FailingAws() as endpoint:
        yield fail


def test_s3_that_fails_to_answer_a_read_is_a_503(
    fails: Fails, warm: Service, log_lines: Callable[[], str]
) -> None:
    fails("S3", s3_error(403, "AccessDenied"))
    response = warm.get("/accounts")
    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) > 0
    logged = log_lines()
    assert "AccessDenied" in logged
    assert SECRET not in response["body"] + logged
    fails(None, Answer())
    assert warm.get("/accounts")["statusCode"] == 200


def test_reader_without_a_region_answers_503(
    fails: Fails, warm: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(None, Answer())
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert warm.get("/accounts")["statusCode"] == 503


def test_sqs_that_fails_leaves_stale_data_served_and_is_asked_again_by_another_process(
    fails: Fails, warm: Service
) -> None:
    warm.make_stale()
    fails("SQS", sqs_error(403, "AccessDeniedException"))
    assert warm.get("/accounts")["statusCode"] == 200
    assert warm.queued() == []
    fails(None, Answer())
    warm.get("/accounts")
    assert len(warm.queued()) == 1


@pytest.mark.parametrize(
    ("operation", "logins", "fault"),
    [
        ("GetParameters", 0, "denied"),
        ("GetParameter", 0, "no route"),
        ("PutParameter", 1, "503"),
        ("GetObject", 0, "no answer"),
        ("PutObject", 1, "500"),
    ],
)
def test_worker_that_meets_an_aws_fault_keeps_the_message_and_closes_its_session(
    breaks: Break, working: Service, operation: str, logins: int, fault: str
) -> None:
    before, stored = working.mip.counters.login_attempts, working.stored(PROGRAMS)
    breaks(operation, fault)
    working.send({"dataset": "programs"})
    assert len(working.poll()) == 1
    assert working.mip.counters.login_attempts - before == logins
    assert working.mip.open_sessions == 0
    assert working.stored(PROGRAMS) == stored
    breaks(operation, None)
    working.sqs.purge_queue(QueueUrl=working.queue_url)
    working.send({"dataset": "programs", "reason": "healed"})
    assert working.poll() == []
    assert working.mip.counters.lockouts == 0


def test_dead_letter_that_cannot_be_sent_stays_in_the_rebuild_queue(
    breaks: Break, working: Service
) -> None:
    breaks("SendMessage", "no route")
    working.send("poison")
    assert len(working.poll()) == 1
    assert working.dead_letter_bodies() == []
    breaks("SendMessage", None)
    sample = event("worker_programs")
    sample["Records"][0]["body"] = "poison"
    assert working.work(sample) == []
    assert working.dead_letter_bodies() == ["poison"]


def test_delay_that_cannot_be_set_does_not_lose_the_message(
    breaks: Break, working: Service
) -> None:
    breaks("ChangeMessageVisibilityBatch", "500")
    working.mip.set_fault("accounts", Fault(kind="html"))
    working.send({"dataset": "programs"})
    assert len(working.poll()) == 1
