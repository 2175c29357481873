"""The API description: valid, of the template's routes, and true of the running service."""

import functools
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers.routes import ROUTES
from local.stack import LocalStack
from tests.builders import NOW, make_reader_settings
from tests.template.stack import stack as template_stack

ROOT = Path(__file__).parents[2]
API_ID = re.compile(r"//[a-z0-9]+\.execute-api")
"""Each stack has an id of its own."""
OPENAPI = ROOT / "docs" / "openapi.yaml"
SIGNATURE = {
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    ),
    "X-Amz-Date": "20260101T000000Z",
}
REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<url>/\S*?)(?P<remark>, not signed|, Prefer: wait=0)?")


@functools.cache
def document() -> dict[str, Any]:
    return yaml.safe_load(OPENAPI.read_text())


def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference points to, or the part itself."""
    if "$ref" not in part:
        return part
    _, *names = part["$ref"].split("/")
    return functools.reduce(lambda found, name: found[name], names, document())


@dataclass(frozen=True)
class Example:
    """An answer that the description shows, and the request that it names."""

    request: str
    status: str
    media_type: str
    value: Any


def examples() -> Iterator[Example]:
    """Yield every example of an answer once, in the order of the routes."""
    seen = set()
    for operations in document()["paths"].values():
        for status, response in operations["get"]["responses"].items():
            for media_type, content in resolved(response).get("content", {}).items():
                for shown in content.get("examples", {}).values():
                    if shown["summary"] not in seen:
                        seen.add(shown["summary"])
                        yield Example(shown["summary"], status, media_type, shown["value"])


def ask(stack: LocalStack, request: str) -> requests.Response:
    found = REQUEST.fullmatch(request)
    assert found, f"{request} is no request"
    is_signed = found["url"].startswith("/balances") and found["remark"] != ", not signed"
    headers = dict(SIGNATURE) if is_signed else {}
    if found["remark"] == ", Prefer: wait=0":
        headers["Prefer"] = "wait=0"
    url = stack.api_url + found["url"]
    return requests.request(found["method"], url, headers=headers, timeout=40)


def test_description_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_description_has_the_routes_of_the_reader_and_says_which_need_a_signature() -> None:
    """As the template does: `tests/template/test_api.py`."""
    signed = {path: "security" in item["get"] for path, item in document()["paths"].items()}
    known = {path: not route.is_public for path, route in ROUTES.items()}
    assert signed == known | {"/{proxy}": False}


def test_description_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert document()["info"]["version"] == project["version"]


class Asked(dict[str, str]):
    """Parameters that note which of them somebody wants to know."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return False

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


@pytest.mark.parametrize("path", ROUTES)
def test_route_reads_just_the_parameters_that_are_described(path: str) -> None:
    asked = Asked()
    ROUTES[path].parse(asked, NOW, make_reader_settings())
    parameters = map(resolved, document()["paths"][path]["get"]["parameters"])
    described = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    assert described == asked.names


@pytest.mark.parametrize(
    "example",
    [example for example in examples() if "API Gateway" not in example.request],
    ids=lambda example: example.request,
)
def test_example_is_what_the_local_stack_answers(stack: LocalStack, example: Example) -> None:
    response = ask(stack, example.request)
    assert str(response.status_code) == example.status
    assert response.headers["Content-Type"].split(";")[0] == example.media_type
    if example.media_type == "text/csv":
        assert response.content.decode().startswith(example.value)
    else:
        # As text, because the order counts too.
        answer = API_ID.sub("//a1b2c3d4e5.execute-api", json.dumps(response.json()))
        assert answer == json.dumps(example.value)


def test_examples_of_the_gateways_own_answers_are_the_templates() -> None:
    answers = template_stack().properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    shown = {e.request.removeprefix("API Gateway's "): e.value for e in examples()}
    for name in ("THROTTLED", "DEFAULT_5XX"):
        assert json.loads(answers[name]["responseTemplates"]["application/json"]) == shown[name]
    assert set(answers) & set(shown) == {"THROTTLED", "DEFAULT_5XX"}


def test_schemathesis_finds_nothing(stack: LocalStack, tmp_path: Path) -> None:
    """Requests right and wrong, as the description has them, against the local gateway."""
    program = Path(sys.executable).with_name("schemathesis")
    options = ["--no-color", "--config-file", Path(__file__).with_name("schemathesis.toml")]
    done = subprocess.run(
        [program, *options, "run", OPENAPI, "--url", stack.api_url],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: +5\b", done.stdout)
