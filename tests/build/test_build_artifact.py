"""The script that builds the artifact: what it refuses, and that it leaves nothing half done."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.build.conftest import ROOT, Run


@pytest.fixture
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "build_artifact", ROOT / "tools" / "build_artifact.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_python_that_is_not_the_runtime_is_refused(builder: ModuleType) -> None:
    with pytest.raises(builder.BuildError, match=r"compiled by Python 3\.13, and this is 3\.12"):
        builder.require_runtime((3, 12))


def test_packages_that_cannot_be_had_fail_and_leave_the_earlier_artifact(
    script: Run, tmp_path: Path
) -> None:
    requirements, earlier = tmp_path / "requirements.txt", tmp_path / "function"
    requirements.write_text("./nowhere.whl --hash=sha256:" + "0" * 64)
    earlier.mkdir()
    done = script("build_artifact.py", requirements, earlier)
    assert done.returncode == 1
    assert "pip could not install the locked packages" in done.stderr
    assert earlier.is_dir()


def test_packages_without_a_hash_are_refused(script: Run, tmp_path: Path) -> None:
    requirements, wheel = tmp_path / "requirements.txt", tmp_path / "package-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    requirements.write_text(f"package @ {wheel.as_uri()}")
    done = script("build_artifact.py", requirements, tmp_path / "function")
    assert done.returncode == 1
    assert "Hashes are required" in done.stderr
    assert not (tmp_path / "function").exists()


@pytest.mark.parametrize("is_complete", [True, False])
def test_descriptions_of_other_services_go_and_ours_must_be_there(
    builder: ModuleType, tmp_path: Path, is_complete: bool
) -> None:
    services = builder.AWS_SERVICES if is_complete else builder.AWS_SERVICES - {"sqs"}
    for service in services | {"ec2"}:
        (tmp_path / service).mkdir()
    (tmp_path / "endpoints.json").touch()
    if is_complete:
        builder.keep_services(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == services | {"endpoints.json"}
    else:
        with pytest.raises(builder.BuildError, match="describes no sqs"):
            builder.keep_services(tmp_path)


def test_a_module_that_cannot_be_compiled_fails_the_build(
    builder: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(builder.BuildError, match="could not be compiled"):
        builder.compile_modules(tmp_path)
