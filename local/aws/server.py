"""The local AWS: moto's server on loopback, with Lambda's Invoke for the stack's functions."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server import werkzeug_app
from werkzeug.serving import ThreadedWSGIServer

from local.aws.clients import client
from local.loopback.guard import closed_to_pages
from local.loopback.http_server import ConnectionsMixin
from local.loopback.ports import HOST, listen

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class AnotherStackError(RuntimeError):
    """A second stack was started in one process."""


class AwsServer:
    """AWS for one stack: moto keeps its state per process, so there is one at a time.

    Starting forgets all state; port 0 takes any. Raises PortError and AnotherStackError.
    """

    _in_this_process = threading.Lock()

    def __init__(self, port: int) -> None:
        self._clients: dict[str, Any] = {}
        with listen(port) as listener:
            if not self._in_this_process.acquire(blocking=False):
                raise AnotherStackError("a local stack runs in this process already")
            moto_api_backend.reset()
            self._moto = _moto()
            self._server = _Server(
                HOST,
                port,
                closed_to_pages(self._moto),
                handler=_Handler,
                fd=listener.fileno(),
            )
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

    def put_in_front(self, application: Callable[["WSGIApplication"], "WSGIApplication"]) -> None:
        """Let an application see each request first; it is given moto to hand the rest on to."""
        self._server.app = closed_to_pages(application(self._moto))

    def stop(self) -> None:
        """Stop listening and cut open connections. To be called once."""
        self._server.stop_serving()
        for made in self._clients.values():
            made.close()
        self._in_this_process.release()


def _moto() -> "WSGIApplication":
    # Its own CORS would let every web page read what the stack's SSM holds.
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True
    application: WSGIApplication = werkzeug_app.DomainDispatcherApplication(
        werkzeug_app.create_backend_app
    )
    return application


class _Server(ConnectionsMixin, ThreadedWSGIServer):
    """Serves each connection in a thread."""


class _Handler(werkzeug_app.MotoRequestHandler):
    """Writes no line per request: `aws --debug` or the functions' logs tell more."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        if type == "error":
            logging.getLogger(__name__).error(message, *args)
