"""The whole service as `make local` runs it: MIP round trips, a stampede at expiry, peak memory."""

import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from moto.sqs.models import SQSBackend

from local.mip import MipCloud
from local.mip.sample.organisation import ChartAccount
from local.stack import LocalStack
from tools.bench.channel import Channel
from tools.bench.samples import program_names

READS = 1_000
VIEWS = 64
LARGE_CHART = 60_000
LARGE_LEDGER = 10_000
"""GL accounts; a month's entry of them takes 600 KB."""
PROGRAMS_KEY = "cache/v1/programs.json"
FUNCTIONS = {"reader": "ReaderFunction", "worker": "WorkerFunction", "admin": "AdminFunction"}
PATIENCE_SECONDS = 120


class Service:
    """A running stack, and what is done to it and counted in it."""

    def __init__(self, stack: LocalStack, mip: MipCloud) -> None:
        self.stack = stack
        self.mip = mip
        self._s3 = stack.client("s3")
        self._sqs = stack.client("sqs")
        self._bucket = stack.resources["CacheBucket"]

    def get(self, path: str, **parameters: str) -> requests.Response:
        """Ask the API."""
        return requests.get(self.stack.api_url + path, params=parameters, timeout=60)

    def rebuild(self, dataset: str) -> None:
        """Queue a rebuild as an operator does, and wait until it is done."""
        before = self.mip.counters.logouts
        self._sqs.send_message(
            QueueUrl=self.stack.resources["RebuildQueue"],
            MessageBody=json.dumps({"dataset": dataset}),
            MessageGroupId="mips",
            MessageDeduplicationId=f"{time.monotonic_ns()}",
        )
        self.wait_for(lambda: self.mip.counters.logouts > before)
        self.wait_for(self.is_idle)

    def expire(self) -> None:
        """Make the stored programs stale."""
        stored = self._s3.get_object(Bucket=self._bucket, Key=PROGRAMS_KEY)["Body"].read()
        entry = json.loads(stored)
        entry["fresh_until"] = entry["built_at"]
        self._s3.put_object(Bucket=self._bucket, Key=PROGRAMS_KEY, Body=json.dumps(entry).encode())

    def is_idle(self) -> bool:
        """Tell whether no message waits and no session is open."""
        status = self.stack.invoke("AdminFunction", {"action": "status"})
        return bool(
            status["queue"] == {"visible": 0, "in_flight": 0} and not status["session_open"]
        )

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait for what another process brings about. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError("the local stack did not get done")
            time.sleep(0.05)

    def peak_megabytes(self, function: str) -> float | None:
        """Return the largest peak memory of a function's processes; None where none can be told."""
        peaks = [
            peak
            for pid in self.stack.functions[function].pids()
            if (peak := _peak_kilobytes(pid)) is not None
        ]
        return max(peaks) / 1024 if peaks else None


def _peak_kilobytes(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) if found else None


def count_sends() -> Callable[[], int]:
    """Count what reaches SQS from now on; moto runs in this process."""
    sent: list[None] = []
    send_message = SQSBackend.send_message

    def counting(self: SQSBackend, *arguments: Any, **named: Any) -> Any:
        sent.append(None)
        return send_message(self, *arguments, **named)

    SQSBackend.send_message = counting  # type: ignore[method-assign]
    return lambda: len(sent)


def measure_round_trips(service: Service, channel: Channel) -> None:
    """Rebuild everything once, and tell what MIP saw."""
    service.rebuild("all")
    channel.value("mip_calls", sum(service.mip.counters.calls.values()))
    channel.value("mip_logins", service.mip.counters.login_attempts)


def measure_stampede(service: Service, channel: Channel) -> None:
    """Read from as many threads as there are reads, all released at the same moment."""
    service.expire()
    rebuilds, sends = service.mip.counters.logins, count_sends()
    together = threading.Barrier(READS)

    def read(_: int) -> int:
        together.wait()
        return service.get("/accounts").status_code

    readers = ThreadPoolExecutor(READS)
    try:
        statuses = set(readers.map(read, range(READS)))
    finally:
        # When this is broken off, nobody waits for the answers: the stack ends next, and cuts them.
        together.abort()
        readers.shutdown(wait=False, cancel_futures=True)
    if statuses != {200}:
        raise RuntimeError(f"a stale entry was answered with {statuses}")
    service.wait_for(service.is_idle)
    processes = len(service.stack.functions["ReaderFunction"].pids())
    channel.value("stampede_sends", sends() / processes)
    channel.value("stampede_rebuilds", service.mip.counters.logins - rebuilds)


def measure_memory(service: Service, channel: Channel, suffix: str) -> None:
    """Tell the peak memory of each function so far."""
    for name, function in FUNCTIONS.items():
        peak = service.peak_megabytes(function)
        if peak is None:
            channel.problem(f"memory_{name}{suffix}", "this system does not tell peak memory")
        else:
            channel.value(f"memory_{name}{suffix}", peak)


def use_large_chart(service: Service) -> None:
    """Let chart and books be larger than any, and ask for more views than are kept."""
    programs = program_names(LARGE_CHART)
    service.mip.set_programs([ChartAccount(f"{code}01", "A", title) for code, title in programs])
    ledger = (ChartAccount(f"{100_000 + n}", "A", f"Account {n}") for n in range(LARGE_LEDGER))
    service.mip.organisation = replace(service.mip.organisation, gl=tuple(ledger))
    service.rebuild("all")
    for limit in range(VIEWS):
        answered = service.get("/tags", limit=str(LARGE_CHART - limit))
        answered.raise_for_status()


def main() -> None:
    """Run the stack with the sample chart, then with a large one; tell what it took."""
    channel, _ = Channel.from_arguments()
    channel.begin(5)
    mip = MipCloud()
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip) as stack:
        service = Service(stack, mip)
        for measure in (measure_round_trips, measure_stampede):
            measure(service, channel)
            channel.step()
        measure_memory(service, channel, "")
        channel.step()
        use_large_chart(service)
        channel.step()
        measure_memory(service, channel, "_large")
        channel.step()


if __name__ == "__main__":
    main()
