"""The stand-in over HTTP/1.1, on loopback only, with connections that can be cut on purpose."""

import json
import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import urlsplit

from local.loopback import HOST, ConnectionsMixin, listen
from local.mip.calls import ENDPOINTS, CallRefusedError
from local.mip.control import PREFIX, control
from local.mip.replies import Delivery, Reply
from local.mip.service import MipCloud

_LARGEST_BODY_BYTES = 64 * 2**20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_WITHOUT_BODY = (204, 304)
_CALL_AT = {endpoint.path: name for name, endpoint in ENDPOINTS.items()}


class MipCloudServer:
    """Serves a `MipCloud` between entering and leaving the context.

    Port 0 picks a free one. Leaving cuts open connections and calls that hang. Raises
    PortInUseError.
    """

    def __init__(self, mip: MipCloud | None = None, *, port: int = 0) -> None:
        self.mip = mip or MipCloud()
        self.port = port
        self._http: _HttpServer | None = None

    @property
    def url(self) -> str:
        """Where it listens; serves as the login URL and as the API URL."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._http = _HttpServer(self.port, self.mip)
        self.port = self._http.server_address[1]
        self._http.start_serving("mip-cloud")
        return self

    def __exit__(self, *_: object) -> None:
        if self._http:
            self._http.stopping.set()
            self._http.stop_serving()
            self._http = None


class _HttpServer(ConnectionsMixin, socketserver.TCPServer):
    def __init__(self, port: int, mip: MipCloud) -> None:
        listener = listen(port, "MIP Cloud stand-in")
        super().__init__((HOST, port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket, self.server_address = listener, listener.getsockname()
        self.mip = mip
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a defect; a client that went away is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "MipCloudStandIn"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _HttpServer

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        try:
            reply = self._reply(path)
        except CallRefusedError as refusal:
            self.close_connection = True
            reply = Reply(refusal.status, {"message": refusal.message})
        self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 (http.server looks for them)

    def log_message(self, *_: object) -> None:
        """Write nothing: the journal tells what was called."""

    def _reply(self, path: str) -> Reply:
        body = self._read_json()
        if path.startswith(PREFIX):
            return control(self.server.mip, self.command, path, body)
        name = _CALL_AT.get(path)
        if name is None:
            return Reply(404, {"message": "there is no such path"})
        method = ENDPOINTS[name].method
        if self.command != method:
            return Reply(405, {"message": f"allowed: {method}"}, headers={"Allow": method})
        token = self.headers.get("Authorization-Token")
        return self.server.mip.call(name, token=token, body=body, wait=self.server.stopping.wait)

    def _read_json(self) -> object:
        """Return the request's body; None if there is none, or it is no JSON."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise CallRefusedError(411, "a body needs a Content-Length")
        if int(length) > _LARGEST_BODY_BYTES:
            raise CallRefusedError(413, f"a body must not exceed {_LARGEST_BODY_BYTES} bytes")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None

    def _send(self, reply: Reply) -> None:
        if reply.hang_seconds:
            self.server.stopping.wait(reply.hang_seconds)
        if reply.delivery is Delivery.RESET_AT_ONCE:
            self._reset_connection()
            return
        body = b"" if reply.status in _WITHOUT_BODY else reply.body_text().encode()
        cut = reply.delivery is Delivery.RESET_MIDWAY
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self._reset_connection()

    def _reset_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()
        self.close_connection = True
