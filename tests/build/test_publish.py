"""What a release uploads, and where to."""

import subprocess
from pathlib import Path

import pytest

from tests.build.conftest import ROOT, called


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose `sam` and `aws` write down what they were asked for."""
    for name in ("tools", ".venv/bin", ".tools/sam-1.2.3/bin", ".aws-sam/build", "build"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "tools/publish").write_bytes((ROOT / "tools/publish").read_bytes())
    (tmp_path / ".aws-sam/build/template.yaml").write_text("Resources: {}")
    for tool in (".tools/sam-1.2.3/bin/sam", ".venv/bin/aws"):
        (tmp_path / tool).write_text('#!/bin/sh\necho "$(basename "$0") $*" >> asked\n')
        (tmp_path / tool).chmod(0o755)
    return tmp_path


def publish(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return called("/bin/bash", project / "tools/publish", *arguments, env={})


def test_release_is_packaged_kept_under_its_version_and_published(project: Path) -> None:
    done = publish(project, "1.2.3", "bucket")
    assert done.returncode == 0, done.stderr
    package, *rest = (project / "asked").read_text().splitlines()
    assert package == (
        "sam package --template-file .aws-sam/build/template.yaml --s3-bucket bucket"
        " --s3-prefix lambda-mips-api/1.2.3 --output-template-file build/packaged.yaml"
    )
    assert rest == [
        "aws s3 cp build/packaged.yaml s3://bucket/lambda-mips-api/1.2.3/template.yaml",
        "sam publish --template build/packaged.yaml",
    ]


def test_upload_that_fails_publishes_nothing(project: Path) -> None:
    (project / ".venv/bin/aws").write_text("#!/bin/sh\nexit 7\n")
    assert publish(project, "1.2.3", "bucket").returncode == 7
    assert "publish" not in (project / "asked").read_text()


def test_nothing_built_is_told(project: Path) -> None:
    (project / ".aws-sam/build/template.yaml").unlink()
    done = publish(project, "1.2.3", "bucket")
    assert (done.returncode, done.stderr) == (1, "publish: nothing is built; run make build\n")
    assert not (project / "asked").exists()


@pytest.mark.parametrize("arguments", [["1.2.3"], ["1.2.3", ""]])
def test_missing_argument_shows_the_usage(project: Path, arguments: list[str]) -> None:
    done = publish(project, *arguments)
    assert done.returncode != 0
    assert "usage: tools/publish VERSION BUCKET" in done.stderr
