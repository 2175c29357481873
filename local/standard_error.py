"""Complaints go to standard error, which may be gone: a closed terminal, a broken pipe."""

import contextlib
import sys


def complain(text: str) -> None:
    """Write a line to standard error. Who complains must be able to go on, so nothing is raised."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
