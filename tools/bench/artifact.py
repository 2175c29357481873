"""The size of what the reader is deployed as, from what `make build` left."""

import tempfile
import zipfile
from pathlib import Path

from tools.bench.channel import Channel
from tools.bench.processes import ROOT

ARTIFACT = ROOT / ".aws-sam" / "build" / "ReaderFunction"
NO_BUILD = f"there is no {ARTIFACT.relative_to(ROOT)}; run make build first"


def incompleteness(artifact: Path) -> str | None:
    """Return what an artifact lacks of what a cold start needs; None where it is whole."""
    if not artifact.is_dir():
        return NO_BUILD
    if not (artifact / "botocore").is_dir():
        return f"{artifact.name} holds no SDK (botocore)"
    if next(artifact.rglob("*.pyc"), None) is None:
        return f"{artifact.name} holds no .pyc files"
    return None


def zipped_megabytes(folder: Path) -> float:
    """Return how large the zip of a folder is, in units of 10^6 bytes."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        return file.tell() / 1e6


def main() -> None:
    """Tell the size of the zip, or why there is none."""
    channel, _ = Channel.from_arguments()
    channel.begin(1)
    problem = incompleteness(ARTIFACT)
    if problem:
        channel.problem("zip", problem)
    else:
        channel.value("zip", zipped_megabytes(ARTIFACT))
    channel.step()


if __name__ == "__main__":
    main()
