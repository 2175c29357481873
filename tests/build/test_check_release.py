"""Which tags are released, and what is said of those that are not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build.conftest import ROOT, Run, git
from tests.template.stack import document

Repository = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a repository whose template has a version and in which tags were set."""

    def make(version: str, *tags: str) -> Path:
        template = tmp_path / "template.yaml"
        template.write_text(f"Metadata:\n  Application:\n    SemanticVersion: {version}\n")
        git(tmp_path, "init", "--quiet")
        git(tmp_path, "add", "template.yaml")
        git(tmp_path, "commit", "--quiet", "--no-gpg-sign", "--message", "A version")
        for tag in tags:
            git(tmp_path, "tag", tag)
        return template

    return make


@pytest.mark.parametrize("version", ["1.2.3", '"1.2.3"', "'1.2.3'", "1.2.3 # the next one"])
def test_tag_that_equals_the_template_and_is_the_highest_may_be_released(
    script: Run, repository: Repository, version: str
) -> None:
    template = repository(version, "0.9.0", "1.2.2", "1.2.3")
    done = script("check_release.py", "1.2.3", "--template", template)
    assert (done.returncode, done.stderr) == (0, "")


NO_VERSIONS = ("v1.2.3", "1.2", "1.2.3.4", "1.2.03", "1.2.3-rc1", "latest", "")


@pytest.mark.parametrize(
    ("tag", "version", "released", "told"),
    [
        *[(tag, "1.2.3", [], [f"the tag {tag} is no version"]) for tag in NO_VERSIONS],
        ("1.3.0", "1.2.3", [], ["the tag 1.3.0 differs from", "SemanticVersion is 1.2.3"]),
        ("1.9.0", "1.9.0", ["1.10.0"], ["1.9.0 is not higher than 1.10.0", "raise Semantic"]),
    ],
)
def test_tag_that_is_no_new_version_is_refused(
    script: Run,
    repository: Repository,
    tag: str,
    version: str,
    released: list[str],
    told: list[str],
) -> None:
    """Versions are compared as numbers: 1.10.0 comes after 1.9.0."""
    done = script("check_release.py", tag, "--template", repository(version, *released))
    assert done.returncode == 1
    assert all(text in done.stderr for text in told)


def test_tags_that_are_no_versions_do_not_count(script: Run, repository: Repository) -> None:
    template = repository("1.2.3", "v9.9.9", "nightly")
    assert script("check_release.py", "1.2.3", "--template", template).returncode == 0


@pytest.mark.parametrize(
    ("name", "told"),
    [("empty.yaml", "has no SemanticVersion"), ("nothing.yaml", "nothing.yaml cannot be read")],
)
def test_template_that_tells_no_version_is_refused(
    script: Run, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "empty.yaml").write_text("Resources: {}\n")
    done = script("check_release.py", "1.2.3", "--template", tmp_path / name)
    assert (done.returncode, told in done.stderr) == (1, True)


def test_folder_that_is_no_repository_is_refused(script: Run, tmp_path: Path) -> None:
    """Without the tags nobody can tell whether the version was raised."""
    template = tmp_path / "template.yaml"
    template.write_text("  SemanticVersion: 1.2.3\n")
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    done = script("check_release.py", "1.2.3", "--template", template, env=environment)
    assert (done.returncode, "git cannot list the tags" in done.stderr) == (1, True)


def test_version_of_the_projects_template_is_read_as_yaml_reads_it(
    script: Run, repository: Repository
) -> None:
    application = document()["Metadata"]["AWS::ServerlessRepo::Application"]
    template = repository("0.0.0")
    template.write_text((ROOT / "template.yaml").read_text(encoding="utf-8"))
    done = script("check_release.py", application["SemanticVersion"], "--template", template)
    assert done.returncode == 0, done.stderr


def test_no_tag_is_a_mistake_of_usage(script: Run) -> None:
    assert script("check_release.py").returncode == 2
