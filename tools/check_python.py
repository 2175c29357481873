"""Say what `make` needs of the Python that makes its environments, before anything is made.

Exit code 1, with what to do on stderr, where something is missing. This file runs on that very
Python, so it keeps to what Python 3.6 understands.
"""

import sys

OLDEST = (3, 10)
"""What pipenv and the SAM CLI run on; the project's own environment has Python 3.13."""


def main() -> int:
    """Check the running interpreter; returns the exit code."""
    if sys.version_info[:2] < OLDEST:
        found, wanted = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        return _refuse(
            "make needs Python " + wanted + " or newer for its tools, and this is " + found + ".",
            "Name another one: make PYTHON=/path/to/python3.13 ...",
        )
    try:
        import ensurepip  # noqa: F401, PLC0415 - what Debian keeps in a package of its own
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return _refuse(
            "make needs Python's modules venv and ensurepip, and this Python has not both.",
            "On Debian and Ubuntu: apt-get install python3-venv. "
            "Elsewhere name another one: make PYTHON=/path/to/python3.13 ...",
        )
    return 0


def _refuse(*lines: str) -> int:
    sys.stderr.write("error: " + sys.executable + ": " + "\n".join(lines) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
