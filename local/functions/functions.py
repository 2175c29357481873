"""The stack's functions: warm processes, as many as needed up to a limit, and a line to wait in.

Functions ── by logical id, name or ARN ──▶ Function ── one invocation each ──▶ Sandbox
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from local.functions.logs import FunctionLog
from local.functions.sandbox import FunctionSpec, Invocation, Outcome, Sandbox

DEFAULT_CONCURRENCY = 2
# More invocations than this at once wait for a thread, not for a process.
MAX_INVOCATIONS = 256


class FunctionNotFoundError(LookupError):
    """No function of the stack has this logical id, name or ARN."""


class StoppedError(RuntimeError):
    """The stack is stopping and takes no more invocations."""


class Function:
    """One function. Safe to use from several threads."""

    def __init__(
        self, spec: FunctionSpec, log: FunctionLog, aws_url: str, concurrency: int
    ) -> None:
        self.spec = spec
        self.log = log
        self.concurrency = concurrency
        self._aws_url = aws_url
        self._changed = threading.Condition()
        self._idle: list[Sandbox] = []
        self._busy: set[Sandbox] = set()
        self._starting = 0
        self._stopped = False

    @property
    def running(self) -> int:
        """How many invocations are running now; those that wait in line do not count."""
        with self._changed:
            return len(self._busy)

    def pids(self) -> list[int]:
        """The process ids of its execution environments, busy and idle."""
        with self._changed:
            return [sandbox.pid for sandbox in (*self._busy, *self._idle)]

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation, after those that wait already. Raises StoppedError.

        A process that cannot be started is a failed outcome.
        """
        try:
            sandbox = self._take()
        except OSError as exc:
            return self._not_started(invocation, exc)
        try:
            return sandbox.run(invocation)
        finally:
            self._give_back(sandbox)

    def kill(self) -> int:
        """SIGKILL every process that runs an invocation now; how many there were."""
        with self._changed:
            for sandbox in self._busy:
                sandbox.kill()
            return len(self._busy)

    def recycle(self) -> int:
        """End the idle processes, so that the next invocation starts cold; how many there were."""
        with self._changed:
            idle, self._idle = self._idle, []
        for sandbox in idle:
            sandbox.close()
        return len(idle)

    def stop(self) -> None:
        """Kill what runs, refuse what waits, and end every process."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self.kill()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy and not self._starting, timeout=10)
        self.recycle()
        self.log.close()

    def _not_started(self, invocation: Invocation, exc: OSError) -> Outcome:
        message = f"RequestId: {invocation.request_id} Error: cannot be started: {exc}"
        self.log.write(f"{message}\n".encode())
        error = {"errorType": "Runtime.LaunchError", "errorMessage": message}
        return Outcome(json.dumps(error), True, invocation.request_id)  # noqa: FBT003 - it failed

    def _take(self) -> Sandbox:
        """An idle process or a new one; waits in line where there are enough of them."""
        with self._changed:
            self._changed.wait_for(self._is_free_or_stopped)
            if self._stopped:
                raise StoppedError(f"{self.spec.logical_id} is stopping")
            if self._idle:
                sandbox = self._idle.pop()
                self._busy.add(sandbox)
                return sandbox
            self._starting += 1
        try:
            sandbox = Sandbox(self.spec, self._aws_url, self.log)
        except BaseException:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._starting -= 1
            self._busy.add(sandbox)
            if self._stopped:
                sandbox.kill()
        return sandbox

    def _is_free_or_stopped(self) -> bool:
        """Sorts out processes that died while they were idle, or whose code was edited."""
        for sandbox in [sandbox for sandbox in self._idle if not sandbox.reusable]:
            self._idle.remove(sandbox)
            sandbox.close()
        in_use = len(self._busy) + self._starting
        return self._stopped or bool(self._idle) or in_use < self.concurrency

    def _give_back(self, sandbox: Sandbox) -> None:
        reusable = sandbox.reusable
        if not reusable:
            sandbox.close()
        with self._changed:
            self._busy.discard(sandbox)
            if reusable:
                self._idle.append(sandbox)
            # Not only those in line wait: stop() does, too.
            self._changed.notify_all()


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
        for function in self._functions.values():
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
        for function in self._functions.values():
            function.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
