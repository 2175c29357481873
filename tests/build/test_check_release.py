"""Which tags are released, and what is said of those that are not."""

import os
from pathlib import Path

import pytest

from tests.build.conftest import ROOT, git, script
from tests.template.stack import document
from tools.check_release import ReleaseRefusedError, check, semantic_version


def template_of(folder: Path, version: str, *tags: str) -> Path:
    """Make a repository whose template has a version and in which tags were set."""
    template = folder / "template.yaml"
    template.write_text(f"Metadata:\n  Application:\n    SemanticVersion: {version}\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "template.yaml")
    git(folder, "commit", "--quiet", "--no-gpg-sign", "--message", "A version")
    for tag in tags:
        git(folder, "tag", tag)
    return template


@pytest.mark.parametrize("version", ["1.2.3", '"1.2.3"', "'1.2.3'", "1.2.3 # the next one"])
def test_tag_that_equals_the_template_and_is_the_highest_version_may_be_released(
    tmp_path: Path, version: str
) -> None:
    template = template_of(tmp_path, version, "0.9.0", "1.2.2", "1.2.3", "v9.9.9", "nightly")
    done = script("check_release.py", "1.2.3", "--template", template)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("tag", "version", "told"),
    [
        *(
            (tag, "1.2.3", f"the tag {tag} is no version")
            for tag in ("v1.2.3", "1.2", "1.2.3.4", "1.2.03", "1.2.3-rc1", "latest", "")
        ),
        ("1.3.0", "1.2.3", "the tag 1.3.0 differs from .* whose SemanticVersion is 1.2.3"),
        # Versions are compared as numbers.
        ("1.9.0", "1.9.0", "1.9.0 is not higher than 1.10.0, .* raise SemanticVersion"),
    ],
)
def test_tag_that_is_no_new_version_of_the_template_is_refused(
    tmp_path: Path, tag: str, version: str, told: str
) -> None:
    template = template_of(tmp_path, version, "1.9.0", "1.10.0")
    with pytest.raises(ReleaseRefusedError, match=told):
        check(tag, template)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"template.yaml cannot be read"),
        ("Resources: {}\n", "has no SemanticVersion"),
        # Without the tags nobody can tell whether the version was raised.
        ("  SemanticVersion: 1.2.3\n", "git cannot list the tags"),
    ],
)
def test_template_without_a_version_or_a_repository_is_refused(
    tmp_path: Path, text: str | None, told: str
) -> None:
    template = tmp_path / "template.yaml"
    if text is not None:
        template.write_text(text)
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    done = script("check_release.py", "1.2.3", "--template", template, env=environment)
    assert (done.returncode, told in done.stderr) == (1, True)


def test_version_of_the_projects_template_is_read_as_yaml_reads_it() -> None:
    application = document()["Metadata"]["AWS::ServerlessRepo::Application"]
    assert semantic_version(ROOT / "template.yaml") == application["SemanticVersion"]
