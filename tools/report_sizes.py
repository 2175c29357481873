"""Print the size of each function's artifact, as it lies and as a zip.

    report_sizes.py BUILD_FOLDER

Lambda takes 250 MB unzipped; the time of a cold start grows with the zip. 1 MB is 10^6 bytes.
"""

import argparse
import io
import pathlib
import sys
import zipfile
from collections.abc import Iterable, Iterator


def main() -> int:
    """Print the table; returns the exit code."""
    arguments = argparse.ArgumentParser(description="Print the size of each artifact.")
    arguments.add_argument("folder", type=pathlib.Path)
    folder = arguments.parse_args().folder
    artifacts = sorted(path for path in folder.glob("*") if path.is_dir())
    if not artifacts:
        sys.stderr.write(f"report_sizes: there is no artifact in {folder}; make build makes them\n")
        return 1
    rows = ((path.name, unzipped_bytes(path), zipped_bytes(path)) for path in artifacts)
    print("\n".join(table(rows)))  # noqa: T201 - its purpose
    return 0


def table(rows: Iterable[tuple[str, int, int]]) -> Iterator[str]:
    """Yield the table's lines; a row is a name, the bytes unzipped, and the bytes zipped."""
    yield f"{'Function':<20}{'unzipped':>12}{'zipped':>12}{'ratio':>8}"
    for name, unzipped, zipped in rows:
        yield f"{name:<20}{megabytes(unzipped):>12}{megabytes(zipped):>12}{zipped / unzipped:>8.2f}"


def megabytes(size: int) -> str:
    """Write a number of bytes as megabytes."""
    return f"{size / 1e6:.1f} MB"


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the files below a folder, in order."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def unzipped_bytes(folder: pathlib.Path) -> int:
    """Return the size of the files below a folder."""
    return sum(path.stat().st_size for path in files(folder))


def zipped_bytes(folder: pathlib.Path) -> int:
    """Return the size of a zip of the folder, as it is uploaded."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(folder):
            archive.write(path, path.relative_to(folder))
    return buffer.tell()


if __name__ == "__main__":
    sys.exit(main())
