"""What the functions write to their logs: one JSON object per event, a story by its id, metrics."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from handlers.telemetry import PowertoolsTelemetry, function_name
from local.mip import Fault
from tests.handlers.conftest import Service, event

Lines = Callable[[], list[dict[str, Any]]]
READ = event("reader_accounts")["requestContext"]["requestId"]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Everything that was written, each line as the JSON object that it has to be."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def events(written: list[dict[str, Any]]) -> list[str]:
    return [line["message"] for line in written if "message" in line]


def named(event: str, written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in written if line.get("message") == event]


def metrics(written: list[dict[str, Any]]) -> dict[str, list[float]]:
    return {
        metric["Name"]: line[metric["Name"]]
        for line in written
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_one_id_leads_from_the_request_to_the_rebuilt_entry(service: Service, lines: Lines) -> None:
    service.read(event("reader_accounts"))
    service.poll()
    story = [line for line in lines() if READ in line.get("correlation_id", "")]
    assert events(story) == ["rebuild queued", "session opened", "entry rebuilt", "session closed"]
    logged = [line for line in story if "message" in line]
    assert all("function_request_id" in line and "location" not in line for line in logged)


def test_one_id_leads_from_the_request_to_the_dead_letter_and_the_failure_record(
    service: Service, lines: Lines
) -> None:
    service.mip.set_fault("segments", Fault(kind="status", status=401))
    service.mip.set_fault("login", Fault(kind="status", status=401))
    service.read(event("reader_accounts"))
    service.poll()
    story = [line for line in lines() if line.get("correlation_id") == READ]
    assert events(story) == ["rebuild queued", "rebuild failed", "message dead-lettered"]
    assert service.stored("v1/failures/programs.json")["correlation_id"] == READ
    assert {line["service"] for line in story} == {"reader", "worker"}


def test_message_without_an_id_goes_by_its_own(service: Service, lines: Lines) -> None:
    sample = event("worker_programs")
    sample["Records"][0]["body"] = '{"dataset": "programs"}'
    service.work(sample)
    [told] = named("entry rebuilt", lines())
    assert told["correlation_id"] == sample["Records"][0]["messageId"]


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
    everybody = [f"read-{number}" for number in range(len(records))]
    [opened] = named("session opened", written)
    assert opened["correlation_id"].split() == everybody
    retried = named("message retried", written)
    assert [line["correlation_id"] for line in retried] == everybody


def test_refresh_goes_by_the_id_of_its_invocation(service: Service, lines: Lines) -> None:
    result = service.steer({"action": "refresh", "dataset": "programs"})
    assert service.queued()[0]["correlation_id"] == result["correlation_id"]
    written = lines()
    assert {line["correlation_id"] for line in written} == {result["correlation_id"]}
    [begun], [done] = named("admin command", written), named("admin command done", written)
    assert (begun["command"], done["summary"]) == ("Refresh", result["summary"])


def test_retry_of_a_call_is_one_record(service: Service, lines: Lines) -> None:
    service.mip.set_fault("segments", Fault(kind="status", status=503, times=1))
    service.work(event("worker_programs"))
    [retry] = named("call retried", lines())
    assert (retry["call"], retry["attempt"]) == ("segments", 1)
    assert "503" in retry["problem"]


def test_hit_is_counted_and_writes_nothing_else(warm: Service, lines: Lines) -> None:
    lines()
    warm.read(event("reader_accounts"))
    [line] = lines()
    assert metrics([line]) == {"Hits": [1.0]}


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


def test_metrics_and_lines_carry_the_name_of_the_function_and_their_fields(lines: Lines) -> None:
    name = function_name({"AWS_LAMBDA_FUNCTION_NAME": "mips-staging-worker"}, "worker")
    telemetry = PowertoolsTelemetry(name)
    telemetry.count("Hits")
    telemetry.count("NotModified")
    telemetry.count("DeadLettered", error_type="ConflictError")
    telemetry.info("told", dataset="programs")
    telemetry.warning("warned", problem="none")
    telemetry.flush()
    written = lines()
    assert {line["service"] for line in written} == {"mips-staging-worker"}
    dead_lettered, told, warned, gathered = written
    assert dead_lettered["error_type"] == "ConflictError"
    assert (told["level"], told["dataset"]) == ("INFO", "programs")
    assert (warned["level"], warned["problem"]) == ("WARNING", "none")
    assert metrics([gathered]) == {"Hits": [1.0], "NotModified": [1.0]}
