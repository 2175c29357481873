"""The processes of `make bench`: a failure is told, and nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.bench.processes import ROOT, MeasurementFailedError, Measuring

COMMAND = [sys.executable, "-m", "tools.bench", "--only", "hits_7k", "--output"]
PATIENCE_SECONDS = 30


def running_in(session: int) -> list[str]:
    """Return the processes of a session; those that ended and were not waited for don't count."""
    command = ["ps", "-o", "stat=,args=", "-s", str(session)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [line for line in listed.splitlines() if not line.startswith("Z")]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("to", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_benchmark_that_is_broken_off_leaves_nothing(tmp_path: Path, to: signal.Signals) -> None:
    command = [*COMMAND, str(tmp_path / "out.json")]
    started = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    eventually(lambda: any("bench.hits" in line for line in running_in(started.pid)))
    if to is signal.SIGINT:
        os.killpg(started.pid, to)
    else:
        started.kill()
    _, told = started.communicate(timeout=PATIENCE_SECONDS)
    if to is signal.SIGINT:
        assert (started.returncode, told) == (130, b"Broken off; nothing was written.\n")
    eventually(lambda: running_in(started.pid) == [])
    assert list(tmp_path.iterdir()) == []


def test_taken_port_is_told_and_nothing_is_measured(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND, str(tmp_path / "out.json"), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_measuring_process_that_fails_is_told_with_its_last_words() -> None:
    with (
        pytest.raises(MeasurementFailedError, match="CACHE_BUCKET is missing"),
        Measuring("requests_per_hit") as messages,
    ):
        list(messages)
