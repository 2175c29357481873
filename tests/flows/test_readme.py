"""The README's session, run as it stands: a command that stopped working would be found here."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.flows.conftest import Flows

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- the next command ---"
# What differs from run to run, and what stands for it when outputs are compared.
VOLATILE = (
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
    (r"(?<=apigw-id: )\w+", "<id>"),
    (r"(?<=ttl=)\d+", "<seconds>"),
    (r"(?<=Age: )\d+", "<seconds>"),
)


def session(markdown: str) -> list[tuple[str, str]]:
    """Return the commands of all console blocks, each with the output shown for it."""
    lines = "".join(BLOCK.findall(markdown)).splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    return [
        (lines[start].removeprefix("$ "), "\n".join(lines[start + 1 : end]))
        for start, end in pairwise([*starts, len(lines)])
    ]


def stable(output: str) -> str:
    output = output.replace("\r", "").strip()
    for pattern, name in VOLATILE:
        output = re.sub(pattern, name, output)
    return "\n".join(line for line in output.splitlines() if line)


def run(commands: list[str], folder: Path) -> list[str]:
    """Run the commands in one shell and return what each printed."""
    script = "".join(f"{command}\necho; echo '{MARK}'\n" for command in commands)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "NO_PROXY": "127.0.0.1",
    }
    shell = subprocess.run(
        ["/bin/bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=100,
        check=True,
    )
    assert shell.stderr == ""
    return shell.stdout.split(f"{MARK}\n")[:-1]


def test_session_in_the_readme_works_and_prints_what_it_shows(flows: Flows, tmp_path: Path) -> None:
    stack = flows.stack
    here = {
        "http://127.0.0.1:3000": stack.api_url,
        "http://127.0.0.1:4566": stack.aws_url,
        "http://127.0.0.1:8900": str(stack.mip_url),
        "/tmp/": f"{tmp_path}/",  # noqa: S108 - a name in the README, not one of ours
    }
    shown = session((ROOT / "README.md").read_text())
    commands = [command for command, _ in shown]
    for there, real in here.items():
        commands = [command.replace(there, real) for command in commands]
    printed = run(commands, tmp_path)
    assert [stable(output) for output in printed] == [stable(output) for _, output in shown]
