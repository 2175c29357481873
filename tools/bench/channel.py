"""What a measuring process tells the one that started it: JSON lines over an inherited pipe."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, NoReturn


class Channel:
    """The telling end, in the measuring process.

    Making one settles how the process ends: Ctrl-C is left to the process that started it, which
    asks with SIGTERM; and should that process be gone, this one ends, too.
    """

    def __init__(self, descriptor: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _end)
        self._pipe = os.fdopen(descriptor, "w", buffering=1)
        threading.Thread(target=_end_with_starter, daemon=True).start()

    @classmethod
    def from_arguments(cls) -> tuple["Channel", list[str]]:
        """Return the channel that the command line names first, and the other arguments."""
        return cls(int(sys.argv[1])), sys.argv[2:]

    def begin(self, steps: int) -> None:
        """Say how many steps there will be."""
        self._send({"begin": steps})

    def step(self) -> None:
        """Say that one more step is done."""
        self._send({"step": 1})

    def value(self, row: str, value: float) -> None:
        """Report one round's value of a row."""
        self._send({"row": row, "value": value})

    def series(self, row: str, name: str, value: float) -> None:
        """Report one round's value of something that is plotted with a row."""
        self._send({"row": row, "series": name, "value": value})

    def problem(self, row: str, problem: str) -> None:
        """Report why a row could not be measured."""
        self._send({"row": row, "problem": problem})

    def ready(self, **facts: str) -> None:
        """Report what others need to know of a server."""
        self._send({"ready": facts})

    def refuse(self, problem: str) -> None:
        """Report why a server could not start."""
        self._send({"problem": problem})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._pipe.write(json.dumps(message) + "\n")


def _end(*_: object) -> NoReturn:
    sys.exit(1)


def _end_with_starter() -> None:
    os.read(0, 1)  # no buffer, which would be locked when this process ends first
    os._exit(1)
