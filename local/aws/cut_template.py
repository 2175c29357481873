"""What moto's CloudFormation cannot carry, and how the translated template is cut down to it."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.parsing import get_model_map

from local.aws.gaps import fifo_queue_name, function_code, key_policy, rest_api
from local.template.stack_template import StackTemplate

# Resources that are left out, and why. A type that moto does not know at all is left out, too.
LEFT_OUT = {
    "AWS::ApiGateway::Deployment": "fails in moto; the gateway routes by the template itself",
    "AWS::ApiGateway::Stage": "follows its deployment",
    "AWS::CloudWatch::Alarm": "moto makes none from a template, and no metric would feed it",
    "AWS::CloudFront::Distribution": "there is no edge in front of the local API",
    "AWS::Lambda::EventSourceMapping": "moto's needs Docker or swallows messages; the poller polls",
    "AWS::Lambda::Permission": "the gateway and the poller invoke without asking IAM",
    "AWS::S3::BucketPolicy": "moto ignores conditions, so 'deny what is no TLS' would deny all",
    "AWS::SQS::QueuePolicy": "moto ignores conditions, so 'deny what is no TLS' would deny all",
}
# Properties that moto drops from resources which it makes, and why the local stack can do without.
IGNORED_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "AWS::ApiGateway::RestApi": {
        "Body": "the gateway takes routes and answers from the template itself",
        "EndpointConfiguration": "the gateway listens on this machine",
        "Parameters": "they say the same as the endpoint's configuration",
    },
    "AWS::KMS::Key": {
        "KeyPolicy": "moto's own allows everything; with this one it fails when described"
    },
    "AWS::Lambda::Function": {
        "Architectures": "the code runs on this machine's processor",
        "Code": "the code runs from the working tree",
        "LoggingConfig": "each function writes to a file of its own",
        "Tags": "SAM's mark says nothing here",
        "TracingConfig": "nothing traces",
    },
    "AWS::S3::Bucket": {"LifecycleConfiguration": "moto expires nothing"},
    "AWS::SQS::Queue": {"RedriveAllowPolicy": "moto does not ask whose letters a queue takes"},
}
SUB_VARIABLE = re.compile(r"\$\{(\w+)(?:\.[\w.]+)?\}")
UNKNOWN_TYPE = "moto's CloudFormation does not know this type"


CHANGED: Mapping[str, Callable[[str, dict[str, Any]], None]] = {
    "AWS::ApiGateway::RestApi": rest_api.change,
    "AWS::KMS::Key": key_policy.change,
    "AWS::Lambda::Function": function_code.change,
    "AWS::SQS::Queue": fifo_queue_name.change,
}


@dataclass(frozen=True)
class CutTemplate:
    """A template that moto can make a stack of, and what had to be left out of it."""

    document: dict[str, Any]
    left_out: Mapping[str, str]
    """Reasons by logical id, and by `{logical id}.{property}` for what moto drops of a resource."""


def cut_down(template: StackTemplate) -> CutTemplate:
    """The part of the template that moto can carry.

    References to what was left out become its logical id, so that the rest still resolves;
    outputs that speak of it are left out as well.
    """
    document = copy.deepcopy(dict(template.document))
    left_out = {
        logical_id: reason
        for logical_id, resource in template.resources.items()
        if (reason := _reason(resource["Type"]))
    }
    document["Resources"] = {
        logical_id: _cut_resource(logical_id, resource, left_out)
        for logical_id, resource in document["Resources"].items()
        if logical_id not in left_out
    }
    document["Outputs"] = {
        name: output
        for name, output in document.get("Outputs", {}).items()
        if _without_references(output, left_out) == output
    }
    return CutTemplate(document, left_out | _ignored(template, left_out))


def _ignored(template: StackTemplate, left_out: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{logical_id}.{name}": reason
        for logical_id, resource in template.resources.items()
        if logical_id not in left_out
        for name, reason in IGNORED_PROPERTIES.get(resource["Type"], {}).items()
        if name in resource.get("Properties", {})
    }


def _reason(resource_type: str) -> str | None:
    if resource_type in LEFT_OUT:
        return LEFT_OUT[resource_type]
    return None if resource_type in get_model_map() else UNKNOWN_TYPE


def _cut_resource(
    logical_id: str, resource: dict[str, Any], left_out: Mapping[str, str]
) -> dict[str, Any]:
    if resource["Type"] in CHANGED:
        CHANGED[resource["Type"]](logical_id, resource.setdefault("Properties", {}))
    # moto makes a resource when another one refers to it; the rest may come in any order.
    resource.pop("DependsOn", None)
    resource["Properties"] = _without_references(resource.get("Properties", {}), left_out)
    return resource


def _target(value: dict[str, Any]) -> str | None:
    """The logical id that a Ref or a GetAtt points to; None for anything else."""
    pointer = value.get("Ref") or value.get("Fn::GetAtt")
    if isinstance(pointer, list):
        return str(pointer[0])
    return pointer.split(".")[0] if isinstance(pointer, str) else None


def _without_references(value: Any, left_out: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_without_references(item, left_out) for item in value]
    if isinstance(value, str):
        return SUB_VARIABLE.sub(
            lambda variable: variable[1] if variable[1] in left_out else variable[0], value
        )
    if not isinstance(value, dict):
        return value
    target = _target(value)
    if target in left_out:
        return target
    return {key: _without_references(item, left_out) for key, item in value.items()}
