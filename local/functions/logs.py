"""Where a function's output goes: a file per function, the terminal, and each answer's tail."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path

# What `X-Amz-Log-Result` may hold.
TAIL_BYTES = 4096

Listener = Callable[[str, str], None]
"""Called with the function's name and a line of its output."""


class FunctionLog:
    """The log file of one function, written to by all of its processes, line by line."""

    def __init__(self, path: Path, name: str, listener: Listener | None = None) -> None:
        self.path = path
        self._name = name
        self._listener = listener
        self._lock = threading.Lock()
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        """Add a line, which ends in a line feed. A closed log drops it: its reader is gone."""
        with self._lock:
            if self._file.closed:
                return
            self._file.write(line)
            self._file.flush()
            self._tell(line.decode("utf-8", "replace").rstrip("\n"))

    def _tell(self, line: str) -> None:
        if self._listener is None:
            return
        try:
            self._listener(self._name, line)
        except Exception:  # noqa: BLE001 - who reads a function's output must go on reading
            traceback.print_exc()
            self._listener = None

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
