"""Where a function's output goes: a file per function, the terminal, and each answer's tail."""

import threading
from collections.abc import Callable
from pathlib import Path

from local.standard_error import write_error

# What `X-Amz-Log-Result` may hold.
TAIL_BYTES = 4096

Listener = Callable[[str, str], None]
"""Called with the function's name and a line of its output."""


class FunctionLog:
    """The log file of one function, written to by all of its processes, line by line.

    A function stalls when nobody reads its output. So reading goes on where the file or the
    listener fails: the failure is told once, and what has failed gets no more lines.
    """

    def __init__(self, path: Path, name: str, listener: Listener | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)
        self._takers: list[Callable[[bytes], object]] = [self._file.write]
        if listener:
            self._takers.append(
                lambda line: listener(name, line.decode("utf-8", "replace").rstrip("\n"))
            )

    def write(self, line: bytes) -> None:
        """Add a line, which ends in a line feed. A closed log drops it: its reader is gone."""
        with self._lock:
            for taker in [] if self._file.closed else list(self._takers):
                try:
                    taker(line)
                except Exception as exc:  # noqa: BLE001 - see the class
                    self._takers.remove(taker)
                    write_error(f"the output of {self.path.stem} is written no more: {exc!r}")

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._lock:
            self._file.close()


class Tail:
    """The last TAIL_BYTES of what one invocation wrote."""

    def __init__(self) -> None:
        self._kept = b""

    def add(self, line: bytes) -> None:
        """Add a line."""
        self._kept = (self._kept + line)[-TAIL_BYTES:]

    def take(self) -> bytes:
        """What was kept, which starts afresh."""
        kept, self._kept = self._kept, b""
        return kept
