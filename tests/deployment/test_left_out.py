"""Everything in the template is in the emulated stack, or listed with the reason why not.

The lists are those of `local/aws/cut_template.py`; `LocalStack.left_out` and the docs show them.
"""

from pathlib import Path

import pytest
from moto import mock_aws

from local.aws.cut_template import IGNORED_PROPERTIES, LEFT_OUT, UNKNOWN_TYPE
from local.aws.provisioning import Provisioned
from tests.deployment.conftest import deploy
from tests.template.stack import Stack, stack

EDGE = {"EdgeCache": "true"}
DOCS = Path(__file__).parents[2] / "docs" / "testing.md"


@pytest.fixture
def deployed() -> Provisioned:
    with mock_aws():
        return deploy(**EDGE)


def kind_of(logical_id: str) -> str:
    return stack(**EDGE).resources[logical_id]["Type"]


def left_out_resources(deployed: Provisioned) -> set[str]:
    return {name for name in deployed.left_out if "." not in name}


def dropped_properties(deployed: Provisioned) -> set[tuple[str, str]]:
    """Return the type and the name of every property that is told as dropped."""
    dotted = {tuple(name.split(".")) for name in deployed.left_out if "." in name}
    return {(kind_of(name), dropped) for name, dropped in dotted}


@pytest.mark.parametrize("parameters", [{}, EDGE], ids=["plain", "edge"])
def test_every_resource_is_either_there_or_listed(parameters: dict[str, str]) -> None:
    with mock_aws():
        deployed = deploy(**parameters)
    rendered: Stack = stack(**parameters)
    there = set(deployed.resources)
    assert there & set(deployed.left_out) == set()
    assert there | (set(deployed.left_out) & set(rendered.resources)) == set(rendered.resources)


def test_whatever_is_left_out_has_a_reason(deployed: Provisioned) -> None:
    assert deployed.left_out
    assert all(deployed.left_out.values())


def test_list_of_types_has_none_that_the_template_does_not_use() -> None:
    assert set(LEFT_OUT) <= {resource["Type"] for resource in stack(**EDGE).resources.values()}


def test_list_of_properties_has_none_that_the_template_does_not_set(deployed: Provisioned) -> None:
    assert dropped_properties(deployed) == {
        (kind, name) for kind, names in IGNORED_PROPERTIES.items() for name in names
    }


def test_nothing_is_left_out_for_being_unheard_of(deployed: Provisioned) -> None:
    """A type that is new to the template needs a reason of its own."""
    assert UNKNOWN_TYPE not in deployed.left_out.values()


def test_docs_tell_every_type_and_property(deployed: Provisioned) -> None:
    text = DOCS.read_text("utf-8")
    told = {kind_of(name) for name in left_out_resources(deployed)} | set(IGNORED_PROPERTIES)
    told |= {name for _, name in dropped_properties(deployed)}
    assert [name for name in sorted(told) if f"`{name}`" not in text] == []
