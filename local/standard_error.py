"""Problems go to standard error, which may be gone: a closed terminal, a broken pipe."""

import contextlib
import sys


def write_error(text: str) -> None:
    """Write a line to standard error. Its caller must be able to go on, so nothing is raised."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
