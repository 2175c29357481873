"""What the Makefile says, and what it needs before it makes anything."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.conftest import ROOT, called


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone in which nothing was made yet."""
    for name in ("core", "handlers", "tools"):
        (tmp_path / name).mkdir()
    for name in ("Makefile", "Pipfile.lock", "tools/check_python.py", "tools/build_artifact.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(project: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return called("make", "--no-print-directory", *arguments, cwd=project)


def python(project: Path, changed: str) -> Path:
    """Make a Python that differs from ours by a line of code that it runs first."""
    starter = project / "starter.py"
    starter.write_text(
        f"import runpy, sys\n{changed}\nrunpy.run_path(sys.argv[1], run_name='__main__')\n"
    )
    path = project / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {starter} "$@"\n')
    path.chmod(0o755)
    return path


def test_help_lists_every_verb(project: Path) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.search(r"^\.PHONY: (.+?) \$", text, re.MULTILINE)[1].split()
    assert re.findall(r"^  make ([a-z-]+) ", make(project, "help").stdout, re.MULTILINE) == verbs


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("sys.version_info = (3, 9, 2)", "make needs Python 3.10 or newer"),
        ("sys.modules['ensurepip'] = None", "apt-get install python3-venv"),
    ],
    ids=["Python 3.9", "no python3-venv"],
)
def test_python_that_will_not_do_is_told_before_anything_is_made(
    project: Path, changed: str, told: str
) -> None:
    done = make(project, "check", f"PYTHON={python(project, changed)}")
    assert done.returncode != 0
    assert told in done.stderr
    assert "make PYTHON=/path/to/python3.13" in done.stderr
    assert not (project / ".tools").exists()


def test_python_that_is_not_there_is_told(project: Path) -> None:
    done = make(project, "check", "PYTHON=python2.5")
    assert "error: there is no python2.5." in done.stderr
    assert not (project / ".tools").exists()


@pytest.mark.parametrize(("configured", "asks"), [(False, "guided"), (True, "confirm-changeset")])
def test_first_deployment_asks_for_everything_and_later_ones_for_their_changes(
    project: Path, *, configured: bool, asks: str
) -> None:
    if configured:
        (project / "samconfig.toml").touch()
    done = make(project, "--dry-run", "deploy", "REGION=eu-west-1", "STACK=books")
    steps = re.sub(r"\\\n\s*", "", done.stdout)
    assert f"bin/sam deploy --{asks} --region eu-west-1 --stack-name books" in steps
    assert steps.index("sam build") < steps.index("sam deploy")
