"""What can go wrong with the local stack itself."""


class PortInUseError(RuntimeError):
    """A server's port is taken by another program; `port` says which one."""

    def __init__(self, port: int, server: str) -> None:
        super().__init__(
            f"port {port} for the {server} is in use: stop the program that listens there, "
            "or choose another port"
        )
        self.port = port
