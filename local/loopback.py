"""Loopback sockets that are told apart from taken ones, and servers that end completely."""

import contextlib
import errno
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any, cast

from local.errors import PortInUseError

HOST = "127.0.0.1"


def listen(port: int, server: str) -> socket.socket:
    """A listening socket on loopback; port 0 takes any. Raises PortInUseError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        if exc.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUseError(port, server) from exc
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a socket listens, without a path."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


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
