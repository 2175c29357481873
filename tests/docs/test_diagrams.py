"""The committed pictures are those of the committed sources, and every one of them is shown."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIAGRAMS = ROOT / "docs" / "diagrams"
SOURCES = sorted(DIAGRAMS.glob("*.mmd"))
SUMS = DIAGRAMS / "rendered.sha256"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def noted() -> dict[str, str]:
    """Return the checksums of the last `make diagrams`, by file name."""
    lines = [line.split("  ") for line in SUMS.read_text().splitlines()]
    return {name: digest for digest, name in lines}


def test_pictures_were_rendered_from_the_sources_as_they_are() -> None:
    """Else `make diagrams` was forgotten, or a picture was edited by hand."""
    changed = [
        name
        for name, digest in noted().items()
        if hashlib.sha256((DIAGRAMS / name).read_bytes()).hexdigest() != digest
    ]
    assert changed == []


def test_every_source_has_been_rendered() -> None:
    files = {
        source.with_suffix(kind).name for source in SOURCES for kind in (".mmd", ".svg", ".png")
    }
    assert set(noted()) == files | {"mermaid.json"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_diagram_is_shown_on_a_page(source: Path) -> None:
    shown = [page for page in PAGES if f"diagrams/{source.stem}.svg)" in page.read_text()]
    assert shown


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_picture_shows_the_same_everywhere(source: Path) -> None:
    """On its own card, with nothing to load, and with text that needs no HTML renderer."""
    svg = source.with_suffix(".svg").read_text()
    assert '<rect x="1" y="1"' in svg.split("\n")[1]
    assert "foreignObject" not in svg
    assert re.findall(r"(?:href=|@import|url\()[\"']?(?:https?:|data:)", svg) == []


def test_missing_browser_is_told_with_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "render_diagrams.py"],
        capture_output=True,
        text=True,
        env={"PATH": "/nowhere"},
        check=False,
    )
    assert done.returncode == 1
    assert "no Chromium" in done.stderr
    assert "apt-get install chromium" in done.stderr
