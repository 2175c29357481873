"""What the local stack reads from a template, refuses in it, and leaves out for moto."""

from pathlib import Path

import pytest

from local.aws.cut_template import cut_down
from local.cli.arguments import DEFAULT_TEMPLATE
from local.template.stack_template import EventSource, Route, TemplateError, load
from tests.local.toy_stack import TOY_TEMPLATE

FUNCTION = "{Type: AWS::Serverless::Function, Properties: {Events: 3}}"


def test_a_missing_template_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"there is no template at .*/nothing\.yaml"):
        load(tmp_path / "nothing.yaml", {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is no YAML"),
        ("just words", "is no template"),
        (f"Resources: {{F: {FUNCTION}}}", "is no valid SAM template"),
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
    ("parameters", "problem"),
    [
        ({"Greetings": "hi"}, "has no parameter Greetings; it has Greeting, "),
        ({"Greeting": "HI"}, "Greeting must be small letters"),
        ({"MipLoginUrl": "http://127.0.0.1"}, "MipLoginUrl must match https"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told(parameters: dict[str, str], problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        load(TOY_TEMPLATE, parameters)


def test_a_parameter_without_default_needs_a_value() -> None:
    with pytest.raises(TemplateError, match="MipOrganization has no default"):
        load(DEFAULT_TEMPLATE, {})
    assert load(DEFAULT_TEMPLATE, {}, {"MipOrganization": "x"}).parameters["BalanceMonths"] == "4"


def test_each_value_of_a_list_must_fit() -> None:
    given = {"MipOrganization": "x", "DnsNames": "mips.example.org,books.example.org"}
    assert load(DEFAULT_TEMPLATE, given).parameters["DnsNames"] == given["DnsNames"]
    with pytest.raises(TemplateError, match="DnsNames must be host names"):
        load(DEFAULT_TEMPLATE, given | {"DnsNames": "mips.example.org,no name"})


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
    text = TOY_TEMPLATE.read_text()
    variables = "{A: !Ref Edge, B: !GetAtt Edge.Arn, C: !Sub 'x ${Edge.Arn} ${Greeting}'}"
    path.write_text(text.replace("GREETING: !Ref Greeting", f"<<: {variables}"))
    function = cut_down(load(path, {})).document["Resources"]["AdminFunction"]
    given = function["Properties"]["Environment"]["Variables"]
    assert (given["A"], given["B"]) == ("Edge", "Edge")
    assert given["C"] == {"Fn::Sub": "x Edge ${Greeting}"}


def test_a_fifo_queue_without_a_name_gets_one_with_the_ending_it_needs() -> None:
    queue = cut_down(load(TOY_TEMPLATE, {})).document["Resources"]["RebuildQueue"]
    assert queue["Properties"]["QueueName"] == {"Fn::Sub": "${AWS::StackName}-RebuildQueue.fifo"}
