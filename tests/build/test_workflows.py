"""What the workflows pin, may do and call; their schema is checked by make check."""

import re
from typing import Any

import pytest
import yaml

from tests.build.conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

every_workflow = pytest.mark.parametrize("name", [path.stem for path in FOLDER.iterdir()])


def text(name: str) -> str:
    return (FOLDER / f"{name}.yaml").read_text("utf-8")


def load(name: str) -> dict[Any, Any]:
    return yaml.safe_load(text(name))


def trigger(name: str) -> Any:
    # YAML 1.1 takes the key "on" for true.
    return load(name)[True]


def jobs(name: str) -> list[dict[str, Any]]:
    return list(load(name)["jobs"].values())


def commands(*jobs: dict[str, Any]) -> list[str]:
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


@every_workflow
def test_every_action_is_pinned_by_commit_and_names_its_version(name: str) -> None:
    used = [line for line in text(name).splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.search(line)] == []


@every_workflow
def test_commands_are_the_repositorys_own_and_take_no_text_from_events(name: str) -> None:
    """An expression within a command would let a tag's or branch's name run as a command."""
    for command in commands(*jobs(name)):
        assert re.fullmatch(r"(make|python tools/|tools/).*", command)
        assert "${{" not in command


@every_workflow
def test_a_token_may_only_read_unless_a_job_that_runs_no_new_code_says_more(name: str) -> None:
    assert load(name)["permissions"] == {"contents": "read"}
    for job in jobs(name):
        assert job["timeout-minutes"]
        if "permissions" in job:
            assert not re.search("make (test|lock|check)", "\n".join(commands(job)))


def test_a_branch_with_a_pull_request_is_tested_once() -> None:
    assert trigger("test") == {"push": {"branches": ["main"]}, "pull_request": None}
    assert commands(*jobs("test")) == ["make test test-browser", "make build"]


def test_packages_of_the_tests_are_kept_where_pipenv_looks_for_them() -> None:
    assert "\n          cache: pip\n" in text("test")
    assert load("test")["env"]["PIPENV_CACHE_DIR"].endswith("/.cache/pip")


def test_a_version_tag_is_a_release_and_is_checked_first_among_the_tags_of_earlier_ones() -> None:
    test, _ = jobs("release")
    assert trigger("release") == {"push": {"tags": ["[0-9]+.[0-9]+.[0-9]+"]}}
    assert commands(test)[0] == 'python tools/check_release.py "$TAG"'
    assert load("release")["env"]["TAG"] == "${{ github.ref_name }}"
    assert test["steps"][0]["with"]["fetch-depth"] == 0


def test_a_release_is_tested_before_a_job_can_get_credentials() -> None:
    test, publish = jobs("release")
    assert "permissions" not in test
    assert publish["needs"] == "test"
    assert publish["permissions"] == {"contents": "read", "id-token": "write"}
    build, login, upload = publish["steps"][-3:]
    assert login["uses"].startswith("aws-actions/configure-aws-credentials@")
    assert (build["run"], upload["run"]) == ("make build", 'tools/publish "$TAG" "$BUCKET"')


def test_packages_are_renewed_monthly_and_tested_before_another_job_proposes_them() -> None:
    renew, propose = jobs("update")
    assert trigger("update")["schedule"] == [{"cron": "23 5 1 * *"}]
    assert commands(renew) == ["make lock", "make test test-browser"]
    assert commands(propose) == ["tools/propose_update"]
    assert propose["needs"] == "renew"
    assert renew["steps"][-1]["with"]["path"] == "Pipfile.lock"
    assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}
