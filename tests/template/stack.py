"""The template as CloudFormation would see it: SAM expanded, parameters and conditions decided.

What only a deployment can know stays as a placeholder: `!Ref RebuildQueue` reads `${RebuildQueue}`,
`!GetAtt RebuildQueue.Arn` reads `${RebuildQueue.Arn}`.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.template.stack_template import DEFAULT_TEMPLATE as TEMPLATE
from local.template.stack_template import load

REQUIRED = {"MipOrganization": "Example"}

_ABSENT = object()


@functools.cache
def document() -> dict[str, Any]:
    """Return the template as it is written; tests share it and leave it as it is."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


FUNCTIONS, ROLES = (
    [name for name, resource in document()["Resources"].items() if resource["Type"] == kind]
    for kind in ("AWS::Serverless::Function", "AWS::IAM::Role")
)


class Stack:
    """A translated template in which every parameter and condition has been decided."""

    def __init__(self, **parameters: str) -> None:
        # As defaults, the parameters may be what no pattern allows.
        loaded = load(TEMPLATE, {}, REQUIRED | parameters)
        self._template, self._parameters = loaded.document, loaded.parameters
        self.resources, self.outputs = map(self._existing, ("Resources", "Outputs"))

    def refused(self) -> bool:
        """Tell whether one of the template's rules refuses the parameters."""
        return any(
            self._render(rule["RuleCondition"])
            and not all(self._render(assertion["Assert"]) for assertion in rule["Assertions"])
            for rule in self._template["Rules"].values()
        )

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

    def _existing(self, section: str) -> dict[str, Any]:
        return {
            name: self._render(part)
            for name, part in self._template[section].items()
            if "Condition" not in part or self._holds(part["Condition"])
        }

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
        known = {**self._parameters, **self._render(values)}
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
        first, second = map(self._render, argument)
        return str(first) == str(second)

    def _eachmemberequals(self, argument: list[Any]) -> bool:
        members, wanted = map(self._render, argument)
        return all(member == wanted for member in members)

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
