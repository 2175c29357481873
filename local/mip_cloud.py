"""MIP Cloud's stand-in: one session per user, a sample organisation, faults on demand.

`python -m local.mip_cloud --port 8900` runs it alone. In a process, `MipCloud` is the service
without HTTP, and `MipCloudServer` serves one on 127.0.0.1.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from local.errors import PortInUseError
from local.mip_faults import KINDS, Fault
from local.mip_requests import CALLS, balances_body
from local.mip_server import MipCloudServer
from local.mip_service import PASSWORD, USER, Counters, Credentials, JournalEntry, MipCloud
from local.sample.organisation import ORGANISATION

__all__ = [
    "CALLS",
    "KINDS",
    "ORGANISATION",
    "PASSWORD",
    "USER",
    "Counters",
    "Credentials",
    "Fault",
    "JournalEntry",
    "MipCloud",
    "MipCloudServer",
    "balances_body",
    "main",
]

DEFAULT_PORT = 8900


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status (1 if the port is taken)."""
    options = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    mip = MipCloud(
        lockout_seconds=options.lockout_seconds,
        idle_seconds=options.idle_seconds,
        max_bad_logins=options.max_bad_logins,
    )
    try:
        with MipCloudServer(mip, port=options.port, verbose=options.verbose) as server:
            print(f"MIP Cloud stand-in on {server.url}, user {USER!r}, org {ORGANISATION!r}")
            print(f"Look at it: curl {server.url}/_control/state", flush=True)
            stop.wait()
    except PortInUseError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.mip_cloud",
        description="A stand-in for MIP Cloud on 127.0.0.1.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 picks a free one")
    parser.add_argument("--lockout-seconds", type=float, default=60.0, help="length of a lock-out")
    parser.add_argument("--idle-seconds", type=float, default=120.0, help="idle sessions end then")
    parser.add_argument("--max-bad-logins", type=int, help="lock out after so many wrong passwords")
    parser.add_argument("--verbose", action="store_true", help="write a line per request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
