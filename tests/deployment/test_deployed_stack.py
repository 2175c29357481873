"""What comes out when the template is deployed in the emulator, as the local stack does it."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.aws.clients import ACCOUNT_ID, REGION
from local.aws.cut_template import IGNORED_PROPERTIES
from local.aws.provisioning import STACK_NAME, Provisioned
from tests.deployment.conftest import deploy
from tests.deployment.described import DESCRIPTIONS, describe
from tests.template.stack import document, stack

PRESENT = sorted(
    name for name, resource in stack().resources.items() if resource["Type"] in DESCRIPTIONS
)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Provisioned]:
    with mock_aws():
        yield deploy()


@pytest.fixture(scope="module")
def placeholders(deployed: Provisioned) -> dict[str, str]:
    """What the rendered template leaves open, and the deployment knows."""
    known = {
        "AWS::StackName": STACK_NAME,
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT_ID,
        "AWS::Partition": "aws",
    }
    left_out = {f"{name}.Arn": name for name in deployed.left_out}
    return known | left_out | dict(deployed.resources) | _arns(deployed) | _queue_names(deployed)


def _arns(deployed: Provisioned) -> dict[str, str]:
    """Return the ARN of everything whose ARN the template asks for."""
    base = f"{REGION}:{ACCOUNT_ID}"
    makers = {
        "AWS::SQS::Queue": lambda url: f"arn:aws:sqs:{base}:{url.rsplit('/', 1)[-1]}",
        "AWS::Lambda::Function": lambda name: f"arn:aws:lambda:{base}:function:{name}",
        "AWS::IAM::Role": lambda name: f"arn:aws:iam::{ACCOUNT_ID}:role/{name}",
        "AWS::S3::Bucket": lambda name: f"arn:aws:s3:::{name}",
        "AWS::KMS::Key": lambda key: f"arn:aws:kms:{base}:key/{key}",
        # AWS's ends in ":*", and so covers the group's streams.
        "AWS::Logs::LogGroup": lambda name: f"arn:aws:logs:{base}:log-group:{name}",
    }
    return {
        f"{name}.Arn": makers[kind](physical_id)
        for name, physical_id in deployed.resources.items()
        if (kind := stack().resources[name]["Type"]) in makers
    }


def _queue_names(deployed: Provisioned) -> dict[str, str]:
    return {
        f"{name}.QueueName": deployed.resources[name].rsplit("/", 1)[-1]
        for name in stack().of_type("AWS::SQS::Queue")
    }


def resolved(value: Any, known: dict[str, str]) -> Any:
    """Fill the placeholders in, and make every value text, as some services answer in text."""
    if isinstance(value, dict):
        return {key: resolved(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, known) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.10g}"
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: known.get(found[1], found[0]), value)


def compared(
    name: str, deployed: Provisioned, placeholders: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a resource's properties in the template, and the same ones as AWS tells them."""
    resource = stack().resources[name]
    wanted = resolved(resource["Properties"], placeholders)
    told = describe(resource["Type"], deployed.resources[name])
    return wanted, {key: resolved(told[key], {}) for key in wanted if key in told}


@pytest.mark.parametrize("name", PRESENT)
def test_resource_has_the_properties_of_the_template(
    deployed: Provisioned, placeholders: dict[str, str], name: str
) -> None:
    wanted, found = compared(name, deployed, placeholders)
    ignored = IGNORED_PROPERTIES.get(stack().resources[name]["Type"], {})
    expected = {key: value for key, value in wanted.items() if key not in ignored}
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", PRESENT)
def test_property_that_is_listed_as_dropped_is_dropped(
    deployed: Provisioned, placeholders: dict[str, str], name: str
) -> None:
    """Else the list would hide what could be compared."""
    wanted, found = compared(name, deployed, placeholders)
    ignored = IGNORED_PROPERTIES.get(stack().resources[name]["Type"], {})
    assert [key for key in ignored if key in wanted and found.get(key) == wanted[key]] == []


def test_every_kind_that_is_there_can_be_described(deployed: Provisioned) -> None:
    """A kind that is new to the template needs a description, or it would go uncompared."""
    assert set(PRESENT) == set(deployed.resources)


def test_outputs_are_those_of_the_template(deployed: Provisioned) -> None:
    """But for those that an edge would have a say in."""
    text = {name: str(output) for name, output in document()["Outputs"].items()}
    edge = {name for name, output in text.items() if "EdgeDistribution" in output}
    assert set(deployed.outputs) == set(text) - edge


def test_rule_feeds_the_queue_of_the_stack(deployed: Provisioned) -> None:
    [target] = boto3.client("events").list_targets_by_rule(
        Rule=deployed.resources["RefreshSchedule"]
    )["Targets"]
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=deployed.resources["RebuildQueue"], AttributeNames=["QueueArn"]
    )
    assert target["Arn"] == queue["Attributes"]["QueueArn"]
