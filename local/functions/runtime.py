"""An execution environment's inner side: loads one handler, runs one invocation at a time.

Run as `python -m local.functions.runtime <handler> <descriptor>` in a process of its own. Requests
and replies are JSON over the inherited socket, so that stdout and stderr are the function's alone.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

# Lambda's limit for a synchronous response: 6 MB, and what its own wrapping may add.
MAX_RESPONSE_BYTES = 6_291_556
OUTPUT_ENDS = b"\0end of output\n"

Handler = Callable[[Any, "Context"], Any]


class Context:
    """What Lambda hands a handler beside the event."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._deadline = time.monotonic() + request["timeout_ms"] / 1000
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed; never negative."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main(handler_name: str, descriptor: int) -> None:
    """Report ready or broken, then serve requests until the stack lets go of the socket."""
    # Ctrl-C in the terminal reaches the whole group; the stack ends its processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), daemon=True).start()
    try:
        handler = _load(handler_name)
    except BaseException as exc:  # noqa: BLE001 - whatever a module raises, its author must see it
        _finish(connection, {"error": _init_error(handler_name, exc)})
        return
    _finish(connection, {"ready": True})
    while True:
        _finish(connection, _run(handler, json.loads(requests.get())))


def _listen(connection: Connection, requests: "queue.SimpleQueue[bytes]") -> None:
    """Pass requests on. Also watches for the stack's end while a handler runs: no orphans."""
    try:
        while True:
            requests.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


def _load(handler_name: str) -> Handler:
    module_name, _, function_name = handler_name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module_name), function_name)
    return handler


def _run(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    context = Context(request)
    try:
        result = handler(json.loads(request["payload"]), context)
    except BaseException as exc:  # noqa: BLE001 - every failure of a handler is its caller's to see
        return {"error": _handler_error(exc, context.aws_request_id)}
    try:
        body = json.dumps(result, ensure_ascii=False)
        size_bytes = len(body.encode())
    except (TypeError, ValueError) as exc:
        return {"error": _error("Runtime.MarshalError", f"Unable to marshal response: {exc}")}
    if size_bytes > MAX_RESPONSE_BYTES:
        message = (
            "Response payload size exceeded maximum allowed payload size "
            f"({MAX_RESPONSE_BYTES} bytes)."
        )
        return {"error": _error("Function.ResponseSizeTooLarge", message)}
    return {"result": body}


def _handler_error(exc: BaseException, request_id: str) -> dict[str, Any]:
    if isinstance(exc, SystemExit):
        # As on Lambda, leaving the process is no error of the handler's but the runtime's end.
        sys.stdout.flush()
        os._exit(exc.code if isinstance(exc.code, int) else 1)
    # The first frame is the call in this module, which is none of the handler's.
    frames = traceback.extract_tb(exc.__traceback__)[1:]
    error = _error(type(exc).__name__, str(exc), traceback.format_list(frames))
    print(f"[ERROR] {request_id} {_as_log(error)}")
    return error


def _init_error(handler_name: str, exc: BaseException) -> dict[str, Any]:
    module, _, function = handler_name.rpartition(".")
    if isinstance(exc, ImportError):
        error = _error("Runtime.ImportModuleError", f"Unable to import module '{module}': {exc}")
    elif isinstance(exc, AttributeError) and getattr(exc, "name", None) == function:
        message = f"Handler '{function}' missing on module '{module}'"
        error = _error("Runtime.HandlerNotFound", message)
    else:
        error = _error(type(exc).__name__, str(exc), traceback.format_tb(exc.__traceback__))
    print(f"[ERROR] {_as_log(error)}")
    return error


def _error(kind: str, message: str, stack: list[str] | None = None) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "stackTrace": stack or []}


def _as_log(error: dict[str, Any]) -> str:
    text = f"{error['errorType']}: {error['errorMessage']}"
    if error["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(error["stackTrace"])
    return text.rstrip("\n")


def _finish(connection: Connection, reply: dict[str, Any]) -> None:
    """Complete the output first, so that who reads the reply can also read what was logged."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(sys.stdout.fileno(), OUTPUT_ENDS)
    connection.send_bytes(json.dumps(reply).encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
