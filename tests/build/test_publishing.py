"""What the Serverless Application Repository asks of an application's metadata."""

import re
import tomllib

import pytest

from tests.build.conftest import ROOT
from tests.template.stack import FUNCTIONS, document

APPLICATION = document()["Metadata"]["AWS::ServerlessRepo::Application"]
SMALLEST_FILE, LARGEST_FILE = 1, 512_000


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("Name", r"[A-Za-z0-9-]{1,140}"),
        ("Author", r"(?=.{1,127}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?"),
        ("Description", r".{1,256}"),
        ("SourceCodeUrl", r"https://.+"),
    ],
)
def test_text_has_the_letters_and_the_length_that_are_taken(name: str, taken: str) -> None:
    assert re.fullmatch(taken, APPLICATION[name])


def test_labels_are_few_and_plain() -> None:
    labels = APPLICATION["Labels"]
    assert 1 <= len(labels) <= 10
    assert all(re.fullmatch(r"[A-Za-z0-9+:_/@-]{1,127}", label) for label in labels)


@pytest.mark.parametrize("name", ["LicenseUrl", "ReadmeUrl"])
def test_license_and_readme_are_files_that_are_taken(name: str) -> None:
    assert SMALLEST_FILE <= (ROOT / APPLICATION[name]).stat().st_size <= LARGEST_FILE


def test_license_is_the_one_that_is_named() -> None:
    text = (ROOT / APPLICATION["LicenseUrl"]).read_text(encoding="utf-8")
    assert APPLICATION["SpdxLicenseId"] == "Apache-2.0"
    assert re.search(r"Apache License\s+Version 2\.0", text)


def test_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert APPLICATION["SemanticVersion"] == project["version"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_build_calls_the_makefile_for_every_function(function: str) -> None:
    """So that `sam build` alone makes the same artifact as `make build`."""
    assert document()["Resources"][function]["Metadata"] == {"BuildMethod": "makefile"}
    assert f" {function}" in (ROOT / "Makefile").read_text(encoding="utf-8")
