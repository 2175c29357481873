"""Starting and stopping the local stack."""

import errno
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.aws.server import AnotherStackError
from local.loopback.ports import PortForbiddenError, PortInUseError, listen
from local.stack import MipEndpoints
from tests.local.toy_stack import eventually, toy_stack


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


def test_a_port_that_needs_rights_is_not_told_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(PortForbiddenError, match="port 80 may not be used without") as caught:
        listen(80)
    assert caught.value.port == 80


def test_a_second_stack_in_one_process_is_refused_and_harms_no_one() -> None:
    with toy_stack() as stack:
        with pytest.raises(AnotherStackError), toy_stack():
            pass
        assert stack.invoke("AdminFunction", {"do": "echo"}) == {"do": "echo"}


def test_parameters_and_overrides_are_taken_and_a_schedule_that_is_not_run_is_noted() -> None:
    with toy_stack(
        parameters={"Greeting": "servus", "RefreshExpression": "cron(0 6 ? * MON *)"},
        environment_overrides={"AdminFunction": {"MORE": "1"}},
        mip=MipEndpoints("http://127.0.0.1:1", None),
    ) as stack:
        seen = stack.invoke("AdminFunction", {"do": "environment"})
        assert (seen["GREETING"], seen["MORE"]) == ("servus", "1")
        assert stack.environment("WorkerFunction")["MIP_LOGIN_URL"] == "http://127.0.0.1:1"
        assert stack.mip_url is None
        assert stack.schedules == []
        assert "RefreshSchedule" in stack.notes[0]


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
