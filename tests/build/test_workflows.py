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
        assert re.match(r"(make|python tools/|tools/)", command)
        assert "${{" not in command
        assert "\n" not in command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_token_may_only_read_unless_a_job_says_more(path: Path) -> None:
    workflow = load(path.stem)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_job_whose_token_may_do_more_runs_tests_or_new_packages(path: Path) -> None:
    for job in load(path.stem)["jobs"].values():
        if "permissions" in job:
            ran = " ".join(step.get("run", "") for step in job["steps"])
            assert not re.search("make (test|lock|check)", ran)


def test_a_branch_with_a_pull_request_is_tested_once() -> None:
    assert load("test")["on"] == {"push": {"branches": ["main"]}, "pull_request": None}
    assert commands("test") == ["make test test-browser", "make build"]


def test_packages_of_the_tests_are_kept_where_pipenv_looks_for_them() -> None:
    [python] = [step for step in steps(load("test")) if "setup-python@" in step.get("uses", "")]
    assert python["with"]["cache"] == "pip"
    assert load("test")["env"]["PIPENV_CACHE_DIR"].endswith("/.cache/pip")


def test_a_version_tag_is_a_release_and_is_checked_before_anything_else() -> None:
    workflow = load("release")
    assert workflow["on"] == {"push": {"tags": ["[0-9]+.[0-9]+.[0-9]+"]}}
    assert commands("release")[0] == 'python tools/check_release.py "$TAG"'
    assert workflow["env"]["TAG"] == "${{ github.ref_name }}"
    checkout = workflow["jobs"]["test"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0, "it sees the tags of earlier releases"


def test_a_release_is_tested_before_a_job_can_get_credentials() -> None:
    test, publish = load("release")["jobs"].values()
    assert "permissions" not in test
    assert publish["needs"] == "test"
    assert publish["permissions"] == {"contents": "read", "id-token": "write"}
    assert [step.get("run") or step["uses"].split("@")[0] for step in publish["steps"][-3:]] == [
        "make build",
        "aws-actions/configure-aws-credentials",
        'tools/publish "$TAG" "$BUCKET"',
    ]


def test_packages_are_renewed_monthly_and_tested_before_a_job_may_propose_them() -> None:
    renew, propose = load("update")["jobs"].values()
    assert load("update")["on"]["schedule"] == [{"cron": "23 5 1 * *"}]
    assert commands("update") == ["make lock", "make test test-browser", "tools/propose_update"]
    assert propose["needs"] == "renew"
    assert renew["steps"][-1]["with"]["path"] == "Pipfile.lock"
    assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}
