"""What the artifact holds, and what it does not."""

import importlib.util
import json
import re
import stat
from pathlib import Path

import pytest

from tests.build.conftest import CODE, ROOT, tree

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""A .pyc that is loaded without a look at its source (PEP 552)."""

OTHERWISE_NAMED = {
    "python-dateutil": "dateutil",
    "six": "six.py",
    "typing-extensions": "typing_extensions.py",
}
LOCK = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))


def packages(artifact: Path) -> dict[str, str]:
    """Return the installed packages with their versions."""
    found = (re.fullmatch(r"(.+)-([^-]+)\.dist-info", path.name) for path in artifact.iterdir())
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


@pytest.mark.parametrize("name", CODE)
def test_code_is_in_the_artifact_as_it_is_here(artifact: Path, name: str) -> None:
    assert tree(artifact / name) == tree(ROOT / name)


def test_packages_are_exactly_the_locked_ones(artifact: Path) -> None:
    locked = {name: entry["version"].lstrip("=") for name, entry in LOCK["default"].items()}
    assert packages(artifact) == locked


def test_nothing_else_lies_at_the_top(artifact: Path) -> None:
    top = {path.name for path in artifact.iterdir() if not path.name.endswith(".dist-info")}
    modules = {OTHERWISE_NAMED.get(name, name.replace("-", "_")) for name in LOCK["default"]}
    assert top - {"__pycache__"} == modules | set(CODE)


def is_compiled(source: Path) -> bool:
    compiled = Path(importlib.util.cache_from_source(str(source)))
    start = compiled.read_bytes()[:8] if compiled.is_file() else b""
    return start == importlib.util.MAGIC_NUMBER + UNCHECKED_HASH


def test_every_module_is_compiled_for_the_runtime_and_never_checked(artifact: Path) -> None:
    sources = list(artifact.rglob("*.py"))
    assert len(sources) > 500
    assert [str(path) for path in sources if not is_compiled(path)] == []


def test_compiled_code_names_files_where_lambda_has_them(artifact: Path) -> None:
    [compiled] = (artifact / "handlers" / "__pycache__").glob("reader.*.pyc")
    assert b"/var/task/handlers/reader.py" in compiled.read_bytes()
    assert str(ROOT).encode() not in compiled.read_bytes()


def test_nothing_is_compiled_for_one_processor(artifact: Path) -> None:
    assert [path.name for path in artifact.rglob("*.so*")] == []


def test_lambda_may_read_everything(artifact: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in artifact.rglob("*")} == {0o644, 0o755}


def test_all_files_have_one_time_so_that_an_unchanged_artifact_is_the_same(artifact: Path) -> None:
    assert len({path.stat().st_mtime for path in artifact.rglob("*")}) == 1
