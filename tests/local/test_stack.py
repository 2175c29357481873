"""Starting, stopping, and the command line of the local stack."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.__main__ import main
from local.aws.server import AnotherStackError
from local.cli import arguments, command
from local.cli.interruption import Interruption
from local.errors import PortInUseError
from local.functions.sandbox import PROJECT_ROOT
from local.mip import PASSWORD, USER
from local.stack import MipEndpoints
from local.template.stack_template import TemplateError
from tests.local.toy_stack import TOY_TEMPLATE, eventually, toy_stack


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def is_open(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def test_stopping_ends_every_process_thread_and_port() -> None:
    before = set(threading.enumerate())
    stack = toy_stack(poll=True)
    with ThreadPoolExecutor() as threads, stack:
        threads.submit(stack.invoke, "AdminFunction", {"do": "sleep", "seconds": 4})
        assert eventually(lambda: stack.functions["AdminFunction"].running)
        pids = stack.functions["AdminFunction"].pids()
        began = time.monotonic()
        stack.stop()
        assert time.monotonic() - began < 2
        stack.stop()
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not any(map(is_open, (stack.api_url, stack.aws_url, stack.mip_url or "")))
    # A thread of moto's that waits for messages looks up once a second.
    assert eventually(lambda: set(threading.enumerate()) <= before, seconds=3)


@pytest.mark.parametrize("server", ["gateway_port", "aws_port", "mip_port"])
def test_a_taken_port_is_named_and_leaves_nothing_running(taken_port: int, server: str) -> None:
    before = set(threading.enumerate())
    with pytest.raises(PortInUseError) as caught, toy_stack(**{server: taken_port}):
        pass
    assert caught.value.port == taken_port
    assert eventually(lambda: set(threading.enumerate()) <= before)
    with toy_stack() as stack:
        assert is_open(stack.api_url)


def test_a_bad_parameter_leaves_nothing_running() -> None:
    before = set(threading.enumerate())
    with pytest.raises(TemplateError), toy_stack(parameters={"Nothing": "x"}):
        pass
    assert eventually(lambda: set(threading.enumerate()) <= before)


def test_a_second_stack_in_one_process_is_refused_and_harms_no_one() -> None:
    with toy_stack() as stack:
        with pytest.raises(AnotherStackError), toy_stack():
            pass
        assert stack.invoke("AdminFunction", {"do": "echo"}) == {"do": "echo"}


def test_a_stack_knows_nothing_of_the_one_before() -> None:
    with toy_stack() as first:
        bucket = first.resources["CacheBucket"]
        first.client("s3").put_object(Bucket=bucket, Key="a", Body=b"old")
    with toy_stack() as second:
        buckets = second.client("s3").list_buckets()["Buckets"]
        assert [found["Name"] for found in buckets] == [second.resources["CacheBucket"]]
        assert second.resources["CacheBucket"] != bucket


def test_the_stack_has_what_cloudformation_in_moto_would_drop() -> None:
    with toy_stack() as stack:
        s3, bucket = stack.client("s3"), stack.resources["CacheBucket"]
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        secrets = stack.client("ssm").get_parameters_by_path(
            Path="/toy/secret", WithDecryption=True
        )["Parameters"]
        assert {found["Name"]: (found["Type"], found["Value"]) for found in secrets} == {
            "/toy/secret/user": ("SecureString", USER),
            "/toy/secret/pass": ("SecureString", PASSWORD),
        }
        assert stack.environment("WorkerFunction")["MIP_LOGIN_URL"] == stack.mip_url


def test_parameters_and_overrides_reach_the_functions() -> None:
    with toy_stack(
        parameters={"Greeting": "servus"},
        environment_overrides={"AdminFunction": {"MORE": "1"}},
        mip=MipEndpoints("http://127.0.0.1:1", None),
    ) as stack:
        seen = stack.invoke("AdminFunction", {"do": "environment"})
        assert (seen["GREETING"], seen["MORE"]) == ("servus", "1")
        assert stack.environment("WorkerFunction")["MIP_LOGIN_URL"] == "http://127.0.0.1:1"
        assert stack.mip_url is None


def test_a_schedule_that_is_not_run_is_noted() -> None:
    with toy_stack(parameters={"RefreshExpression": "cron(0 6 * * ? *)"}) as stack:
        assert stack.schedules == []
        assert "RefreshSchedule" in stack.notes[0]


def test_a_polling_stack_feeds_its_worker() -> None:
    with toy_stack(poll=True) as stack:
        stack.schedules[0].fire()
        log = stack.functions["WorkerFunction"].log.path
        assert eventually(lambda: "refresh" in log.read_text())


class NoInterruption:
    """Ends a command as soon as it waits."""

    def wait(self) -> None:
        return None


def run(*options: str) -> int:
    ports = ["--api-port", "0", "--aws-port", "0", "--mip-port", "0"]
    return command.run(arguments.parse([*ports, *options]), NoInterruption())


def test_the_command_starts_a_stack_and_says_what_to_try(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--template", str(TOY_TEMPLATE)) == 0
    out = capsys.readouterr().out
    assert "curl -i http://127.0.0.1:" in out
    assert re.search(r"in a browser:\n  http://127\.0\.0\.1:\d+/_local/\n", out)
    assert out.endswith("Stopping …\n")


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
        (
            ["--template", "/nowhere/template.yaml"],
            "there is no template at /nowhere/template.yaml",
        ),
        (["--parameter", "Nothing=1"], "has no parameter Nothing"),
        (["--parameter", "CodesToOmit=?"], "CodesToOmit must"),
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


@pytest.fixture
def service() -> Iterator[subprocess.Popen[str]]:
    """`python -m local`, as a person would start it, on free ports."""
    options = ["--api-port", "0", "--aws-port", "0", "--mip-port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "local", *options],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def printed_commands(service: subprocess.Popen[str]) -> list[str]:
    """The commands that it prints; the reset of the stand-in is the last one."""
    commands: list[str] = []
    for line in service.stdout or ():
        if line.startswith(("  curl ", "  aws ", "  export ")):
            commands.append(line.strip())
        if "/_control/reset" in line:
            break
    return commands


def test_the_printed_commands_work_as_pasted_and_an_interrupt_ends_everything(
    service: subprocess.Popen[str], tmp_path: Path
) -> None:
    commands = printed_commands(service)
    assert len(commands) > 8
    script = "\n".join(["set -e", *commands])
    pasted = subprocess.run(
        [shutil.which("bash") or "bash"],
        input=script,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert pasted.returncode == 0, pasted.stderr
    assert '"000000": "No Program"' in pasted.stdout
    assert "AccountNumber,AccountName" in pasted.stdout
    assert '"MessageId"' in pasted.stdout
    assert '"session_open"' in pasted.stdout
    assert "FunctionError" not in pasted.stdout
    assert "HTTP/1.1 403" not in pasted.stdout
    service.send_signal(signal.SIGINT)
    rest, _ = service.communicate(timeout=10)
    assert (service.returncode, rest) == (0, "Stopping …\n")


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Puts back what a command changes: the process's signal handlers."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
    with interruption.impatient():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second interrupt did not break it off")
    signal.raise_signal(signal.SIGINT)  # and a third one changes nothing


def test_batches_that_run_are_finished_where_that_is_asked_for() -> None:
    with toy_stack(poll=True) as stack:
        sqs, queue = stack.client("sqs"), stack.resources["RebuildQueue"]
        sqs.send_message(QueueUrl=queue, MessageBody='{"sleep": 0.5}', MessageGroupId="toys")
        assert eventually(lambda: stack.functions["WorkerFunction"].running)
        stack.finish_batches()
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_the_users_own_aws_settings_and_proxies_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with toy_stack() as stack:
        assert stack.client("s3").list_buckets()["Buckets"]
