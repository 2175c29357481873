"""The control room while the stack goes down, or lacks a part."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from local.stack import MipEndpoints
from tests.local.control_room.watching import Watching, act, request
from tests.local.toy_stack import eventually, toy_stack


def test_a_part_that_is_out_of_reach_is_named_and_the_others_are_told() -> None:
    with toy_stack() as stack:
        stack.client("s3").delete_bucket(Bucket=stack.resources["CacheBucket"])
        with Watching(stack) as watching:
            state = watching.until("state")
    assert state["cache"] is None
    assert state["queue"] is not None
    assert any("S3" in problem for problem in state["problems"])


def test_a_mip_cloud_that_runs_elsewhere_is_left_alone() -> None:
    elsewhere = MipEndpoints("http://127.0.0.1:1", "http://127.0.0.1:1")
    with toy_stack(mip=elsewhere) as stack, Watching(stack) as watching:
        setting = watching.until("setting")
        assert "poison" in setting["actions"]
        assert not {"fault", "heal", "store_credentials"} & set(setting["actions"])
        assert watching.until("state")["mip"] is None
        status, problem = act(stack, "fault", name="down")
        assert (status, problem["detail"].startswith("action must be one of read, ")) == (400, True)


def test_watchers_do_not_keep_the_stack_from_stopping(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    stack = toy_stack()
    with stack, Watching(stack) as watching:
        watching.until("state")
        with socket.create_connection(("127.0.0.1", urlsplit(stack.api_url).port or 0)) as deaf:
            deaf.sendall(b"GET /_local/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert eventually(lambda: len(stack.control_room._watchers) == 2)
            began = time.monotonic()
            stack.stop()
            assert time.monotonic() - began < 2
        while watching.next():
            continue
    assert eventually(lambda: set(threading.enumerate()) <= before, seconds=3)
    assert capfd.readouterr().err == ""


def test_an_action_while_the_stack_goes_down_is_a_503() -> None:
    with toy_stack() as stack:
        stack.control_room.request_stop()
        status, problem = act(stack, "poison")
        assert (status, problem["detail"]) == (503, "the stack is being stopped")
        assert request(stack, "GET", "/_local/events")[0].status == 503


def test_an_action_that_the_stop_breaks_off_neither_hangs_nor_leaves_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    stack = toy_stack()
    with ThreadPoolExecutor() as threads, stack:
        reading = threads.submit(act, stack, "read", route="/things", parameters={"sleep": "4"})
        assert eventually(lambda: stack.functions["ReaderFunction"].running)
        began = time.monotonic()
        stack.stop()
        failed = reading.exception(timeout=2)
        assert time.monotonic() - began < 2
        # It was answered, or its connection was cut together with all others.
        assert isinstance(failed, ConnectionError) or reading.result()[0] in (200, 503)
    assert "Traceback" not in capfd.readouterr().err
