"""Measuring processes: started one by one, listened to, and ended in any case."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
LAST_WORDS = 15
"""How many lines of a failed process's stderr are shown."""
PATIENCE_SECONDS = 10


class MeasurementFailedError(RuntimeError):
    """A measuring process ended with an error; the text has its last words."""


class Measuring:
    """One measuring process. A context manager: leaving it ends the process.

    Its stdout is read and thrown away, as Lambda would read it: the handler writes its logs there.
    """

    def __init__(
        self, module: str, arguments: Sequence[str] = (), environment: Mapping[str, str] = {}
    ) -> None:
        listening, telling = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                [sys.executable, "-m", f"tools.bench.{module}", str(telling), *arguments],
                cwd=ROOT,
                env={**_environment(), **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[telling],
            )
        finally:
            os.close(telling)
        self._messages = os.fdopen(listening)
        self._last_words: deque[bytes] = deque(maxlen=LAST_WORDS)
        self._threads = [
            threading.Thread(target=deque, args=(self._process.stdout, 0), daemon=True),
            threading.Thread(target=self._last_words.extend, args=(self._errors,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Iterator[dict[str, Any]]:
        return self._listen()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        for pipe in (self._messages, self._process.stdin, self._process.stdout, self._errors):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    @property
    def _errors(self) -> "IO[bytes]":
        assert self._process.stderr  # noqa: S101 - a pipe, as asked for
        return self._process.stderr

    def _listen(self) -> Iterator[dict[str, Any]]:
        """Yield what the process tells. Raises MeasurementFailedError when it failed."""
        for line in self._messages:
            yield json.loads(line)
        if self._process.wait() != 0:
            for thread in self._threads:
                thread.join(PATIENCE_SECONDS)
            raise MeasurementFailedError(b"".join(self._last_words).decode(errors="replace"))


@contextlib.contextmanager
def aws_server(port: int) -> Iterator[dict[str, str]]:
    """Run S3 and SQS on loopback in a process of their own; the facts that readers need.

    Port 0 takes any. Raises MeasurementFailedError where it could not start: the port is taken.
    """
    with Measuring("aws_server", [str(port)]) as messages:
        ended = {"problem": "the loopback AWS ended before it was ready"}
        first: dict[str, Any] = next(messages, ended)
        if "problem" in first:
            raise MeasurementFailedError(first["problem"])
        yield first["ready"]


def _environment() -> dict[str, str]:
    """Return this process's environment without AWS settings, proxies, or Python's."""
    leaking = ("AWS_", "CACHE_", "POWERTOOLS_", "PYTHON", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leaking)}
    return {
        **{name: value for name, value in kept.items() if not name.lower().endswith("_proxy")},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
    }
