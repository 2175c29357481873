"""The command line: what it prints, what it refuses, and that it ends in good order."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest

from local.__main__ import main
from local.cli import arguments, command
from local.cli.interruption import SIGNALS, Interruption
from local.functions.sandbox import PROJECT_ROOT
from local.mip import ORGANISATION, PASSWORD, USER, MipCloud, MipCloudServer
from tests.local.toy_stack import eventually

FREE_PORTS = ("--api-port", "0", "--aws-port", "0", "--mip-port", "0")


def run(*options: str) -> int:
    return command.run(arguments.parse([*FREE_PORTS, *options]), Mock())


@pytest.mark.parametrize("option", ["--api-port", "--aws-port", "--mip-port"])
def test_a_taken_port_ends_the_command_with_the_option_that_changes_it(
    capsys: pytest.CaptureFixture[str], taken_port: int, option: str
) -> None:
    assert run(option, str(taken_port)) == 2
    assert capsys.readouterr().err == (
        f"error: port {taken_port} is taken by another program; choose another with {option}\n"
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--template", "/nowhere.yaml"], "there is no template at /nowhere.yaml"),
        (["--mip-login-url", "https://login.mip.com"], "MIP_USER, MIP_PASSWORD and MIP_ORG"),
    ],
)
def test_what_cannot_be_started_ends_the_command_with_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], problem: str
) -> None:
    assert run(*options) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert problem in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "options", [["--parameter", "NoValue"], ["--api-port", "x"], ["--reader-concurrency", "0"]]
)
def test_a_wrong_option_ends_the_command_with_status_two(options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments.parse(options)
    assert caught.value.code == 2


@contextmanager
def started(*options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m local`, as a person would start it, on free ports."""
    with subprocess.Popen(
        [sys.executable, "-m", "local", *FREE_PORTS, *options],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(service: subprocess.Popen[str], last: str) -> str:
    """What it prints, up to a line that holds `last`."""
    lines: list[str] = []
    for line in service.stdout or ():
        lines.append(line)
        if last in line:
            break
    return "".join(lines)


def test_the_printed_commands_work_as_pasted_and_an_interrupt_ends_everything(
    tmp_path: Path,
) -> None:
    with started() as service:
        text = printed(service, last="/_control/reset")
        assert re.search(r"in a browser:\n  http://127\.0\.0\.1:\d+/_local/\n", text)
        commands = re.findall(r"^  ((?:curl|aws|export) .*)$", text, re.MULTILINE)
        assert len(commands) > 8
        pasted = subprocess.run(
            [shutil.which("bash") or "bash"],
            input="\n".join(["set -e", *commands]),
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        service.send_signal(signal.SIGINT)
        rest, _ = service.communicate(timeout=10)
    assert pasted.returncode == 0, pasted.stderr
    for shown in ('"000000": "No Program"', "AccountNumber,AccountName", '"MessageId"'):
        assert shown in pasted.stdout
    assert '"session_open"' in pasted.stdout
    assert not re.search("FunctionError|HTTP/1.1 403", pasted.stdout)
    assert (service.returncode, rest) == (0, "Stopping …\n")


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Puts back what a command changes: the process's signal handlers."""
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_while_starting_leaves_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    monkeypatch.setattr(command, "run", lambda *_: signal.raise_signal(number))
    assert main([]) == 130
    assert capsys.readouterr().err == "Broken off before everything was started.\n"


@pytest.mark.usefixtures("_handlers")
def test_an_interrupt_while_running_ends_the_waiting_and_a_second_one_the_patience() -> None:
    interruption = Interruption()
    threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()
    interruption.wait()
    with interruption.until_next_signal():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second interrupt did not break it off")
    signal.raise_signal(signal.SIGINT)  # and a third one changes nothing


def test_a_terminal_that_closes_in_mid_rebuild_leaves_no_session_open() -> None:
    """The note of the session dies with the stack, so the worker has to log out first."""
    mip = MipCloud()
    mip.set_latency(1, "accounts")
    with MipCloudServer(mip) as server:
        options = ["--mip-login-url", server.url, "--mip-api-url", server.url, "--verbose"]
        known = {"MIP_USER": USER, "MIP_PASSWORD": PASSWORD, "MIP_ORG": ORGANISATION}
        with started(*options, **known) as service:
            text = printed(service, last="dead_letters")
            sent = re.search(r"(http://\S+) sqs send-message --queue-url (\S+)", text)
            assert sent
            sqs = boto3.client("sqs", endpoint_url=sent[1])
            body = '{"dataset": "all"}'
            sqs.send_message(QueueUrl=sent[2], MessageBody=body, MessageGroupId="mips")
            assert eventually(lambda: mip.open_sessions, seconds=20)
            assert service.stdout
            service.stdout.close()
            # A terminal tells everything that it started.
            os.killpg(service.pid, signal.SIGHUP)
            assert service.wait(timeout=30) == 0
    assert (mip.counters.logins, mip.open_sessions) == (1, 0)
