"""What the workflows pin, may do and call; their schema is checked by make check."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.build.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def load(name: str) -> dict[str, Any]:
    # YAML 1.1 takes the key "on" for true.
    document = yaml.safe_load((ROOT / ".github/workflows" / f"{name}.yaml").read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def commands(name: str) -> list[str]:
    return [step["run"] for step in steps(load(name)) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_commit_and_names_its_version(path: Path) -> None:
    used = [line for line in path.read_text("utf-8").splitlines() if "uses:" in line]

    assert used
    assert [line for line in used if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_commands_are_the_repositorys_own_and_take_no_text_from_events(path: Path) -> None:
    """An expression within a command would let a tag's or branch's name run as a command."""
    for command in commands(path.stem):
        assert re.match(r"(make|python \.ci/|\.ci/)", command)
        assert "${{" not in command
        assert "\n" not in command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_permissions_and_limits_are_given(path: Path) -> None:
    workflow = load(path.stem)

    assert workflow["permissions"]
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


def test_pushes_and_pull_requests_are_tested_without_any_right_to_write() -> None:
    workflow = load("test")

    assert set(workflow["on"]) == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    assert commands("test") == ["make test test-browser", "make build"]


def test_any_tag_is_taken_for_a_release_and_checked_before_anything_else() -> None:
    workflow = load("release")

    assert workflow["on"] == {"push": {"tags": ["**"]}}
    assert commands("release")[0] == 'python .ci/check_release.py "$TAG"'
    assert workflow["jobs"]["release"]["env"]["TAG"] == "${{ github.ref_name }}"


def test_a_release_sees_the_tags_of_earlier_ones() -> None:
    [checkout] = [
        step for step in steps(load("release")) if "actions/checkout@" in step.get("uses", "")
    ]

    assert checkout["with"]["fetch-depth"] == 0


def test_a_release_is_tested_and_built_before_there_are_credentials() -> None:
    order = [step.get("run") or step["uses"].split("@")[0] for step in steps(load("release"))]

    assert order[-4:] == [
        "make test",
        "make build",
        "aws-actions/configure-aws-credentials",
        '.ci/publish "$TAG" "$BUCKET"',
    ]
    assert load("release")["permissions"] == {"contents": "read", "id-token": "write"}


def test_packages_are_renewed_monthly_and_tested_before_they_are_proposed() -> None:
    assert load("update")["on"]["schedule"] == [{"cron": "23 5 1 * *"}]
    assert commands("update") == ["make lock", "make test", ".ci/propose_update"]
