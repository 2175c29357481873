"""What `make build` made, and the scripts in tools/, run as processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEFAULT_ARTIFACT = ROOT / "build" / "function"
CODE = ("core", "handlers")


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, without what Python leaves there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; returns what it printed."""
    command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="session")
def artifact() -> Path:
    """What the functions run. `make test` names it, having brought it up to date.

    Without make there may be none, or that of yesterday's code: then there is nothing to test.
    """
    if named := os.environ.get("ARTIFACT"):
        return ROOT / named
    if any(tree(DEFAULT_ARTIFACT / name) != tree(ROOT / name) for name in CODE):
        pytest.skip(f"{DEFAULT_ARTIFACT} is missing or outdated; make build makes it")
    return DEFAULT_ARTIFACT


def called(*command: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command; returns what it printed and its exit code."""
    return subprocess.run(
        list(map(str, command)), check=False, capture_output=True, text=True, **options
    )


def script(name: str, *arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a script of tools/ with arguments."""
    return called(sys.executable, ROOT / "tools" / name, *arguments, **options)
