"""The local AWS: moto's server on loopback, with Lambda's Invoke for the stack's functions."""

import logging
import threading
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from local.aws.clients import client
from local.functions.functions import Functions
from local.functions.invoke_api import InvokeApi
from local.loopback import HOST, ConnectionsMixin, listen


class AnotherStackError(RuntimeError):
    """A second stack was started in one process."""


class AwsServer:
    """AWS for one stack: moto keeps its state per process, so there is one at a time.

    Starting forgets all state; port 0 takes any. Raises PortInUseError and AnotherStackError.
    """

    _in_this_process = threading.Lock()

    def __init__(self, port: int) -> None:
        self._clients: dict[str, Any] = {}
        self._functions = Functions([])
        with listen(port, "local AWS") as listener:
            if not self._in_this_process.acquire(blocking=False):
                raise AnotherStackError("a local stack runs in this process already")
            moto_api_backend.reset()
            moto = DomainDispatcherApplication(create_backend_app)
            api = InvokeApi(lambda: self._functions, moto)
            self._server = _Server(HOST, port, api, handler=_Handler, fd=listener.fileno())
        self._server.start_serving("local AWS")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._server.port}"

    def client(self, service: str) -> Any:
        """A boto3 client of one of its services, made once."""
        if service not in self._clients:
            self._clients[service] = client(service, self.url)
        return self._clients[service]

    def serve(self, functions: Functions) -> None:
        """Answer invocations of these functions from now on."""
        self._functions = functions

    def stop(self) -> None:
        """Stop listening and cut open connections. To be called once."""
        self._server.stop_serving()
        for made in self._clients.values():
            made.close()
        self._in_this_process.release()


class _Server(ConnectionsMixin, ThreadedWSGIServer):
    """Serves each connection in a thread."""


class _Handler(MotoRequestHandler):
    """Writes no line per request: `aws --debug` or the functions' logs tell more."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        if type == "error":
            logging.getLogger(__name__).error(message, *args)
