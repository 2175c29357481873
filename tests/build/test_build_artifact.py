"""The script that builds the artifact: what it refuses, and that it leaves nothing half done."""

from pathlib import Path

import pytest

from tests.build.conftest import script
from tools import build_artifact as builder


def describe(folder: Path, services: set[str]) -> None:
    """Make a folder of service descriptions."""
    for service in services:
        (folder / service).mkdir()
    (folder / "endpoints.json").write_text("{}")


def test_a_python_that_is_not_the_runtime_is_refused() -> None:
    with pytest.raises(builder.BuildError, match=r"compiled by Python 3\.13, and this is 3\.12"):
        builder.require_runtime((3, 12))


def test_packages_that_cannot_be_had_fail_and_leave_the_earlier_artifact(tmp_path: Path) -> None:
    requirements, earlier = tmp_path / "requirements.txt", tmp_path / "function"
    requirements.write_text("./nowhere.whl --hash=sha256:" + "0" * 64)
    earlier.mkdir()
    done = script("build_artifact.py", requirements, earlier)
    assert done.returncode == 1
    assert "pip could not install the locked packages" in done.stderr
    assert earlier.is_dir()


def test_packages_without_a_hash_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    requirements, wheel = tmp_path / "requirements.txt", tmp_path / "package-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    requirements.write_text(f"package @ {wheel.as_uri()}")
    with pytest.raises(builder.BuildError):
        builder.build(requirements, tmp_path / "function")
    assert "Hashes are required" in capfd.readouterr().err
    assert not (tmp_path / "function").exists()


def test_descriptions_of_other_services_go(tmp_path: Path) -> None:
    describe(tmp_path, {*builder.AWS_SERVICES, "ec2"})
    builder.keep_services(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == builder.AWS_SERVICES | {"endpoints.json"}


def test_a_service_that_botocore_no_longer_describes_is_told(tmp_path: Path) -> None:
    describe(tmp_path, builder.AWS_SERVICES - {"sqs"})
    with pytest.raises(builder.BuildError, match="describes no sqs"):
        builder.keep_services(tmp_path)


def test_a_module_that_cannot_be_compiled_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(builder.BuildError, match="could not be compiled"):
        builder.compile_modules(tmp_path)
