"""Build what the functions run: their code and the locked packages, compiled for the runtime.

    build_artifact.py REQUIREMENTS DESTINATION

The packages come as pure-Python wheels only. So the artifact is the same on every machine, what the
tests import is what is deployed, and it runs on any architecture. The same input gives the same
bytes, times of files included, so that an unchanged artifact is not uploaded again.
"""

import argparse
import compileall
import os
import pathlib
import py_compile
import shutil
import subprocess
import sys

RUNTIME = (3, 13)
SOURCES = ("core", "handlers")
TASK_ROOT = "/var/task"
"""Where Lambda unpacks an artifact; tracebacks name files below it."""

AWS_SERVICES = frozenset({"cloudfront", "s3", "sqs", "ssm"})
"""The services of which botocore keeps its descriptions: all of them are two thirds of a zip."""

EPOCH_SECONDS = 315532800  # 1980-01-01, the first day that a zip can tell
JUNK = ("bin", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")
"""Scripts, and notes of the installation, which differ from machine to machine."""


class BuildError(Exception):
    """The artifact cannot be built; the text says why."""


def main() -> int:
    """Build it; returns the exit code."""
    arguments = argparse.ArgumentParser(description="Build what the functions run.")
    arguments.add_argument("requirements", type=pathlib.Path)
    arguments.add_argument("destination", type=pathlib.Path)
    given = arguments.parse_args()
    try:
        build(given.requirements, given.destination)
    except BuildError as exc:
        sys.stderr.write(f"build_artifact: {exc}\n")
        return 1
    return 0


def build(requirements: pathlib.Path, destination: pathlib.Path) -> None:
    """Make the destination anew; an earlier one stays until the new one is complete."""
    require_runtime(sys.version_info[:2])
    unfinished = destination.with_name(destination.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    install_packages(requirements, unfinished)
    copy_sources(pathlib.Path(__file__).parents[1], unfinished)
    keep_services(unfinished / "botocore" / "data")
    compile_modules(unfinished)
    normalise(unfinished)
    shutil.rmtree(destination, ignore_errors=True)
    unfinished.rename(destination)


def require_runtime(version: tuple[int, ...]) -> None:
    """Raise BuildError unless this is the Python that the functions run on."""
    if version != RUNTIME:
        wanted, found = (".".join(map(str, numbers)) for numbers in (RUNTIME, version))
        raise BuildError(f"modules must be compiled by Python {wanted}, and this is {found}")


def install_packages(requirements: pathlib.Path, target: pathlib.Path) -> None:
    """Install exactly the locked packages; raises BuildError if one of them cannot be had."""
    version = ".".join(map(str, RUNTIME))
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"]
    command += ["--platform=any", "--implementation=py", "--abi=none"]
    command += [
        f"--python-version={version}",
        f"--requirement={requirements}",
        f"--target={target}",
    ]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own arguments
        raise BuildError(
            "pip could not install the locked packages (see above); each needs a pure-Python wheel"
        )
    for pattern in JUNK:
        for path in target.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def copy_sources(root: pathlib.Path, target: pathlib.Path) -> None:
    """Copy the code of the functions, without what Python leaves beside it."""
    for name in SOURCES:
        shutil.copytree(
            root / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )


def keep_services(descriptions: pathlib.Path) -> None:
    """Drop the descriptions of other services; raises BuildError if one of ours is absent."""
    present = {path.name for path in descriptions.iterdir() if path.is_dir()}
    if absent := AWS_SERVICES - present:
        raise BuildError(f"botocore describes no {', '.join(sorted(absent))}")
    for name in present - AWS_SERVICES:
        shutil.rmtree(descriptions / name)


def compile_modules(target: pathlib.Path) -> None:
    """Compile every module; what is loaded is never checked against its source again."""
    complete = compileall.compile_dir(
        target,
        maxlevels=sys.maxsize,
        stripdir=str(target),
        prependdir=TASK_ROOT,
        quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not complete:
        raise BuildError("a module could not be compiled (see above)")


def normalise(target: pathlib.Path) -> None:
    """Give everything one time, and modes that Lambda's user can read."""
    for folder, _, names in os.walk(target, topdown=False):
        for name in names:
            _settle(pathlib.Path(folder, name), 0o644)
        _settle(pathlib.Path(folder), 0o755)


def _settle(path: pathlib.Path, mode: int) -> None:
    path.chmod(mode)
    os.utime(path, (EPOCH_SECONDS, EPOCH_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
