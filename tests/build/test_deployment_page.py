"""docs/deployment.md says what the template, the Makefile and the folders say."""

import re

from tests.build.conftest import ROOT
from tests.template.stack import document

PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
TEMPLATE = document()


def default_of(parameter: dict) -> str:
    if "Default" not in parameter:
        return "none"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


def test_parameters_are_those_of_the_template() -> None:
    table = "| Parameter | Default | Sets | Its value |\n|---|---|---|---|\n" + "".join(
        f"| `{name}` | {default_of(parameter)} | {parameter['Description']} "
        f"| {parameter['ConstraintDescription']} |\n"
        for name, parameter in TEMPLATE["Parameters"].items()
    )
    shown = re.findall(r"^\| Parameter \| Default \|.*\n(?:\|.*\n)+", PAGE, re.MULTILINE)
    assert shown == [table]


def test_outputs_that_commands_ask_for_exist() -> None:
    asked = set(re.findall(r"\(output (\w+)\)", PAGE))
    assert asked
    assert asked <= set(TEMPLATE["Outputs"])


def test_files_that_commands_name_exist() -> None:
    kinds = r"events/\w+\.json|(?<!\.)tools/\w+(?:\.py)?|\.github/workflows/\w+\.yaml"
    named = set(re.findall(kinds, PAGE))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_verbs_that_the_page_names_are_the_makefiles() -> None:
    verbs = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", PAGE, re.MULTILINE)) <= verbs


def test_commands_that_change_a_stack_name_its_region() -> None:
    joined = re.sub(r"\\\n\s*", "", PAGE)
    changing = r"^(?:sam (?:deploy|delete|package|publish)|make deploy R).*"
    commands = re.findall(changing, joined, re.MULTILINE)
    assert len(commands) == 5
    assert [line for line in commands if "region " not in line and "REGION=" not in line] == []


def test_what_outlives_the_stack_is_what_the_page_says_to_remove() -> None:
    section = PAGE.split("## Removing")[1].split("\n## ", maxsplit=1)[0]
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        resources = TEMPLATE["Resources"].items()
        retained = {name for name, found in resources if found.get(policy) == "Retain"}
        assert retained == {"CacheBucket", "SsmKey"}
    assert re.findall(r"^- The (bucket|key)", section, re.MULTILINE) == ["bucket", "key"]
