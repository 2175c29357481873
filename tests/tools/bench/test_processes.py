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

from tests.benchmarks.__main__ import main
from tests.benchmarks.processes import ROOT, MeasurementFailedError, Measuring

COMMAND = [sys.executable, "-m", "tests.benchmarks", "--only", "hits_7k"]
PATIENCE_SECONDS = 30


def running_in(session: int) -> list[str]:
    """Return the processes of a session; those that ended and were not waited for don't count."""
    command = ["ps", "-o", "stat=,args=", "-s", str(session)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def start(output: Path) -> "subprocess.Popen[str]":
    """Start a benchmark in a session of its own, and wait until it measures."""
    started = subprocess.Popen(
        [*COMMAND, "--output", str(output)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    eventually(lambda: any("benchmarks.hits" in line for line in running_in(started.pid)))
    return started


@pytest.mark.parametrize("to_all", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_benchmark_that_is_broken_off_says_so_and_leaves_nothing(
    tmp_path: Path, *, to_all: bool
) -> None:
    started = start(tmp_path / "out.json")
    if to_all:
        os.killpg(started.pid, signal.SIGINT)
    else:
        started.terminate()
    _, told = started.communicate(timeout=PATIENCE_SECONDS)
    assert (started.returncode, told) == (130, "Broken off; nothing was written.\n")
    assert running_in(started.pid) == []
    assert list(tmp_path.iterdir()) == []


def test_measuring_processes_end_even_when_the_benchmark_was_killed(tmp_path: Path) -> None:
    started = start(tmp_path / "out.json")
    started.kill()
    started.communicate(timeout=PATIENCE_SECONDS)
    eventually(lambda: running_in(started.pid) == [])


def test_taken_port_is_told_and_nothing_is_measured(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port), "--output", str(tmp_path / "out.json")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--record", "--only", "transform"], "--record needs every row"),
        (["--output", "no/such/folder/out.json"], "there is no folder"),
        (["--only", "everything"], "invalid choice"),
    ],
)
def test_wrong_option_is_told_before_anything_is_measured(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_measuring_process_that_fails_is_told_with_its_last_words() -> None:
    with (
        pytest.raises(MeasurementFailedError, match="CACHE_BUCKET is missing"),
        Measuring("requests_per_hit") as messages,
    ):
        list(messages)
