"""`python -m tools.admin`: one command, its answer, its exit status."""

import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence

from tools.admin.arguments import parse
from tools.admin.errors import AdminError
from tools.admin.letters import discard, letters, redrive
from tools.admin.logs import logs
from tools.admin.output import Answer, Terminal
from tools.admin.publish import publish
from tools.admin.rebuilds import purge, refresh
from tools.admin.schedule import schedule
from tools.admin.stack import Stack
from tools.admin.status import status, watch
from tools.admin.target import target_of
from tools.admin.versions import diff, restore, versions

BROKEN_OFF = 130
READER_GONE = 141
"""What a shell reports for a program that SIGPIPE ends."""


COMMANDS: Mapping[str, Callable[[Stack, Namespace], Answer]] = {
    "status": status,
    "letters": letters,
    "redrive": redrive,
    "discard": discard,
    "schedule": schedule,
    "versions": versions,
    "restore": restore,
    "publish": publish,
    "logs": logs,
    "diff": diff,
}
CONVERSATIONS: Mapping[str, Callable[[Stack, Namespace, Terminal], Answer | None]] = {
    "watch": watch,
    "refresh": refresh,
    "purge": purge,
}
"""Those that also ask, or tell what they wait for."""


def run(arguments: Namespace, stack: Stack, terminal: Terminal) -> int:
    """Perform the command and show its answer; the exit status."""
    try:
        answer = _perform(arguments, stack, terminal)
    except AdminError as exc:
        terminal.problem(str(exc))
        return exc.exit_status
    except KeyboardInterrupt:
        terminal.note("Broken off. What was asked for before goes on.")
        return BROKEN_OFF
    if answer is not None:
        terminal.show(answer)
    return 1 if answer and answer.failed else 0


def _perform(arguments: Namespace, stack: Stack, terminal: Terminal) -> Answer | None:
    name = arguments.command
    if name in CONVERSATIONS:
        return CONVERSATIONS[name](stack, arguments, terminal)
    return COMMANDS[name](stack, arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, and run it against the stack that it names."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks must not end a command half-way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    parsed = parse(arguments, os.environ)
    target = target_of(
        parsed.stack, parsed.region, parsed.local_port, os.environ, local=parsed.local
    )
    try:
        return run(parsed, Stack(target), Terminal(as_json=parsed.json))
    except BrokenPipeError:
        # The reader of the pipe has seen enough, such as `head`. Python would report that at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


if __name__ == "__main__":
    sys.exit(main())
