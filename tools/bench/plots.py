"""The plots of docs/performance.md, drawn from a result; the same result gives the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.bench.harness import spread_of
from tools.bench.record import ROOT
from tools.bench.rows import Result

FOLDER = ROOT / "docs" / "images"
# Neither the day nor a random id may get into the files.
mpl.rcParams.update({"svg.hashsalt": "lambda-mips-api", "font.size": 10, "svg.fonttype": "none"})
METADATA: Mapping[str, Mapping[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
BARE, BAR, EDGE, TARGET = "#6b7280", "#3b82a0", "#1f4e63", "#b91c1c"

PATHS = {
    "warm_7k": "warm hit, 7 KB",
    "view_7k": "parametrised view, 7 KB",
    "page_7k": "page of GET /, 7 KB",
    "conditional_7k": "304, 7 KB",
    "renewed_7k": "first hit after a rebuild, 7 KB",
    "warm_600k": "warm hit, 600 KB",
    "conditional_600k": "304, 600 KB",
    "renewed_600k": "first hit after a rebuild, 600 KB",
}
"""The ways through the reader whose baseline is a bare GetObject."""


def draw(results: Mapping[str, Result], folder: Path = FOLDER) -> None:
    """Draw every plot as SVG and PNG."""
    folder.mkdir(exist_ok=True)
    _save(latency(results), folder / "latency-by-path")
    _save(growth(results["transform"]), folder / "transform-growth")


def latency(results: Mapping[str, Result]) -> Figure:
    """Draw what each path costs, in bare reads of the same object, with quartiles and targets."""
    rows = [results[row] for row in PATHS if results[row].values]
    figure, axes = _figure("An answer of the reader, in bare reads of the same S3 object")
    for place, result in enumerate(rows):
        spread = spread_of(result.values)
        axes.barh(place, spread.median, height=0.6, color=BAR)
        axes.plot([spread.lower, spread.upper], [place, place], color=EDGE, linewidth=2)
        # Beside the plot, where no bar or line can cross it.
        axes.annotate(
            f"{spread.median:.2f}", (1.01, place), xycoords=("axes fraction", "data"), va="center"
        )
        target = result.definition.target
        if target:
            axes.plot([target.value] * 2, [place - 0.38, place + 0.38], color=TARGET, linewidth=2)
    axes.axvline(1, color=BARE, linestyle="--", linewidth=1, zorder=0)
    axes.set_yticks(range(len(rows)), [PATHS[result.row] for result in rows])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("ratio to get_object().read(); line: quartiles; red: target; dashed: bare read")
    return figure


def growth(result: Result) -> Figure:
    """Draw how the transform grows with the number of codes, beside linear growth."""
    medians = {1_500: 1.0} | {
        int(size): spread_of(ratios).median for size, ratios in result.series.items()
    }
    sizes = sorted(medians)
    figure, axes = _figure("Making the program lists, in times of what 1,500 codes cost")
    axes.loglog(sizes, [n / 1_500 for n in sizes], "--", color=BARE, label="linear growth")
    measured = f"measured (exponent {spread_of(result.values).median:.2f})"
    axes.loglog(sizes, [medians[n] for n in sizes], "o-", color=BAR, label=measured)
    for size in sizes:
        label = f"{medians[size]:.1f}"
        axes.annotate(label, (size, medians[size]), (8, -14), textcoords="offset points")
    axes.set_ylim(bottom=0.6)
    axes.set_yticks([1, 10, 40], ["1", "10", "40"])
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("codes in MIP's Program segment")
    axes.legend(frameon=False)
    return figure


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, stem: Path) -> None:
    for kind, metadata in METADATA.items():
        figure.savefig(stem.with_suffix(f".{kind}"), format=kind, dpi=150, metadata=dict(metadata))
