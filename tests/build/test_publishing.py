"""What the Serverless Application Repository asks of an application's metadata."""

import re
import tomllib

import pytest

from tests.build.conftest import ROOT
from tests.template.stack import document

APPLICATION = document()["Metadata"]["AWS::ServerlessRepo::Application"]
SMALLEST_FILE, LARGEST_FILE = 1, 512_000


def test_what_is_asked_for_is_there_and_not_too_long() -> None:
    needed = "Name Author Description SemanticVersion SpdxLicenseId ReadmeUrl SourceCodeUrl Labels"
    assert set(needed.split()) <= set(APPLICATION)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,140}", APPLICATION["Name"])
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,125}[a-z0-9])?", APPLICATION["Author"])
    assert 1 <= len(APPLICATION["Description"]) <= 256
    labels = APPLICATION["Labels"]
    assert 1 <= len(labels) <= 10
    assert all(re.fullmatch(r"[A-Za-z0-9+:_/@-]{1,127}", label) for label in labels)


@pytest.mark.parametrize("name", ["LicenseUrl", "ReadmeUrl"])
def test_license_and_readme_are_files_that_are_taken(name: str) -> None:
    assert SMALLEST_FILE <= (ROOT / APPLICATION[name]).stat().st_size <= LARGEST_FILE


def test_license_is_the_one_that_is_named() -> None:
    text = (ROOT / APPLICATION["LicenseUrl"]).read_text(encoding="utf-8")
    assert APPLICATION["SpdxLicenseId"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert APPLICATION["SemanticVersion"] == project["version"]


def test_build_calls_the_makefile_for_every_function() -> None:
    """So that `sam build` alone makes the same artifact as `make build`."""
    functions = [
        (name, resource.get("Metadata"))
        for name, resource in document()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    assert {name for name, _ in functions} == {"ReaderFunction", "WorkerFunction", "AdminFunction"}
    assert all(metadata == {"BuildMethod": "makefile"} for _, metadata in functions)
