"""The direction of dependencies, and what the reader must not have to import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = {"boto3", "botocore", "requests", "urllib3", "tenacity"}
USE_CASES = ("lookup", "rebuild", "session", "settlement", "batch", "operations", "dead_letters")
HEAVY = ("requests", "pydantic", "tenacity", "aws_xray_sdk")
HEAVY_POWERTOOLS = ("parameters", "idempotency", "batch", "parser")


def imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def offenders(paths: list[Path], *forbidden: str) -> Iterator[str]:
    for path in paths:
        for name in imports(path):
            if any(name == prefix or name.startswith(f"{prefix}.") for prefix in forbidden):
                yield f"{path.relative_to(ROOT)} imports {name}"


def test_only_adapters_know_boto3_and_http() -> None:
    inner = [path for path in files("core") if "adapters" not in path.parts]
    assert list(offenders([*inner, *files("handlers")], *OUTSIDE)) == []


def test_core_knows_no_handler() -> None:
    assert list(offenders(files("core"), "handlers", "aws_lambda_powertools")) == []


def test_use_cases_know_no_adapter() -> None:
    inner = [path for path in files("core") if "adapters" not in path.parts]
    assert list(offenders(inner, "core.adapters")) == []


def test_only_composition_roots_know_adapters() -> None:
    others = [path for path in files("handlers") if "wiring" not in path.parts]
    assert list(offenders(others, "core.adapters")) == []


def test_rules_know_no_use_case() -> None:
    rules = [
        path for path in files("core") if path.parent.name == "core" and path.stem not in USE_CASES
    ]
    assert list(offenders(rules, *(f"core.{name}" for name in USE_CASES))) == []


def test_adapters_know_ports_errors_and_values_only() -> None:
    adapters = [path for path in files("core") if "adapters" in path.parts]
    assert list(offenders(adapters, *(f"core.{name}" for name in USE_CASES))) == []


def test_only_composition_roots_read_the_environment() -> None:
    others = [path for path in [*files("core"), *files("handlers")] if "wiring" not in path.parts]
    assert list(offenders(others, "os")) == []


def test_nothing_that_is_deployed_knows_the_local_stack_the_tools_or_the_tests() -> None:
    assert list(offenders([*files("core"), *files("handlers")], "local", "tools", "tests")) == []


@pytest.mark.parametrize("module", ["handlers.reader", "handlers.worker", "handlers.admin"])
def test_handler_makes_no_client_and_reads_no_setting_when_it_is_imported(module: str) -> None:
    script = f"import botocore.session as s; s.Session.create_client = None; import {module}"
    _python(script)


def test_reader_imports_nothing_that_only_others_need() -> None:
    loaded = _python("import sys, handlers.reader; print('\\n'.join(sys.modules))").split()
    heavy = [name for name in loaded if name.split(".")[0] in HEAVY]
    features = [f"aws_lambda_powertools.utilities.{name}" for name in HEAVY_POWERTOOLS]
    heavy += [name for name in loaded if name in features]
    assert heavy == []


def _python(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
