"""The benchmark's result as JSON; and what is drawn anew from the one that is committed.

`make bench ARGS=--record` replaces `result.json` and draws docs/performance.md's table and plots.
`python -m tools.bench.record` only draws them again.
"""

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.bench.report import cells
from tools.bench.rows import Result

ROOT = Path(__file__).parents[2]
RESULT = Path(__file__).with_name("result.json")
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def write(results: Iterable[Result], path: Path) -> None:
    """Write results as JSON: per row the quartiles, the verdict, and the value of each round."""
    document = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": [result.to_json() for result in results],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path = RESULT) -> dict[str, Result]:
    """Read results by row."""
    document: Any = json.loads(path.read_text(encoding="utf-8"))
    return {row["row"]: Result.from_json(row) for row in document["rows"]}


def table(results: Iterable[Result]) -> str:
    """Write the results as a Markdown table."""
    lines = ["| Row | Baseline | Median | Quartiles | Target | |", "|---|---|---|---|---|---|"]
    for result in results:
        row = (*cells(result), result.verdict.value)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def page_with(table_text: str, page: str) -> str:
    """Return the page with another table between its marks. Raises ValueError without marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks {BEGIN.strip()} or {END.strip()}")
    return f"{before}{BEGIN}\n{table_text}\n{END}{after}"


def redraw() -> None:
    """Put the committed result into the page, and draw the plots from it."""
    from tools.bench import plots  # noqa: PLC0415 - matplotlib takes long to import

    results = read()
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page_with(table(results.values()), page), encoding="utf-8")
    plots.draw(results)


if __name__ == "__main__":
    redraw()
