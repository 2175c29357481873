"""A renewed lock file becomes a pull request; an unchanged one becomes nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.build.conftest import ROOT, called, git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a Pipfile.lock, whose `gh` writes down what it was asked for."""
    git(tmp_path, "init", "--quiet", "--bare", "remote")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "remote", "clone")
    (clone / "tools").mkdir()
    (clone / "tools" / "propose_update").write_bytes((ROOT / "tools/propose_update").read_bytes())
    for name in ("Pipfile.lock", "code"):
        (clone / name).write_text("old")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--no-gpg-sign", "--message", "Lock")
    (tmp_path / "gh").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    (tmp_path / "gh").chmod(0o755)
    return clone


def propose(clone: Path) -> "subprocess.CompletedProcess[str]":
    path = {"PATH": f"{clone.parent}:{os.environ['PATH']}"}
    return called("/bin/bash", clone / "tools" / "propose_update", env=os.environ | path)


def branches(clone: Path) -> list[str]:
    return git(clone.parent / "remote", "branch", "--list", "--format=%(refname:short)").split()


def test_unchanged_lock_proposes_nothing(clone: Path) -> None:
    done = propose(clone)
    assert done.returncode == 0
    assert done.stdout == "Pipfile.lock names the newest versions already.\n"
    assert branches(clone) == []


def test_renewed_lock_alone_is_pushed_to_a_branch_and_proposed(clone: Path) -> None:
    for name in ("Pipfile.lock", "code"):
        (clone / name).write_text("new")
    done = propose(clone)
    assert done.returncode == 0, done.stderr
    [branch] = branches(clone)
    assert git(clone.parent / "remote", "show", f"{branch}:Pipfile.lock") == "new"
    assert git(clone.parent / "remote", "show", f"{branch}:code") == "old"
    asked = (clone.parent / "asked").read_text()
    assert asked.startswith(f"pr create --head {branch} --title Renew Pipfile.lock")


def test_failing_push_fails_and_proposes_nothing(clone: Path) -> None:
    (clone / "Pipfile.lock").write_text("new")
    git(clone, "remote", "set-url", "origin", str(clone.parent / "nowhere"))
    assert propose(clone).returncode != 0
    assert not (clone.parent / "asked").exists()
