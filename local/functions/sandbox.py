"""An execution environment's outer side: one process, one invocation at a time."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import IO, Any, cast

from local.aws.clients import ACCESS_KEY, REGION, SECRET_KEY
from local.functions.logs import FunctionLog, Tail
from local.functions.runtime import OUTPUT_ENDS

# What awslambdaric also asks of an invocation.
NOT_USED_HERE = (
    "client_context",
    "cognito_identity",
    "tenant_id",
    "x_amzn_trace_id",
    "invocation_id",
)
PROJECT_ROOT = Path(__file__).resolve().parents[2]
# What Lambda allows for loading the code, before the function's own time-out begins to count.
INIT_SECONDS = 10.0
# Lambda's limit for a synchronous response: 6 MB, and what its own wrapping may add.
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class FunctionSpec:
    """A function as its stack made it, with every reference in its environment resolved."""

    logical_id: str
    name: str
    arn: str
    handler: str
    code_root: Path
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Invocation:
    """`payload` is the event as JSON text."""

    payload: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: JSON text, and whether it is an error's."""

    payload: str
    failed: bool
    request_id: str
    log_tail: bytes = b""


class Sandbox:
    """A process that runs one function. Start it once, run invocations one after another."""

    def __init__(self, spec: FunctionSpec, aws_url: str, log: FunctionLog) -> None:
        self._spec = spec
        self._log = log
        self._tail = Tail()
        # Released once for every reply, when all that was written before it has been read.
        self._outputs_read = threading.Semaphore(0)
        self._sources: dict[str, float] | None = None
        self._started_at = time.monotonic()
        self._connection, inner = Pipe()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "local.functions.runtime",
                    spec.handler,
                    str(inner.fileno()),
                ],
                cwd=spec.code_root,
                env=environment_of(spec, aws_url, f"[$LATEST]{uuid.uuid4().hex}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[inner.fileno()],
            )
        finally:
            # The inner end must live in the process alone: its end is how a crash is noticed.
            inner.close()
        self._reader = threading.Thread(
            target=self._read_output, name=f"output of {spec.logical_id}", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def reusable(self) -> bool:
        """Whether another invocation can be given to it: it runs, with the code as it is now."""
        return self._sources is not None and self.alive and not self._is_outdated()

    def run(self, invocation: Invocation) -> Outcome:
        """Run one invocation. Whatever goes wrong is in the outcome, in Lambda's words."""
        spec = self._spec
        self._write(f"START RequestId: {invocation.request_id} Version: $LATEST")
        cold = self._sources is None
        reply = self._start()
        began = time.monotonic()
        if reply is None:
            reply = self._ask(invocation)
        report = f"Duration: {(time.monotonic() - began) * 1000:.2f} ms"
        if cold:
            report += f" Init Duration: {(began - self._started_at) * 1000:.2f} ms"
        payload, failed = self._payload(reply, invocation)
        self._write(f"END RequestId: {invocation.request_id}")
        self._write(
            f"REPORT RequestId: {invocation.request_id} {report} Memory Size: {spec.memory_mb} MB"
        )
        return Outcome(payload, failed, invocation.request_id, self._tail.take())

    def kill(self) -> None:
        """End the process at once, as the platform or an operator's mistake would."""
        self._process.kill()

    def close(self) -> None:
        """End the process and everything that belongs to it; closing twice is fine."""
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=2)
        self._connection.close()
        cast("IO[bytes]", self._process.stdout).close()

    def _start(self) -> dict[str, Any] | None:
        """Wait for the code to be loaded; the reply that says why it is not, or None."""
        if self._sources is not None:
            return None
        reply = self._receive(INIT_SECONDS + self._spec.timeout_seconds)
        self._sources = reply.get("sources")
        return reply if self._sources is None else None

    def _is_outdated(self) -> bool:
        """Whether a file of the code has been changed since the process loaded it."""
        return any(_changed_at(path) != at for path, at in (self._sources or {}).items())

    def _ask(self, invocation: Invocation) -> dict[str, Any]:
        message = {
            "invoke_id": invocation.request_id,
            "event_body": invocation.payload,
            "content_type": "application/json",
            "invoked_function_arn": self._spec.arn,
            "deadline_time_in_ms": int((time.time() + self._spec.timeout_seconds) * 1000),
        } | dict.fromkeys(NOT_USED_HERE)
        try:
            self._connection.send_bytes(json.dumps(message).encode())
        except OSError:
            return self._exit_error()
        return self._receive(self._spec.timeout_seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(seconds):
                self._process.kill()
                self._process.wait()
                message = f"Task timed out after {self._spec.timeout_seconds:.2f} seconds"
                return {"end": {"errorType": "Sandbox.Timedout", "errorMessage": message}}
            reply: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            reply = self._exit_error()
        self._outputs_read.acquire(timeout=1)
        return reply

    def _exit_error(self) -> dict[str, Any]:
        code = self._process.wait()
        if code == 0:
            message = "Runtime exited without providing a reason"
        else:
            how = "signal: killed" if code < 0 else f"exit status {code}"
            message = f"Runtime exited with error: {how}"
        return {"end": {"errorType": "Runtime.ExitError", "errorMessage": message}}

    def _payload(self, reply: dict[str, Any], invocation: Invocation) -> tuple[str, bool]:
        if "result" in reply and len(reply["result"].encode()) > MAX_RESPONSE_BYTES:
            message = (
                "Response payload size exceeded maximum allowed payload size "
                f"({MAX_RESPONSE_BYTES} bytes)."
            )
            reply = {
                "error": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
            }
        if "result" in reply:
            return str(reply["result"]), False
        if end := reply.get("end"):
            # The platform's own errors name the request in the text and have no stack trace.
            end["errorMessage"] = f"RequestId: {invocation.request_id} Error: {end['errorMessage']}"
            self._write(f"{end['errorMessage']} {end['errorType']}")
            return json.dumps(end), True
        return json.dumps(reply["error"]), True

    def _write(self, line: str) -> None:
        self._keep(line.encode() + b"\n")

    def _keep(self, line: bytes) -> None:
        self._log.write(line)
        self._tail.add(line)

    def _read_output(self) -> None:
        for line in cast("IO[bytes]", self._process.stdout):
            text, mark, _ = line.partition(OUTPUT_ENDS)
            if text:
                # In one record of a log a carriage return stands for a line's end.
                self._keep(text.removesuffix(b"\n").replace(b"\r", b"\n") + b"\n")
            if mark:
                self._outputs_read.release()
        self._outputs_read.release()


def _changed_at(path: str) -> float | None:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return None


def environment_of(spec: FunctionSpec, aws_url: str, log_stream: str) -> dict[str, str]:
    """Every variable of a function's process: Lambda's and its own, and none of the user's.

    In particular no credentials, no profile and no proxy of the user's can get in.
    """
    return {
        **spec.environment,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LAMBDA_TASK_ROOT": str(spec.code_root),
        "_HANDLER": spec.handler,
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([str(spec.code_root), str(PROJECT_ROOT)]),
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
    }
