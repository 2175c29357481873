"""Makes the template's stack in the local AWS, with what moto's CloudFormation would drop."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.aws.cut_template import cut_down
from local.aws.gaps import bucket_settings
from local.aws.server import AwsServer
from local.template.stack_template import StackTemplate, TemplateError

STACK_NAME = "lambda-mips-api"


@dataclass(frozen=True)
class Provisioned:
    """What the stack consists of."""

    resources: Mapping[str, str]
    """Physical ids by logical id. A queue's is its URL, a function's is its name."""
    outputs: Mapping[str, str]
    left_out: Mapping[str, str]
    """What moto cannot carry, with the reasons; see `CutTemplate`."""


def provision(aws: AwsServer, template: StackTemplate) -> Provisioned:
    """Create the stack. Raises TemplateError if even the cut-down template cannot be created."""
    cut = cut_down(template)
    cloudformation = aws.client("cloudformation")
    parameters = [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in template.parameters.items()
    ]
    try:
        cloudformation.create_stack(
            StackName=STACK_NAME,
            TemplateBody=json.dumps(cut.document, default=str),
            Parameters=parameters,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    except ClientError as exc:
        raise TemplateError(f"the template's stack cannot be made: {exc}") from exc
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    resources = _resources(cloudformation)
    for logical_id, properties in template.of_type("AWS::S3::Bucket"):
        bucket_settings.complete(aws.client("s3"), resources[logical_id], properties)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return Provisioned(resources, outputs, cut.left_out)


def store_credentials(
    aws: AwsServer, path: str, key_id: str | None, user: str, password: str
) -> None:
    """Put MIP Cloud's user name and password where the worker looks for them."""
    key = {"KeyId": key_id} if key_id else {}
    for name, value in (("user", user), ("pass", password)):
        aws.client("ssm").put_parameter(
            Name=f"{path}/{name}", Value=value, Type="SecureString", Overwrite=True, **key
        )


def _resources(cloudformation: Any) -> dict[str, str]:
    listed = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {
        found["LogicalResourceId"]: found["PhysicalResourceId"]
        for found in listed
        # A resource whose condition does not hold is listed without anything.
        if "PhysicalResourceId" in found
    }
