"""HTTP/1.1 on loopback, closed to web pages, with connections that can be cut."""

import contextlib
import enum
import http.client
import select
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

from local.loopback.guard import refusal
from local.loopback.ports import HOST
from local.standard_error import write_error

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """A request as it came in. `path` is not decoded; header names have the client's case."""

    method: str
    path: str
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = b""
    """None where it is longer than the server reads."""
    source_ip: str = HOST
    protocol: str = "HTTP/1.1"
    wait: Callable[[float], object] = time.sleep
    """Waits for so many seconds; not so long where the client goes or the server is stopped."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever its case."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None


class Delivery(enum.Enum):
    """How much of a response reaches the client before the connection goes away, if it does."""

    WHOLE = enum.auto()
    RESET_MIDWAY = enum.auto()
    RESET_AT_ONCE = enum.auto()


@dataclass(frozen=True)
class Response:
    """A response; header names may repeat."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    delivery: Delivery = Delivery.WHOLE


class ConnectionsMixin(socketserver.ThreadingMixIn):
    """Knows its open connections, so that stopping need not wait for clients to let go."""

    daemon_threads = True
    _serving: threading.Thread | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, and serve it in a thread of its own."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, and close it."""
        with self._open_lock:
            self._open.discard(request)
        cast("Any", super()).shutdown_request(request)

    def start_serving(self, name: str) -> None:
        """Serve in a thread of that name, until stop_serving."""
        serve = cast("socketserver.BaseServer", self).serve_forever
        # The interval is what stopping waits for at most.
        self._serving = threading.Thread(target=serve, args=(0.05,), name=name, daemon=True)
        self._serving.start()

    def stop_serving(self) -> None:
        """Accept nothing more, and cut what is open. Also fine where nothing was started."""
        server = cast("socketserver.BaseServer", self)
        if self._serving:
            server.shutdown()
            self._serving.join()
            self._serving = None
        server.server_close()
        for connection in self._connections():
            # The client may have gone in the meantime: then it is cut already.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connections(self) -> Iterator[socket.socket]:
        with self._open_lock:
            yield from list(self._open)


class HttpServer(ConnectionsMixin, HTTPServer):
    """HTTP/1.1 on a listening socket that it takes over; `respond` answers each request."""

    def __init__(
        self,
        listener: socket.socket,
        respond: Callable[[Request], Response],
        *,
        longest_body_bytes: int,
    ) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        # The socket that HTTPServer made itself was never bound.
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.respond = respond
        self.longest_body_bytes = longest_body_bytes
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{HOST}:{self.server_address[1]}"

    def stop_serving(self) -> None:
        """Also end what waits."""
        self.stopping.set()
        super().stop_serving()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a defect; a client that went away is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120  # of an idle connection, in seconds
    server: HttpServer

    def _serve(self) -> None:
        problem = refusal(self.headers.get)
        length = self.headers.get("Content-Length", "0")
        if problem:
            self._refuse(403, problem)
        elif "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._refuse(411, "a body needs a Content-Length")
        else:
            self._send(self._response(int(length)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Write nothing: the functions log their requests, and the control room shows them."""

    def _response(self, length: int) -> Response:
        path, _, query = self.path.partition("?")
        request = Request(
            self.command,
            path,
            query,
            list(self.headers.items()),
            self._body(length),
            self.client_address[0],
            self.request_version,
            self._wait,
        )
        try:
            return self.server.respond(request)
        except Exception:  # noqa: BLE001 - a defect must not look like a lost connection
            write_error(traceback.format_exc())
            return _text(500, "this server failed; its terminal tells more")

    def _body(self, length: int) -> bytes | None:
        if length <= self.server.longest_body_bytes:
            return self.rfile.read(length)
        # What is not read would be taken for the next request.
        self.close_connection = True
        return None

    def _wait(self, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0 and not self._client_has_gone():
            if self.server.stopping.wait(min(left, 0.1)):
                return

    def _client_has_gone(self) -> bool:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        try:
            return bool(poll.poll(0)) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _refuse(self, status: int, problem: str) -> None:
        self.close_connection = True
        self._send(_text(status, problem))

    def _send(self, response: Response) -> None:
        if response.delivery is Delivery.RESET_AT_ONCE:
            self._reset_connection()
            return
        has_body = response.status not in (204, 304)
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        body = response.body if has_body and self.command != "HEAD" else b""
        if response.delivery is Delivery.RESET_MIDWAY:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self._reset_connection()
        else:
            self.wfile.write(body)

    def _reset_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()
        self.close_connection = True


def _text(status: int, text: str) -> Response:
    reason = http.client.responses[status]
    return Response(status, [("Content-Type", "text/plain")], f"{reason}: {text}\n".encode())
