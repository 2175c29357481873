"""Functions that cannot be loaded or started, or whose output nobody takes."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from local.functions.functions import FunctionFailedError
from local.stack import LocalStack
from local.standard_error import write_error
from tests.local.toy_stack import TOY_TEMPLATE, toy_stack


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[tuple[LocalStack, Path]]:
    """A stack whose code lies where a test can edit it."""
    folder = shutil.copytree(TOY_TEMPLATE.parent, tmp_path / "toy")
    with toy_stack(template=folder / "template.yaml") as running:
        yield running, folder


def status_of(stack: LocalStack) -> int:
    return urllib3.request("GET", f"{stack.api_url}/things", retries=False).status


def test_edited_code_is_noticed_also_where_it_is_wrong(edited: tuple[LocalStack, Path]) -> None:
    stack, folder = edited
    code = folder / "toys.py"
    good = code.read_text()
    assert status_of(stack) == 200
    changed_at = code.stat().st_mtime
    for number, (text, status) in enumerate(((good + "def (", 502), (good, 200)), start=1):
        code.write_text(text)
        os.utime(code, (changed_at + number, changed_at + number))
        assert [status_of(stack), status_of(stack)] == [status, status]


def test_a_function_that_cannot_be_started_is_a_502(edited: tuple[LocalStack, Path]) -> None:
    stack, folder = edited
    shutil.rmtree(folder)
    assert status_of(stack) == 502
    with pytest.raises(FunctionFailedError, match="cannot be started"):
        stack.invoke("AdminFunction", {"do": "echo"})


def test_a_listener_that_fails_stalls_no_function(tmp_path: Path) -> None:
    def fail(*_: str) -> None:
        raise BrokenPipeError

    with toy_stack(echo=fail, timeouts={"AdminFunction": 3.0}) as stack:
        # More than a pipe holds.
        assert stack.invoke("AdminFunction", {"do": "print", "text": "x\n" * 100_000}) is None


def test_a_problem_that_nobody_can_read_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", buffering=1) as broken:  # noqa: PTH123 - a descriptor has no path
        monkeypatch.setattr(sys, "stderr", broken)
        write_error("oh")
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
