"""`python -m local`: the whole service on this machine, until Ctrl-C."""

import sys
from collections.abc import Sequence

from local.cli.arguments import parse
from local.cli.interruption import Interruption


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 ended as asked, 2 could not start, 130 broken off."""
    parsed = parse(arguments)
    interruption = Interruption()
    try:
        # Takes a second or two, in which Ctrl-C must leave no traceback either.
        from local.cli.command import run  # noqa: PLC0415

        return run(parsed, interruption)
    except KeyboardInterrupt:
        print("Broken off before everything was started.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
