"""The template as CloudFormation would see it: SAM expanded, parameters and conditions decided.

What only a deployment can know stays as a placeholder: `!Ref RebuildQueue` reads `${RebuildQueue}`,
`!GetAtt RebuildQueue.Arn` reads `${RebuildQueue.Arn}`.
"""

import copy
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
REQUIRED = {"MipOrganization": "Example"}
FUNCTIONS = ("ReaderFunction", "WorkerFunction", "AdminFunction")
ROLES = ("ReaderRole", "WorkerRole", "AdminRole")

_ABSENT = object()


@functools.cache
def _source() -> dict[str, Any]:
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def document() -> dict[str, Any]:
    """Return a copy of the template as it is written."""
    return copy.deepcopy(_source())


def translated(**parameters: str) -> dict[str, Any]:
    """Return plain CloudFormation, with the given parameters as the template's defaults."""
    source = document()
    for name, value in parameters.items():
        source["Parameters"][name]["Default"] = value
    # The translator wants code that is already uploaded.
    source["Globals"]["Function"]["CodeUri"] = {"Bucket": "code-bucket", "Key": "code.zip"}
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(source, dict(REQUIRED))


class Stack:
    """A translated template in which every parameter and condition has been decided."""

    def __init__(self, **parameters: str) -> None:
        self._template = translated(**parameters)
        defaults = {
            name: declared.get("Default", "")
            for name, declared in self._template["Parameters"].items()
        }
        self._parameters = defaults | REQUIRED | parameters
        self.resources: dict[str, Any] = {
            name: self._render(resource)
            for name, resource in self._template["Resources"].items()
            if self._exists(resource)
        }
        self.outputs: dict[str, Any] = {
            name: self._render(output)
            for name, output in self._template["Outputs"].items()
            if self._exists(output)
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of one resource."""
        return self.resources[name]["Properties"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of every resource of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return every statement of a role's policies, its own and those attached to it."""
        attached = [
            policy
            for policy in self.of_type("AWS::IAM::Policy").values()
            if f"${{{role}}}" in policy["Roles"]
        ]
        policies = self.properties(role)["Policies"] + attached
        return [entry for policy in policies for entry in policy["PolicyDocument"]["Statement"]]

    def grants(self, role: str) -> set[tuple[str, str]]:
        """Return every pair of action and resource that a role allows."""
        return {
            (action, resource)
            for statement in self.statements(role)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def _exists(self, part: Mapping[str, Any]) -> bool:
        return "Condition" not in part or self._holds(part["Condition"])

    def _holds(self, condition: str) -> bool:
        return self._render(self._template["Conditions"][condition])

    def _render(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._render, value) if item is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            intrinsic = getattr(self, "_" + name.removeprefix("Fn::").lower(), None)
            if intrinsic and (name == "Ref" or name.startswith("Fn::")):
                return intrinsic(argument)
        rendered = {key: self._render(item) for key, item in value.items()}
        return {key: item for key, item in rendered.items() if item is not _ABSENT}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name not in self._parameters:
            return f"${{{name}}}"
        if self._template["Parameters"][name]["Type"] == "CommaDelimitedList":
            return self._parameters[name].split(",")
        return self._parameters[name]

    def _getatt(self, path: list[str] | str) -> str:
        return f"${{{path if isinstance(path, str) else '.'.join(path)}}}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, values = (argument, {}) if isinstance(argument, str) else argument
        known = self._parameters | {key: self._render(item) for key, item in values.items()}
        filled = re.sub(r"\$\{([\w:.]+)\}", lambda match: str(known.get(match[1], match[0])), text)
        return filled.replace("${!", "${")

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self._render(then if self._holds(condition) else otherwise)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return separator.join(self._render(parts))

    def _split(self, argument: list[Any]) -> list[str]:
        separator, text = argument
        return self._render(text).split(separator)

    def _equals(self, argument: list[Any]) -> bool:
        first, second = argument
        return self._render(first) == self._render(second)

    def _not(self, argument: list[Any]) -> bool:
        return not self._render(argument[0])


@functools.cache
def stack(**parameters: str) -> Stack:
    """Return the stack that these parameters make; tests share it and leave it as it is."""
    return Stack(**parameters)


def edge_stack() -> Stack:
    """Return the stack with the edge cache, a certificate and two names."""
    return stack(
        EdgeCache="true",
        AcmCertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/0a1b",
        DnsNames="mips.example.org,books.example.org",
    )


def as_list(value: Any) -> list[Any]:
    """Return a policy's value, which may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def methods(template: Stack) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of everything that the API routes."""
    for path, operations in template.properties("Api")["Body"]["paths"].items():
        for method, operation in operations.items():
            yield path, method.replace("x-amazon-apigateway-any-method", "any"), operation
