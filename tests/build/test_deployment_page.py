"""docs/deployment.md says what the template, the Makefile and the folders say."""

import re

import pytest

from tests.build.conftest import ROOT
from tests.template.stack import document

PAGE = ROOT / "docs" / "deployment.md"
TEMPLATE = document()


def parameter_table() -> str:
    """Return the table of parameters that the page must show."""
    rows = [
        f"| `{name}` | {default_of(parameter)} | {parameter['Description']} "
        f"| {parameter['ConstraintDescription']} |\n"
        for name, parameter in TEMPLATE["Parameters"].items()
    ]
    return "| Parameter | Default | Sets | Its value |\n|---|---|---|---|\n" + "".join(rows)


def default_of(parameter: dict) -> str:
    if "Default" not in parameter:
        return "none"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_parameters_are_those_of_the_template(page: str) -> None:
    [shown] = re.findall(r"^\| Parameter \| Default \|.*\n(?:\|.*\n)+", page, re.MULTILINE)
    assert shown == parameter_table()


def test_outputs_that_commands_ask_for_exist(page: str) -> None:
    asked = set(re.findall(r"\(output (\w+)\)", page))
    assert asked
    assert asked <= set(TEMPLATE["Outputs"])


def test_files_that_commands_name_exist(page: str) -> None:
    kinds = r"events/\w+\.json|(?<!\.)tools/\w+(?:\.py)?|\.github/workflows/\w+\.yaml"
    named = set(re.findall(kinds, page))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_verbs_that_the_page_names_are_the_makefiles(page: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", page, re.MULTILINE)) <= verbs


def test_commands_that_change_a_stack_name_its_region(page: str) -> None:
    joined = re.sub(r"\\\n\s*", "", page)
    commands = re.findall(
        r"^(?:sam (?:deploy|delete|package|publish)|make deploy R).*", joined, re.M
    )
    assert len(commands) == 5
    assert [line for line in commands if "region " not in line and "REGION=" not in line] == []


def test_what_outlives_the_stack_is_what_the_page_says_to_remove(page: str) -> None:
    section = page.split("## Removing")[1].split("\n## ", maxsplit=1)[0]
    retained = {
        name
        for name, resource in TEMPLATE["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert retained == {"CacheBucket", "SsmKey"}
    assert re.findall(r"^- The (bucket|key)", section, re.MULTILINE) == ["bucket", "key"]
