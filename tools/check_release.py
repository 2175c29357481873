"""Refuse a tag that is no release: run before anything is built or published.

    check_release.py TAG [--template FILE]

The tag is a version, equals the template's SemanticVersion, and is higher than every version that
was tagged before. Exit code 0: it may be released; 1: it may not, and stderr says why. Needs only
Python and git, and a clone that holds the tags.
"""

import argparse
import pathlib
import re
import subprocess
import sys

VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
SEMANTIC_VERSION = re.compile(r"^ +SemanticVersion: *[\"']?([^\"'#\s]+)", re.MULTILINE)

Version = tuple[int, ...]


class ReleaseRefusedError(Exception):
    """The tag must not be released; the text says why and what to do."""


def main() -> int:
    """Check the tag; returns the exit code."""
    arguments = argparse.ArgumentParser(description="Refuse a tag that is no release.")
    arguments.add_argument("tag", metavar="TAG")
    arguments.add_argument("--template", type=pathlib.Path, default=pathlib.Path("template.yaml"))
    given = arguments.parse_args()
    try:
        check(given.tag, given.template)
    except ReleaseRefusedError as exc:
        sys.stderr.write(f"check_release: {exc}\n")
        return 1
    return 0


def check(tag: str, template: pathlib.Path) -> None:
    """Raise ReleaseRefusedError unless the tag may be released."""
    version = parse(tag)
    if version is None:
        raise ReleaseRefusedError(f"the tag {tag} is no version; write three numbers, as in 1.2.3")
    written = semantic_version(template)
    if written != tag:
        raise ReleaseRefusedError(
            f"the tag {tag} differs from {template}, whose SemanticVersion is {written}; tag the "
            "commit that sets it"
        )
    if (highest := max(earlier_versions(tag, template.parent), default=version)) > version:
        raise ReleaseRefusedError(
            f"{tag} is not higher than {'.'.join(map(str, highest))}, which was released before; "
            f"raise SemanticVersion in {template}"
        )


def parse(tag: str) -> Version | None:
    """Return a version as numbers; None for what is no version."""
    found = VERSION.fullmatch(tag)
    return tuple(map(int, found.groups())) if found else None


def semantic_version(template: pathlib.Path) -> str:
    """Return what the template says; raises ReleaseRefusedError if it says nothing."""
    try:
        text = template.read_text(encoding="utf-8")
    except OSError as exc:
        raise ReleaseRefusedError(f"{template} cannot be read: {exc.strerror}") from exc
    found = SEMANTIC_VERSION.search(text)
    if not found:
        raise ReleaseRefusedError(f"{template} has no SemanticVersion")
    return found[1]


def earlier_versions(tag: str, repository: pathlib.Path) -> list[Version]:
    """Return the versions among the repository's other tags."""
    command = ["git", "-C", str(repository), "tag", "--list"]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if listed.returncode:
        raise ReleaseRefusedError(f"git cannot list the tags: {listed.stderr.strip()}")
    versions = (parse(other) for other in listed.stdout.split() if other != tag)
    return [version for version in versions if version is not None]


if __name__ == "__main__":
    sys.exit(main())
