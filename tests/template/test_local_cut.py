"""What of the template the local stack leaves out is listed with the reason (cut_template.py)."""

from local.aws.cut_template import IGNORED_PROPERTIES, LEFT_OUT, UNKNOWN_TYPE, cut_down
from local.template.stack_template import DEFAULT_TEMPLATE, load
from tests.template.stack import REQUIRED

EDGE = load(DEFAULT_TEMPLATE, {**REQUIRED, "EdgeCache": "true"})
CUT = cut_down(EDGE)


def test_every_resource_is_there_or_is_left_out_with_a_reason_of_its_own():
    left_out = {name: reason for name, reason in CUT.left_out.items() if "." not in name}
    assert set(CUT.document["Resources"]) | set(left_out) >= set(EDGE.resources)
    assert all(left_out.values())
    assert UNKNOWN_TYPE not in left_out.values()


def test_lists_hold_nothing_that_the_template_does_not_have():
    kinds = {resource["Type"] for resource in EDGE.resources.values()}
    dropped = [name.split(".") for name in CUT.left_out if "." in name]
    assert set(LEFT_OUT) <= kinds
    assert {(EDGE.resources[name]["Type"], gone) for name, gone in dropped} == {
        (kind, gone) for kind, properties in IGNORED_PROPERTIES.items() for gone in properties
    }
