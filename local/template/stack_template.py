"""template.yaml as the local stack reads it: the one source of routes, code, queues, schedule."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.template import parameters as template_parameters

DEFAULT_TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
ANY_METHOD = "x-amazon-apigateway-any-method"
HTTP_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
PSEUDO_PARAMETERS = {"AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")

# All that the translator asks of a session: a region, which tells AWS's partition.
_SESSION = SimpleNamespace(region_name="us-east-1")
# It warns of features of its own that it was not given.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


class TemplateError(ValueError):
    """The template is missing, cannot be read, or was given parameters that do not fit it."""


@dataclass(frozen=True)
class Route:
    """A method of a path of the API; `method` is in lower case, `any` stands for all of them."""

    path: str
    method: str
    function: str
    requires_iam: bool


@dataclass(frozen=True)
class EventSource:
    """A queue that feeds a function, both by logical id."""

    function: str
    queue: str
    batch_size: int
    reports_item_failures: bool


@dataclass(frozen=True)
class StackTemplate:
    """The translated template, and what the parts of the stack need to know of it."""

    resources: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any]
    parameters: Mapping[str, str]
    code_roots: Mapping[str, Path]
    """The folder that holds each function's code, by logical id."""

    def of_type(self, resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Logical id and properties of every resource of a CloudFormation type."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == resource_type:
                yield logical_id, resource.get("Properties", {})

    @property
    def api(self) -> Mapping[str, Any]:
        """The API's description (OpenAPI with API Gateway's extensions); empty without one."""
        bodies = (api.get("Body", {}) for _, api in self.of_type("AWS::ApiGateway::RestApi"))
        return next(bodies, {})

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route that leads to a function."""
        return tuple(
            route
            for path, methods in self.api.get("paths", {}).items()
            for route in _routes_of(path, methods)
        )

    @property
    def gateway_responses(self) -> Mapping[str, Mapping[str, Any]]:
        """What the API answers itself instead of API Gateway's own words, by response type."""
        found: Mapping[str, Any] = self.api.get("x-amazon-apigateway-gateway-responses", {})
        return {kind: {**own, "responseTemplates": self._texts(own)} for kind, own in found.items()}

    def _texts(self, response: Mapping[str, Any]) -> dict[str, str]:
        templates = response.get("responseTemplates", {})
        return {media: str(self.plain(text)) for media, text in templates.items()}

    @property
    def stage(self) -> str:
        """The API's stage, as the events name it."""
        for _, properties in self.of_type("AWS::ApiGateway::Stage"):
            return str(self.plain(properties["StageName"]))
        return "Prod"

    @property
    def event_sources(self) -> tuple[EventSource, ...]:
        """The queues that feed functions; disabled ones are left out."""
        return tuple(
            EventSource(
                function=_logical_id(mapping["FunctionName"]),
                queue=_logical_id(mapping["EventSourceArn"]),
                batch_size=int(self.plain(mapping.get("BatchSize", 10))),
                reports_item_failures="ReportBatchItemFailures"
                in mapping.get("FunctionResponseTypes", ()),
            )
            for _, mapping in self.of_type("AWS::Lambda::EventSourceMapping")
            if str(self.plain(mapping.get("Enabled", True))).lower() == "true"
        )

    def plain(self, value: Any) -> Any:
        """The value itself, that of the parameter it refers to, or a text with those put in."""
        if isinstance(value, Mapping) and "Ref" in value:
            return self.parameters[value["Ref"]]
        if isinstance(value, Mapping) and "Fn::Sub" in value:
            names = {**PSEUDO_PARAMETERS, **self.parameters}
            return _PLACEHOLDER.sub(lambda found: names[found[1]], value["Fn::Sub"])
        return value


def load(
    path: Path, parameters: Mapping[str, str], defaults: Mapping[str, str] | None = None
) -> StackTemplate:
    """Read and translate the template at the path.

    `parameters` must be declared and allowed; `defaults` stand in for the template's own, where it
    has such parameters. Raises TemplateError.
    """
    document = _read(path)
    try:
        values = template_parameters.resolve(
            document.get("Parameters", {}), parameters, defaults or {}
        )
    except template_parameters.ParameterError as exc:
        raise TemplateError(str(exc)) from exc
    code_roots = _take_code(document, path.resolve().parent)
    try:
        translated = Translator({}, Parser(), boto_session=_SESSION).translate(document, values)
    except InvalidDocumentException as exc:
        causes = "; ".join(str(cause.message) for cause in exc.causes)
        raise TemplateError(f"{path} is no valid SAM template: {causes or exc.message}") from exc
    return StackTemplate(translated["Resources"], translated, values, code_roots)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml_parse(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise TemplateError(f"there is no template at {path}") from exc
    except OSError as exc:
        raise TemplateError(f"the template {path} cannot be read: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise TemplateError(f"{path} is no YAML: {exc}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path} is no template: it has no Resources")
    return document


def _take_code(document: dict[str, Any], base: Path) -> dict[str, Path]:
    """Note where each function's code is, and put in its place what the translator wants."""
    common = document.get("Globals", {}).get("Function", {}).pop("CodeUri", ".")
    roots = {}
    for logical_id, resource in document["Resources"].items():
        if resource.get("Type") != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        roots[logical_id] = (base / str(properties.get("CodeUri", common))).resolve()
        # The translator accepts uploaded code only; the code itself runs from the folder.
        properties["CodeUri"] = {"Bucket": "local", "Key": logical_id}
    return roots


def _routes_of(path: str, methods: Mapping[str, Any]) -> Iterator[Route]:
    for method, definition in methods.items():
        if method not in (ANY_METHOD, *HTTP_METHODS):
            continue
        integration = definition.get("x-amazon-apigateway-integration", {})
        function = re.search(r"\$\{(\w+)\.Arn\}", str(integration.get("uri", "")))
        if function:
            yield Route(
                path,
                "any" if method == ANY_METHOD else method,
                function[1],
                any("AWS_IAM" in scheme for scheme in definition.get("security", ())),
            )


def _logical_id(reference: Any) -> str:
    """The resource that a Ref or GetAtt points to."""
    target = reference.get("Ref") or reference["Fn::GetAtt"]
    return str(target if isinstance(target, str) else target[0])
