"""What the functions write to their logs: one JSON object per event, a story by its id, metrics."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers.telemetry import PowertoolsTelemetry, function_name
from local.mip import PASSWORD, USER, Fault
from tests.handlers.conftest import Service, event

Lines = Callable[[], list[dict[str, Any]]]
READ = "c7d9b2a4-1111-4222-8333-944455566677"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Everything that was written, each line as the JSON object that it has to be."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def events(written: list[dict[str, Any]]) -> list[str]:
    return [line["message"] for line in written if "message" in line]


def metrics(written: list[dict[str, Any]]) -> dict[str, list[float]]:
    return {
        metric["Name"]: line[metric["Name"]]
        for line in written
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def read_with_id(service: Service, request_id: str) -> dict[str, Any]:
    sample = event("reader_accounts")
    sample["requestContext"]["requestId"] = request_id
    return service.read(sample)


def test_one_id_leads_from_the_request_to_the_rebuilt_entry(service: Service, lines: Lines) -> None:
    read_with_id(service, READ)
    service.poll()
    story = [line for line in lines() if READ in line.get("correlation_id", "")]
    assert events(story) == ["rebuild queued", "session opened", "entry rebuilt", "session closed"]


def test_one_id_leads_from_the_request_to_the_dead_letter_and_the_failure_record(
    service: Service, lines: Lines
) -> None:
    service.mip.set_fault("segments", Fault(kind="status", status=401))
    service.mip.set_fault("login", Fault(kind="status", status=401))
    read_with_id(service, READ)
    service.poll()
    story = [line for line in lines() if line.get("correlation_id") == READ]
    assert events(story) == ["rebuild queued", "rebuild failed", "message dead-lettered"]
    assert service.stored("v1/failures/programs.json")["correlation_id"] == READ
    assert {line["service"] for line in story} == {"reader", "worker"}


def test_message_without_an_id_goes_by_its_own(service: Service, lines: Lines) -> None:
    sample = event("worker_programs")
    del sample["Records"][1:]
    sample["Records"][0]["body"] = '{"dataset": "programs"}'
    service.work(sample)
    told = [line for line in lines() if line.get("message") == "entry rebuilt"]
    assert [line["correlation_id"] for line in told] == [sample["Records"][0]["messageId"]]


def test_lines_of_a_batch_carry_every_id_and_those_of_a_message_its_own(
    service: Service, lines: Lines
) -> None:
    sample = event("worker_batch")
    records = sample["Records"]
    for number, record in enumerate(records):
        record["body"] = json.dumps({"dataset": "programs", "correlation_id": f"read-{number}"})
    service.mip.set_fault("segments", Fault(kind="status", status=400))
    service.work(sample)
    written = lines()
    everybody = " ".join(f"read-{number}" for number in range(len(records)))
    opened = [line for line in written if line.get("message") == "session opened"]
    retried = [line for line in written if line.get("message") == "message retried"]
    assert [line["correlation_id"] for line in opened] == [everybody]
    assert [line["correlation_id"] for line in retried] == everybody.split()


def test_refresh_goes_by_the_id_of_its_invocation(service: Service, lines: Lines) -> None:
    result = service.steer({"action": "refresh", "dataset": "programs"})
    assert service.queued()[0]["correlation_id"] == result["correlation_id"]
    assert {line["correlation_id"] for line in lines()} == {result["correlation_id"]}


def test_retry_of_a_call_is_one_record(service: Service, lines: Lines) -> None:
    service.mip.set_fault("segments", Fault(kind="status", status=503, times=1))
    service.work(event("worker_programs"))
    [retry] = [line for line in lines() if line.get("message") == "call retried"]
    assert (retry["call"], retry["attempt"]) == ("segments", 1)
    assert "503" in retry["problem"]


def test_hit_is_counted_and_writes_nothing_else(warm: Service, lines: Lines) -> None:
    lines()
    warm.read(event("reader_accounts"))
    [line] = lines()
    assert metrics([line]) == {"Hits": [1.0]}


def test_miss_that_was_served_after_waiting_counts_as_both(
    service: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISS_WAIT_SECONDS", "5")
    monkeypatch.setattr("handlers.wiring.reader.time.sleep", lambda _seconds: service.poll())
    assert service.read(event("reader_accounts"))["statusCode"] == 200
    counted = metrics(lines())
    assert (counted["Misses"], counted["Waits"]) == ([1.0], [1.0])


def test_rebuild_writes_its_metrics(service: Service, lines: Lines) -> None:
    service.work(event("worker_programs"))
    written = lines()
    counted = metrics(written)
    assert counted["Rebuilds"] == counted["MipLogins"] == [1.0]
    assert counted["MipSeconds"][0] >= 0
    [rebuilds] = [line for line in written if "Rebuilds" in line]
    assert (rebuilds["dataset"], rebuilds["outcome"]) == ("programs", "success")


def test_metrics_are_written_although_the_work_fails(
    service: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        from handlers.wiring.worker import worker

        worker().telemetry.count("SessionsRecovered")
        raise RuntimeError

    monkeypatch.setattr("core.rebuilding.batch.BatchProcessor.process", fail)
    with pytest.raises(RuntimeError):
        service.work(event("worker_programs"))
    assert metrics(lines())["SessionsRecovered"] == [1.0]


def test_metrics_and_lines_carry_the_name_of_the_function(lines: Lines) -> None:
    name = function_name({"AWS_LAMBDA_FUNCTION_NAME": "mips-staging-worker"}, "worker")
    telemetry = PowertoolsTelemetry(name)
    telemetry.count("Hits")
    telemetry.count("DeadLettered", error_type="ConflictError")
    telemetry.info("told")
    telemetry.flush()
    assert {line["service"] for line in lines()} == {"mips-staging-worker"}


def test_no_secret_reaches_a_line_whatever_mip_says(service: Service, lines: Lines) -> None:
    body = f"{USER}/{PASSWORD} is logged in"
    service.mip.set_fault("login", Fault(kind="status", status=403, body=body, times=1))
    service.work(event("worker_programs"))
    written = json.dumps([lines(), service.stored("v1/failures/programs.json")])
    assert PASSWORD not in written
    assert f'"{USER}/' not in written
    service.work(event("worker_programs"))
    written = json.dumps(lines())
    assert service.mip.counters.logins == 1
    assert "AccessToken" not in written
    assert "Depression-Emory Wingo" not in written
