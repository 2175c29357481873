"""Write anew the outputs that a document shows: run its commands on a stack of their own.

    python -m tests.flows.record docs/operations.md
    python -m tests.flows.record docs/operations.md "Purge" "Force a refresh"

Outputs that are the same but for times and ids stay as they are. Read the difference before you
commit it: the tests compare with what is written here.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local.mip import MipCloud
from local.stack import LocalStack
from tests.flows.conftest import Flows
from tests.flows.console import Step, play, sections, stable


def record(flows: Flows, document: Path, titles: Sequence[str]) -> None:
    """Write the outputs of this run into the document's sections, all of them if none is named."""
    markdown = document.read_text()
    for title, part in sections(markdown).items():
        if titles and title not in titles:
            continue
        print(title, file=sys.stderr)
        flows.reset()
        flows.renew_readers()
        recorded = part
        with tempfile.TemporaryDirectory() as folder:
            here = flows.addresses(Path(folder))
            for step, output in play(markdown, title, Path(folder), here):
                recorded = _replace(recorded, step, output)
        markdown = markdown.replace(part, recorded)
        document.write_text(markdown)


def _replace(part: str, step: Step, output: str) -> str:
    if stable(output) == stable(step.shown):
        return part
    command = "$ " + step.command.replace("\n", "\n> ") + "\n"
    assert command + step.shown in part, step.command
    lines = "".join(f"{line.rstrip()}\n" for line in output.splitlines() if line.strip())
    return part.replace(command + step.shown, command + lines, 1)


def main(path: str, *titles: str) -> None:
    """Record a document on a fresh stack."""
    os.environ["MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR"] = "false"
    mip = MipCloud()
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip) as stack:
        record(Flows(stack, mip), Path(path), titles)


if __name__ == "__main__":
    main(*sys.argv[1:])
