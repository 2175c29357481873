"""Listening on 127.0.0.1, and on nothing else."""

import errno
import socket

HOST = "127.0.0.1"


class PortError(RuntimeError):
    """A server cannot have its port; `port` says which one."""

    def __init__(self, port: int, problem: str) -> None:
        super().__init__(f"port {port} {problem}")
        self.port = port


class PortInUseError(PortError):
    """Another program listens on the port."""


class PortForbiddenError(PortError):
    """The system lets only privileged programs listen on the port."""


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes any. Raises PortError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise PortInUseError(port, "is taken by another program") from exc
        if exc.errno == errno.EACCES:
            raise PortForbiddenError(port, "may not be used without special rights") from exc
        raise
    return listener
