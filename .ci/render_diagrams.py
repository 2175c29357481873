"""Render docs/diagrams/*.mmd to SVG and PNG, and note what each picture was rendered from.

Mermaid lays a diagram out in Chromium. Its picture is transparent and without a margin, so a card
is put behind it: dark lines on a dark page could not be read. The PNG is a screenshot of the SVG.
"""

import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIAGRAMS = ROOT / "docs" / "diagrams"
CONFIG = DIAGRAMS / "mermaid.json"
SUMS = DIAGRAMS / "rendered.sha256"
MMDC = ROOT / ".tools" / "node_modules" / ".bin" / "mmdc"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MARGIN = 24
PIXELS_PER_UNIT = 2
CARD = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">
<rect x="1" y="1" width="{inner_width}" height="{inner_height}" rx="12"
 fill="#ffffff" stroke="#cbd5e1"/>
{drawing}
</svg>
"""
VIEW_BOX = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')
OWN_SIZE = re.compile(r' width="100%"(.*?) style="[^"]*"')
LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}")


class CannotRenderError(Exception):
    """Something that rendering needs is missing, or failed; the message says what to do."""


def main() -> int:
    try:
        render_all()
    except CannotRenderError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    return 0


def render_all() -> None:
    browser = find_browser()
    if not MMDC.exists():
        raise CannotRenderError("mermaid-cli is not in .tools/; make diagrams puts it there")
    sources = sorted(DIAGRAMS.glob("*.mmd"))
    for source in sources:
        sys.stdout.write(f"{source.relative_to(ROOT)}\n")
        render(source, browser)
    SUMS.write_text(sums(sources))


def find_browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise CannotRenderError(
            "no Chromium was found, in which mermaid draws; on Debian: apt-get install chromium"
        )
    return found


def render(source: Path, browser: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        svg, width, height = on_a_card(draw(source, browser, folder))
        source.with_suffix(".svg").write_text(svg)
        photograph(source.with_suffix(".svg"), width, height, browser, folder)


def draw(source: Path, browser: str, folder: Path) -> str:
    """Return mermaid's own SVG of a diagram."""
    settings = folder / "puppeteer.json"
    settings.write_text(json.dumps({"executablePath": browser, "args": ["--no-sandbox"]}))
    drawn = folder / "drawn.svg"
    run(
        str(MMDC),
        "--quiet",
        f"--puppeteerConfigFile={settings}",
        f"--configFile={CONFIG}",
        f"--svgId={source.stem}",
        "--backgroundColor=transparent",
        f"--input={source}",
        f"--output={drawn}",
    )
    return drawn.read_text()


def on_a_card(drawing: str) -> tuple[str, int, int]:
    """Return the drawing with a margin and a card behind it, and its width and height.

    The drawing becomes an SVG inside another, which also cuts lines that leave it.
    """
    found = VIEW_BOX.search(drawing)
    if found is None:
        raise CannotRenderError("mermaid's SVG has no viewBox")
    width, height = (math.ceil(float(number)) for number in found.groups())
    placed = f' x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}"'
    drawing = OWN_SIZE.sub(rf"{placed}\1", drawing, count=1)
    drawing = LONG_DECIMAL.sub(lambda number: f"{float(number[0]):.2f}", drawing)
    width, height = width + 2 * MARGIN, height + 2 * MARGIN
    card = CARD.format(
        width=width,
        height=height,
        inner_width=width - 2,
        inner_height=height - 2,
        drawing=drawing.strip(),
    )
    return card, width, height


def photograph(svg: Path, width: int, height: int, browser: str, folder: Path) -> None:
    run(
        browser,
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--default-background-color=00000000",
        f"--user-data-dir={folder / 'profile'}",
        f"--force-device-scale-factor={PIXELS_PER_UNIT}",
        f"--window-size={width},{height}",
        f"--screenshot={svg.with_suffix('.png')}",
        svg.as_uri(),
    )


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotRenderError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def sums(sources: list[Path]) -> str:
    """List sources, settings and pictures as `sha256sum` does."""
    files = [CONFIG]
    for source in sources:
        files += [source, source.with_suffix(".svg"), source.with_suffix(".png")]
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files
    )


if __name__ == "__main__":
    sys.exit(main())
