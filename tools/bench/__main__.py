"""`make bench`: every row of `rows.py`, measured, judged, shown as a table and kept as JSON.

Exit status: 0 every target is met, or missed within the spread; 1 a target is missed; 2 something
could not be measured; 130 broken off.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from local.cli.interruption import Interruption
from tools.bench import record, report
from tools.bench.families import FAMILIES, measure
from tools.bench.harness import Verdict
from tools.bench.processes import MeasurementFailedError
from tools.bench.rows import Result

DEFAULT_OUTPUT = Path("benchmark.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, show it and keep it; return the exit status."""
    options = _options(arguments)
    Interruption()
    console = _console()
    try:
        results = measure(options.only or list(FAMILIES), options.port, console)
    except MeasurementFailedError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Broken off; nothing was written.\n")
        return 130
    output = record.RESULT if options.record else options.output
    record.write(results, output)
    report.show(results, console)
    console.print(f"\nEvery ratio of every round is in {output}.", soft_wrap=True)
    if options.record:
        record.redraw()
        console.print("docs/performance.md and its plots were drawn anew.")
    return exit_status(results)


def exit_status(results: Sequence[Result]) -> int:
    """Return 1 where a target is missed by more than the spread, 2 where a row has no value."""
    verdicts = {result.verdict for result in results}
    if Verdict.MISSED in verdicts:
        return 1
    return 2 if Verdict.NOT_MEASURED in verdicts else 0


def _console() -> Console:
    console = Console(highlight=False)
    # A file or a pipe has no width of its own; 80 columns would break every cell.
    return console if console.is_terminal else Console(highlight=False, width=140)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; what would only fail after minutes of measuring is refused at once."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.record and options.only:
        parser.error("--record needs every row, so it takes no --only")
    if not options.output.parent.is_dir():
        parser.error(f"there is no folder {options.output.parent} for the JSON file")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description="Measure the service against what one would use instead.",
        epilog="Exit status: 0 targets met (or missed within the spread), 1 one is missed, "
        "2 a row could not be measured, 130 broken off.",
    )
    parser.add_argument(
        "--only", action="append", choices=FAMILIES, help="measure this family (repeatable)"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port of the loopback S3 and SQS (any free one)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--output", type=Path, default=DEFAULT_OUTPUT, help="the JSON file (%(default)s)"
    )
    where.add_argument(
        "--record",
        action="store_true",
        help="replace the result that is committed, and draw docs/performance.md anew from it",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
