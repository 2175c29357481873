"""What is written to a terminal that may be gone: closed, or a pipe that nobody reads any more."""

import os
import sys


class Terminal:
    """Standard output. Once it is gone it swallows what is written, and the stack goes on."""

    def __init__(self) -> None:
        self._gone = False

    def say(self, text: str = "") -> None:
        """Write a line, at once."""
        if self._gone:
            return
        try:
            print(text, flush=True)
        except OSError:
            self._gone = True
            # What is in the buffer still would fail once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def echo(self, function: str, line: str) -> None:
        """Write a line of a function's output."""
        self.say(f"{function:>14} | {line}")
