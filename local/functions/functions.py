"""The stack's functions: warm processes, as many as needed up to a limit, and a line to wait in.

Functions ── by logical id, name or ARN ──▶ Function ── one invocation each ──▶ Sandbox
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from local.functions.logs import FunctionLog
from local.functions.sandbox import FunctionSpec, Invocation, Outcome, Sandbox

DEFAULT_CONCURRENCY = 2
# More invocations than this at once wait for a thread, not for a process.
MAX_INVOCATIONS = 256
STOPPING_SECONDS = 10


class FunctionNotFoundError(LookupError):
    """No function of the stack has this logical id, name or ARN."""


class StoppedError(RuntimeError):
    """The stack is stopping and takes no more invocations."""


class FunctionFailedError(RuntimeError):
    """An invocation failed; `error` is what the caller of Lambda's Invoke would get."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error.get('errorType')}: {error.get('errorMessage')}")
        self.error = error


class Function:
    """One function. Safe to use from several threads."""

    def __init__(
        self, spec: FunctionSpec, log: FunctionLog, aws_url: str, concurrency: int
    ) -> None:
        self.spec = spec
        self.log = log
        self.concurrency = concurrency
        self._aws_url = aws_url
        self._slots = threading.Semaphore(concurrency)
        self._lock = threading.Lock()
        self._idle: list[Sandbox] = []
        self._busy: set[Sandbox] = set()
        self._stopped = False
        self.on_outcome: Callable[[Invocation, Outcome], object] = lambda *_: None
        """Called with each invocation that has run, and what came of it."""

    @property
    def running(self) -> int:
        """How many invocations are running now; those that wait in line do not count."""
        return len(self._busy)

    def pids(self) -> list[int]:
        """The process ids of its execution environments, busy and idle."""
        with self._lock:
            return [sandbox.pid for sandbox in (*self._busy, *self._idle)]

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation, after those that wait already. Raises StoppedError.

        A process that cannot be started is a failed outcome.
        """
        with self._slots:
            try:
                sandbox = self._take()
            except OSError as exc:
                return self._not_started(invocation, exc)
            try:
                outcome = sandbox.run(invocation)
            finally:
                self._give_back(sandbox)
        self.on_outcome(invocation, outcome)
        return outcome

    def call(self, payload: Any) -> Any:
        """Invoke it with a JSON value, and return its result. Raises FunctionFailedError."""
        outcome = self.invoke(Invocation(json.dumps(payload)))
        result = json.loads(outcome.payload)
        if outcome.failed:
            raise FunctionFailedError(result)
        return result

    def kill(self) -> int:
        """SIGKILL every process that runs an invocation now; how many there were."""
        with self._lock:
            for sandbox in self._busy:
                sandbox.kill()
            return len(self._busy)

    def recycle(self) -> int:
        """End the idle processes, so that the next invocation starts cold; how many there were."""
        with self._lock:
            idle, self._idle = self._idle, []
        for sandbox in idle:
            sandbox.close()
        return len(idle)

    def stop(self) -> None:
        """Kill what runs, refuse what waits, and end every process."""
        with self._lock:
            self._stopped = True
        self.kill()
        for _ in range(self.concurrency):
            self._slots.acquire(timeout=STOPPING_SECONDS)
        self._slots.release(self.concurrency)
        self.recycle()
        self.log.close()

    def _take(self) -> Sandbox:
        """An idle process that runs the code as it is now, or a new one."""
        sandbox = self._idle_one() or Sandbox(self.spec, self._aws_url, self.log)
        with self._lock:
            if not self._stopped:
                self._busy.add(sandbox)
                return sandbox
        sandbox.close()
        raise StoppedError(f"{self.spec.logical_id} is stopping")

    def _idle_one(self) -> Sandbox | None:
        with self._lock:
            idle, self._idle = self._idle, []
            for sandbox in [each for each in idle if not each.reusable]:
                idle.remove(sandbox)
                sandbox.close()
            found = idle.pop() if idle else None
            self._idle = idle
        return found

    def _give_back(self, sandbox: Sandbox) -> None:
        reusable = sandbox.reusable
        if not reusable:
            sandbox.close()
        with self._lock:
            self._busy.discard(sandbox)
            if reusable:
                self._idle.append(sandbox)

    def _not_started(self, invocation: Invocation, exc: OSError) -> Outcome:
        message = f"RequestId: {invocation.request_id} Error: cannot be started: {exc}"
        self.log.write(f"{message}\n".encode())
        error = {"errorType": "Runtime.LaunchError", "errorMessage": message}
        return Outcome(json.dumps(error), True, invocation.request_id)  # noqa: FBT003 - it failed


class Functions(Mapping[str, Function]):
    """Every function of the stack, by logical id. Safe to use from several threads."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._functions = {function.spec.logical_id: function for function in functions}
        self._threads = ThreadPoolExecutor(MAX_INVOCATIONS, thread_name_prefix="invocation")

    def __getitem__(self, logical_id: str) -> Function:
        return self._functions[logical_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def find(self, reference: str) -> Function:
        """The function with this logical id, name, or whole or partial ARN (unqualified).

        Raises FunctionNotFoundError.
        """
        name = reference.rpartition(":function:")[2]
        for function in self.values():
            if name in (function.spec.logical_id, function.spec.name):
                return function
        raise FunctionNotFoundError(reference)

    def submit(self, function: Function, invocation: Invocation) -> Future[Outcome]:
        """Invoke without waiting. Raises StoppedError where the stack has stopped."""
        try:
            return self._threads.submit(function.invoke, invocation)
        except RuntimeError as exc:
            raise StoppedError("the functions are stopping") from exc

    def stop(self) -> None:
        """End every process and every invocation; stopping twice is fine."""
        for function in self.values():
            function.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
