"""What the local stack reads from a template, refuses in it, and leaves out for moto."""

from pathlib import Path

import pytest

from local.aws.cut_template import cut_down
from local.template.stack_template import (
    DEFAULT_TEMPLATE,
    EventSource,
    Route,
    TemplateError,
    load,
)
from tests.local.toy_stack import TOY_TEMPLATE

ORGANISATION = {"MipOrganization": "x"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is no YAML"),
        ("just words", "is no template"),
        ("Resources: {F: {Type: AWS::Serverless::Api}}", "is no valid SAM template"),
    ],
)
def test_a_template_that_cannot_be_read_is_told_why(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=problem):
        load(path, {})


@pytest.mark.parametrize(
    ("template", "parameters", "problem"),
    [
        (TOY_TEMPLATE, {"Greetings": "hi"}, "has no parameter Greetings; it has Greeting, "),
        (TOY_TEMPLATE, {"Greeting": "HI"}, "Greeting must be small letters"),
        (TOY_TEMPLATE, {"MipLoginUrl": "http://127.0.0.1"}, "MipLoginUrl must match https"),
        (DEFAULT_TEMPLATE, {}, "MipOrganization has no default"),
        (DEFAULT_TEMPLATE, ORGANISATION | {"DnsNames": "a.example,no name"}, "must be host names"),
    ],
)
def test_a_parameter_that_is_missing_or_does_not_fit_is_told(
    template: Path, parameters: dict[str, str], problem: str
) -> None:
    with pytest.raises(TemplateError, match=problem):
        load(template, parameters)


def test_what_fits_is_taken_and_what_is_not_given_has_its_default() -> None:
    names = {"DnsNames": "mips.example.org,books.example.org"}
    parameters = load(DEFAULT_TEMPLATE, names, ORGANISATION).parameters
    assert parameters.items() >= (names | ORGANISATION | {"BalanceMonths": "4"}).items()


def test_routes_queues_and_code_come_from_the_template() -> None:
    template = load(TOY_TEMPLATE, {})
    assert set(template.routes) == {
        Route("/things", "get", "ReaderFunction", requires_iam=False),
        Route("/secret", "get", "ReaderFunction", requires_iam=True),
        Route("/files/{proxy+}", "any", "ReaderFunction", requires_iam=False),
    }
    assert template.event_sources == (EventSource("WorkerFunction", "RebuildQueue", 3, True),)
    assert template.stage == "Prod"
    assert template.code_roots["ReaderFunction"] == TOY_TEMPLATE.parent.resolve()


def test_what_moto_cannot_carry_is_left_out_with_all_that_speaks_of_it() -> None:
    cut = cut_down(load(TOY_TEMPLATE, {}))
    assert "Edge" in cut.left_out
    assert "ApiProdStage" in cut.left_out
    assert not cut.left_out.keys() & cut.document["Resources"].keys()
    assert cut.document["Outputs"].keys() == {"AdminArn"}


def test_references_to_what_is_left_out_become_its_name(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    given = "{A: !Ref Edge, B: !GetAtt Edge.Arn, C: !Sub 'x ${Edge.Arn} ${Greeting}'}"
    path.write_text(TOY_TEMPLATE.read_text().replace("GREETING: !Ref Greeting", f"<<: {given}"))
    function = cut_down(load(path, {})).document["Resources"]["AdminFunction"]
    variables = function["Properties"]["Environment"]["Variables"]
    assert (variables["A"], variables["B"]) == ("Edge", "Edge")
    assert variables["C"] == {"Fn::Sub": "x Edge ${Greeting}"}


def test_a_fifo_queue_without_a_name_gets_one_with_the_ending_it_needs() -> None:
    queue = cut_down(load(TOY_TEMPLATE, {})).document["Resources"]["RebuildQueue"]
    assert queue["Properties"]["QueueName"] == {"Fn::Sub": "${AWS::StackName}-RebuildQueue.fifo"}
