"""The direction of dependencies, and what the reader must not have to import."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = {"boto3", "botocore", "requests", "urllib3", "tenacity"}
USE_CASES = ("reading", "rebuilding", "operating")
"""Rooms of `core` that stand beside each other."""
LOCAL_ROOMS = (
    {"standard_error", "__init__"},
    {"loopback"},
    {"template", "mip"},
    {"aws"},
    {"functions"},
    {"gateway", "triggers"},
    {"control_room"},
    {"stack"},
    {"cli"},
    {"__main__"},
)
"""From what everything may import to what nothing may import."""
HEAVY = ("requests", "pydantic", "tenacity", "aws_xray_sdk")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
SDK_CLIENTS = ("boto3", "botocore.client", "botocore.session", "botocore.credentials")
"""What makes an SDK client; the reader signs and sends without one, and starts sooner for it."""
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


def core(*rooms: str) -> list[Path]:
    """Return the files in these folders of `core`; "" stands for what lies beside the folders."""
    return [path for path in files("core") if room(path) in rooms]


def room(path: Path) -> str:
    return path.relative_to(ROOT / "core").parts[0] if path.parent.name != "core" else ""


def modules(*rooms: str) -> list[str]:
    return [f"core.{name}" for name in rooms]


HANDLERS = files("handlers")
COMPOSITION_ROOTS = [path for path in HANDLERS if "wiring" in path.parts]
OTHER_HANDLERS = [path for path in HANDLERS if path not in COMPOSITION_ROOTS]
OUTER = modules("ports", "settings", "adapters", *USE_CASES)
INNER = core("", "model", "transform", *USE_CASES)
RULES: dict[str, tuple[list[Path], Iterable[str]]] = {
    "only adapters know boto3 and HTTP": (INNER + HANDLERS, OUTSIDE),
    "core knows no handler": (files("core"), ["handlers", "aws_lambda_powertools"]),
    "the model knows nothing outside": (core("model"), ["core.transform", *OUTER]),
    "transformations know nothing outside": (core("transform"), OUTER),
    **{
        f"{use_case} knows no adapter and no other use case": (
            core(use_case),
            modules("adapters", *(other for other in USE_CASES if other != use_case)),
        )
        for use_case in USE_CASES
    },
    "adapters and ports know no use case": (core("", "adapters"), modules(*USE_CASES)),
    "only composition roots know adapters": (OTHER_HANDLERS, ["core.adapters"]),
    "only composition roots read the environment": (files("core") + OTHER_HANDLERS, ["os"]),
    "what is deployed knows nothing else": (files("core") + HANDLERS, ["local", "tools", "tests"]),
}


@pytest.mark.parametrize(("importers", "forbidden"), RULES.values(), ids=RULES)
def test_imports_go_in_one_direction(importers: list[Path], forbidden: Iterable[str]) -> None:
    assert importers
    assert list(offenders(importers, *forbidden)) == []


def test_every_folder_of_core_is_a_room_that_these_rules_know() -> None:
    assert {room(path) for path in files("core")} == {
        *("", "model", "transform", "adapters"),
        *USE_CASES,
    }


def local_room(name: str) -> str:
    """Return the part of `local` that a module belongs to, such as `gateway` or `loopback`."""
    return name.split(".")[1]


def local_imports() -> Iterator[tuple[str, str]]:
    """Yield every pair of rooms of `local` of which one imports the other."""
    for path in files("local"):
        names = (name for name in imports(path) if name.startswith("local."))
        importer = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield from ((local_room(importer), local_room(name)) for name in names)


def test_every_room_of_the_local_stack_imports_only_what_stands_below_it() -> None:
    place = {room: level for level, rooms in enumerate(LOCAL_ROOMS) for room in rooms}
    circles = {(one, other) for one, other in local_imports() if place[one] <= place[other]}
    assert {pair for pair in circles if pair[0] != pair[1]} == set()


def test_the_stand_in_for_mip_can_stand_alone() -> None:
    known = {other for one, other in local_imports() if one == "mip"}
    assert known <= {"mip", "loopback", "standard_error"}


def test_only_what_knows_the_whole_stack_knows_the_stand_in() -> None:
    knowing = {one for one, other in local_imports() if other == "mip"}
    assert knowing <= {"cli", "stack", "control_room", "mip"}


@pytest.mark.parametrize("module", ["handlers.reader", "handlers.worker", "handlers.admin"])
def test_handler_makes_no_client_and_reads_no_setting_when_it_is_imported(module: str) -> None:
    script = f"import botocore.session as s; s.Session.create_client = None; import {module}"
    _python(script)


def test_reader_imports_nothing_that_only_others_need() -> None:
    """Neither when it is imported nor when it is built, as on Lambda."""
    environment = {"CACHE_BUCKET": "b", "REBUILD_QUEUE_URL": "https://sqs/q", **CREDENTIALS}
    build = f"import os, sys; os.environ |= {environment}; import handlers.reader as r; r.reader()"
    loaded = _python(f"{build}; print('\\n'.join(sys.modules))").split()
    heavy = [name for name in loaded if name.split(".")[0] in HEAVY]
    features = [f"aws_lambda_powertools.utilities.{name}" for name in HEAVY_POWERTOOLS]
    heavy += [name for name in loaded if name in features or name in SDK_CLIENTS]
    assert heavy == []


def _python(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
