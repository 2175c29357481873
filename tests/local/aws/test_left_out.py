"""Everything in the template is in the emulated stack, or listed with the reason why not."""

from pathlib import Path

import pytest
from moto import mock_aws

from local.aws.cut_template import IGNORED_PROPERTIES, LEFT_OUT, UNKNOWN_TYPE
from local.aws.provisioning import Provisioned
from tests.local.aws.in_process import deploy
from tests.template.stack import stack

EDGE = {"EdgeCache": "true"}
TYPES = {name: resource["Type"] for name, resource in stack(**EDGE).resources.items()}
DOCS = Path(__file__).parents[3] / "docs" / "testing.md"


@pytest.fixture(scope="module")
def deployed() -> Provisioned:
    with mock_aws():
        return deploy(**EDGE)


def test_every_resource_is_either_there_or_listed(deployed: Provisioned) -> None:
    assert set(deployed.resources) & set(deployed.left_out) == set()
    assert set(TYPES) <= set(deployed.resources) | set(deployed.left_out)


def test_lists_name_nothing_that_the_template_does_not_have(deployed: Provisioned) -> None:
    dropped = [name.split(".") for name in deployed.left_out if "." in name]
    listed = {(kind, name) for kind, names in IGNORED_PROPERTIES.items() for name in names}

    assert set(LEFT_OUT) <= set(TYPES.values())
    assert {(TYPES[resource], name) for resource, name in dropped} == listed


def test_a_type_that_is_new_to_the_template_needs_a_reason_of_its_own(
    deployed: Provisioned,
) -> None:
    assert UNKNOWN_TYPE not in deployed.left_out.values()


def test_docs_name_every_type_and_property_that_is_left_out(deployed: Provisioned) -> None:
    left_out = [name.partition(".") for name in deployed.left_out]
    names = {TYPES[name] for name, _, _ in left_out if name in TYPES}
    names |= {dropped for _, _, dropped in left_out if dropped}
    text = DOCS.read_text(encoding="utf-8")

    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
