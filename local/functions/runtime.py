"""An execution environment's inner side: AWS's own runtime client, over a pipe.

Run as `python -m local.functions.runtime <handler> <descriptor>` in a process of its own.
`awslambdaric` loads the handler, runs it, and writes logs, errors and results as on Lambda. In
place of Lambda's HTTP there is an inherited socket, which carries JSON, so that stdout and stderr
are the function's alone.
"""

import json
import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import InvocationRequest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

OUTPUT_ENDS = b"\0end of output\n"


class PipeClient:
    """What `bootstrap.run` asks for invocations, and hands results to."""

    marshaller = LambdaMarshaller()

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._invocations: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._loaded = False
        threading.Thread(target=self._listen, daemon=True).start()

    def wait_next_invocation(self) -> InvocationRequest:
        """Return the next invocation. The first call says that the handler is loaded."""
        if not self._loaded:
            self._loaded = True
            self._reply({"sources": _sources()})
        return InvocationRequest(**json.loads(self._invocations.get()))

    def post_invocation_result(
        self, _: str, result: str | bytes, __: str = "", ___: str | None = None
    ) -> None:
        """Send a handler's result, which is JSON text, or the bytes that it returned."""
        self._reply({"result": result if isinstance(result, str) else result.decode()})

    def post_invocation_error(self, _: str, error: str, __: str, ___: str | None = None) -> None:
        """Send what a handler raised."""
        self._reply({"error": json.loads(error)})

    def post_init_error(self, error: dict[str, Any], _: str | None = None) -> None:
        """Send why the handler cannot be loaded; the process ends after that."""
        self._reply({"error": error})

    def _listen(self) -> None:
        """Pass invocations on; end with the stack, also while a handler runs: no orphans."""
        try:
            while True:
                self._invocations.put(self._connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)

    def _reply(self, reply: dict[str, Any]) -> None:
        """Complete the output first, so that who reads the reply can also read what was logged."""
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(sys.stdout.fileno(), OUTPUT_ENDS)
        self._connection.send_bytes(json.dumps(reply).encode())


def _sources() -> dict[str, float]:
    """The files of the function's own code that are loaded, and when each was last changed."""
    root = os.environ["LAMBDA_TASK_ROOT"]
    paths = {str(getattr(module, "__file__", None)) for module in list(sys.modules.values())}
    own = [path for path in paths if path.startswith(root) and "site-packages" not in path]
    return {path: Path(path).stat().st_mtime for path in own}


if __name__ == "__main__":
    # Both reach the terminal's whole process group; the stack ends its processes itself, so that
    # the worker can log out first.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    bootstrap.run(sys.argv[1], PipeClient(Connection(int(sys.argv[2]))))
