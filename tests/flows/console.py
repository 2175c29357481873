"""The blocks of a document that can be run: run as they stand, compared with what they show.

In a block that is fenced as `console`, a line that begins with `$ ` is a command, and the lines
after it are its output; a command goes on in lines that begin with `> `. A `python` block is a
program, and the `text` block right after it is its output. All blocks of one section (`##`) run in
one shell, after those of the document's first section with any, which sets things up.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^```console\n(?P<console>.*?)^```$"
    r"|^```python\n(?P<program>.*?)^```\n\n^```text\n(?P<output>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SECTION = re.compile(r"^(?=## )", re.MULTILINE)
MARK = "--- the next command ---"
PATIENCE_SECONDS = 110
ROOT = Path(__file__).parents[2]
# What differs from run to run, and what stands for it when outputs are compared.
VOLATILE = (
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)", "<time>"),
    (r"(?<=apigw-id: )\w+", "<id>"),
    (r"(?<=ttl=)\d+", "<seconds>"),
    (r"(?<=ttl=-)\d+", "<seconds>"),
    (r"(?<=max-age=)\d+", "<seconds>"),
    (r"(?i)(?<=retry-after: )\d+", "<seconds>"),
    (r"(?<=//)\w+(?=\.execute-api)", "<api>"),
    (r'(?<="age_seconds": )\d+', "<seconds>"),
    (r'(?<="size_bytes": )\d+', "<bytes>"),
    (r'(?<="VersionId": ")[\w-]+', "<version>"),
    (r'(?<="ETag": ")[^,]+"(?=,|$)', '<etag>"'),
    # As the operators' command line writes times, periods, ages and sizes.
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? UTC", "<time>"),
    (r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "<time>"),
    (r"\d\d:\d\d:\d\d UTC", "<time>"),
    (r"\d{4}-\d\d-\d\d/\d\d", "<period>"),
    (r"\b(?:\d+ min )?\d+ (?:s|min|h|d)\b", "<seconds>"),
    (r"\b[\d.]+ (?:kB|bytes)\b", "<bytes>"),
    (r"\b\d+ versions\b", "<number> versions"),
    (r"(?<=seconds=)[\d.]+", "<seconds>"),
    # Columns are as wide as what is in them.
    (r"(?<=\S) {2,}", "  "),
    # The current month ends on the day of the run.
    (r"\d{4}-\d\d-\d\d", "<day>"),
)


@dataclass(frozen=True)
class Step:
    """A command, and the output that the document shows for it."""

    command: str
    shown: str


def steps(markdown: str) -> list[Step]:
    """Return the commands and programs of all blocks, in their order."""
    found: list[Step] = []
    for block in BLOCK.finditer(markdown):
        if block["console"] is not None:
            found += _session(block["console"])
        else:
            found.append(Step(f"python3 - << 'END'\n{block['program']}END", block["output"]))
    return found


def _session(block: str) -> list[Step]:
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ "), ""))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1] = Step(f"{found[-1].command}\n{line.removeprefix('> ')}", "")
        else:
            found[-1] = Step(found[-1].command, f"{found[-1].shown}{line}\n")
    return found


def sections(markdown: str) -> dict[str, str]:
    """Return the sections that have commands, by their titles."""
    parts = {part.partition("\n")[0].strip("# "): part for part in SECTION.split(markdown)}
    return {title: part for title, part in parts.items() if BLOCK.search(part)}


def stable(output: str) -> str:
    """Return an output without what differs from run to run."""
    output = output.replace("\r", "").strip()
    for pattern, name in VOLATILE:
        output = re.sub(pattern, name, output)
    return "\n".join(line.rstrip() for line in output.splitlines() if line.strip())


def play(
    markdown: str, title: str, folder: Path, here: Mapping[str, str]
) -> list[tuple[Step, str]]:
    """Run a section in one shell, and return what each of its steps printed.

    `here` replaces addresses and folders as the document names them by those of this run.
    """
    parts = sections(markdown)
    setup = next(iter(parts))
    shown = steps(parts[title])
    before = [] if title == setup else steps(parts[setup])
    script = "".join(f"{step.command}\necho; echo '{MARK}'\n" for step in (*before, *shown))
    for there, real in here.items():
        script = script.replace(there, real)
    printed = _run(script, folder)
    for there, real in here.items():
        printed = printed.replace(real, there)
    outputs = printed.replace("\r", "").split(f"{MARK}\n")[len(before) : -1]
    return list(zip(shown, outputs, strict=True))


def _run(script: str, folder: Path) -> str:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "NO_PROXY": "127.0.0.1",
        # The documents' commands are given in the project's folder.
        "PYTHONPATH": str(ROOT),
    }
    shell = subprocess.run(
        ["/bin/bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert not shell.stderr, shell.stderr
    return shell.stdout
