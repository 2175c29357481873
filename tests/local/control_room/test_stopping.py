"""The control room while the stack goes down, or lacks a part."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import LocalStack, MipEndpoints
from tests.local.control_room.watching import Watching
from tests.local.toy_stack import eventually, toy_stack


def test_a_part_that_is_out_of_reach_is_named_and_the_others_are_told() -> None:
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0) as stack:
        stack.client("s3").delete_bucket(Bucket=stack.resources["CacheBucket"])
        state = Watching(stack).look()
    assert state["status"] is None
    assert state["mip"] is not None
    assert any("S3" in problem for problem in state["problems"])


def test_a_mip_cloud_that_runs_elsewhere_is_left_alone() -> None:
    elsewhere = MipEndpoints("http://127.0.0.1:1", "http://127.0.0.1:1")
    with toy_stack(mip=elsewhere) as stack:
        room = Watching(stack)
        state = room.look()
        status, problem = room.press("fault", name="down")
    assert "poison" in state["setting"]["actions"]
    assert not {"fault", "heal", "store_credentials"} & set(state["setting"]["actions"])
    assert state["mip"] is None
    assert (status, problem["detail"].startswith("action must be one of read, ")) == (400, True)


def test_an_action_while_the_stack_goes_down_is_a_503() -> None:
    with toy_stack() as stack:
        room = Watching(stack)
        assert stack.control_room
        stack.control_room.request_stop()
        status, problem = room.press("poison")
        assert (status, problem["detail"]) == (503, "the stack is being stopped")
        assert room.look()["stopping"] is True


def test_an_action_that_the_stop_breaks_off_neither_hangs_nor_leaves_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    stack = toy_stack()
    with ThreadPoolExecutor() as threads, stack:
        reading = threads.submit(Watching(stack).press, "read", route="/things", query="sleep=4")
        assert eventually(lambda: stack.functions["ReaderFunction"].running)
        began = time.monotonic()
        stack.stop()
        failed = reading.exception(timeout=2)
        assert time.monotonic() - began < 2
        # It was answered, or its connection was cut together with all others.
        assert isinstance(failed, ConnectionError) or reading.result()[0] in (200, 503)
    assert "Traceback" not in capfd.readouterr().err
