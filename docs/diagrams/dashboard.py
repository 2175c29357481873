"""Draws dashboard.svg and dashboard.png: where the template's dashboard shows what.

A layout and no more: boxes, titles and the names of metrics as `template.yaml` has them. There is
no data in it, because there is none to be had without a deployment.

    python docs/diagrams/dashboard.py
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cfnlint.decode.cfn_yaml import loads
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.textpath import text_to_path

HERE = Path(__file__).parent
TEMPLATE = HERE.parents[1] / "template.yaml"
NOTE = "Layout of the dashboard, drawn from template.yaml. It shows what goes where, and no data."

COLUMNS = 24
COLUMN_INCHES = 0.5
ROW_INCHES = 0.33
MARGIN = 0.5
"""Around the grid, in columns."""
HEAD = 2.2
"""Above the grid, in rows."""
POINTS_PER_COLUMN = 72 * COLUMN_INCHES
POINTS_PER_ROW = 72 * ROW_INCHES

# An opaque sheet with dark writing, so that it reads the same on a white page and on a dark one.
SHEET, BOX, EDGE, INK, FAINT = "#eef1f5", "#ffffff", "#c3cad5", "#1b2430", "#566273"
OWN, AWS, COMPUTED, ALARM = "#0b6e99", "#b35c00", "#6b3fa0", "#b3261e"
LEGEND = {
    OWN: "metric of the service",
    AWS: "metric of AWS",
    COMPUTED: "computed",
    ALARM: "alarm",
    FAINT: "line drawn for comparison",
}
NAMESPACE = "LambdaMipsApi"

SEARCH = re.compile(r"SEARCH\('\{[\w,]+\} MetricName=\"(\w+)\"")
DIMENSION = re.compile(r"\$\{PROP\('Dim\.(\w+)'\)\}")
PERIODS = {300: "a point is 5 minutes", 3600: "a point is an hour"}


@dataclass(frozen=True)
class Line:
    """One line of a box: which kind of thing it is, and its text."""

    colour: str
    text: str


def widgets() -> list[dict[str, Any]]:
    """Return the dashboard's widgets, with the template's defaults for its parameters."""
    template = loads(TEMPLATE.read_text(encoding="utf-8"))
    defaults = {name: entry.get("Default") for name, entry in template["Parameters"].items()}
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    filled = re.sub(
        r"\$\{(\w+)\}", lambda match: str(defaults.get(match[1], match[0])), body
    ).replace("${!", "${")
    return json.loads(filled)["widgets"]


def title(widget: Mapping[str, Any]) -> str:
    """Return a widget's title; of a text its heading."""
    shown = widget["properties"]
    return shown["title"] if "title" in shown else shown["markdown"].split("\n")[0].strip("# ")


def subtitle(widget: Mapping[str, Any]) -> str:
    """Return how a graph is drawn, its unit, and what a point or number stands for."""
    shown = widget["properties"]
    if shown.get("view") == "singleValue":
        return "Numbers: sums of the time shown"
    kind = "Stacked areas" if shown.get("stacked") else "Lines"
    unit = shown["yAxis"]["left"]["label"].lower()
    return f"{kind}: {unit}" if "hour" in unit else f"{kind}: {unit}; {PERIODS[shown['period']]}"


def lines(widget: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what a box lists: alarms, or metrics with the labels of their lines."""
    shown = widget["properties"]
    if widget["type"] == "alarm":
        yield from (Line(ALARM, arn.strip("${}").split(".")[0]) for arn in shown["alarms"])
        return
    entries = [entry for entry in shown["metrics"] if _options(entry).get("visible", True)]
    for (colour, name), group in itertools.groupby(entries, _kind_and_name):
        yield Line(colour, f"{name}: {_joined(_label(entry) for entry in group)}")
    for marked in shown.get("annotations", {}).get("horizontal", []):
        yield Line(FAINT, f"{marked['label']}: {marked['value']}")


def _label(entry: list[Any]) -> str:
    label = _options(entry)["label"]
    kinds = DIMENSION.findall(label)
    return f"one for each {' and '.join(kinds).replace('_', ' ')}" if kinds else label


def _joined(labels: Iterable[str]) -> str:
    several = list(labels)
    return ("; " if "," in "".join(several) else ", ").join(several)


def _options(entry: list[Any]) -> dict[str, Any]:
    return entry[-1] if isinstance(entry[-1], dict) else {}


def _kind_and_name(entry: list[Any]) -> tuple[str, str]:
    expression = _options(entry).get("expression")
    if expression is None:
        return (OWN if entry[0] == NAMESPACE else AWS), entry[1]
    found = SEARCH.match(expression)
    return (OWN, found[1]) if found else (COMPUTED, "Share")


def wrapped(text: str, size: float, points: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines that are at most so many points wide."""
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and _width(longer, size, bold=bold) > points:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _width(text: str, size: float, *, bold: bool) -> float:
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


class Sheet:
    """A figure in units of the dashboard's grid, that is written on from the top."""

    def __init__(self, rows: int) -> None:
        width, height = COLUMNS + 2 * MARGIN, rows + HEAD + MARGIN
        size = (width * COLUMN_INCHES, height * ROW_INCHES)
        self.figure = Figure(figsize=size, facecolor=SHEET)
        self._axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(-MARGIN, COLUMNS + MARGIN)
        self._axes.set_ylim(rows + MARGIN, -HEAD)

    def write(self, x: float, y: float, text: str, size: float, colour: str, **how: Any) -> None:
        """Write one line, the top of which is at y."""
        self._axes.text(x, y, text, size=size, color=colour, va="top", parse_math=False, **how)

    def bullet(self, x: float, y: float, size: float, colour: str) -> None:
        """Draw a small square beside a line that begins at y."""
        width, height = 0.5 * size / POINTS_PER_COLUMN, 0.5 * size / POINTS_PER_ROW
        below = y + 0.35 * size / POINTS_PER_ROW
        self._axes.add_patch(Rectangle((x, below), width, height, color=colour, zorder=3))

    def box(self, widget: Mapping[str, Any]) -> None:
        """Draw the frame of a widget."""
        gap = 0.1
        self._axes.add_patch(
            FancyBboxPatch(
                (widget["x"] + gap, widget["y"] + gap),
                widget["width"] - 2 * gap,
                widget["height"] - 2 * gap,
                boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=BOX,
                edgecolor=EDGE,
                linewidth=0.9,
                zorder=1,
            )
        )


class Pen:
    """Writes down a column, line below line."""

    def __init__(self, sheet: Sheet, x: float, y: float, columns: float) -> None:
        self._sheet, self._x, self._y = sheet, x, y
        self._points = columns * POINTS_PER_COLUMN

    def paragraph(self, text: str, size: float, colour: str, *, bold: bool = False) -> None:
        """Write a text over as many lines as it needs."""
        for row in wrapped(text, size, self._points, bold=bold):
            weight = "bold" if bold else "normal"
            self._sheet.write(self._x, self._y, row, size, colour, weight=weight)
            self.space(1.35 * size)

    def item(self, line: Line, size: float) -> None:
        """Write a text behind a square that tells its kind."""
        self._sheet.bullet(self._x, self._y, size, line.colour)
        indent = 1.1 * size
        for row in wrapped(line.text, size, self._points - indent):
            self._sheet.write(self._x + indent / POINTS_PER_COLUMN, self._y, row, size, INK)
            self.space(1.35 * size)

    def space(self, points: float) -> None:
        """Leave some room."""
        self._y += points / POINTS_PER_ROW


def draw() -> Figure:
    """Return the picture of the whole dashboard."""
    everything = widgets()
    sheet = Sheet(max(widget["y"] + widget["height"] for widget in everything))
    _head(sheet)
    for widget in everything:
        DRAWN_BY[widget["type"]](sheet, widget)
    return sheet.figure


def _head(sheet: Sheet) -> None:
    sheet.write(0.1, 0.5 - HEAD, NOTE, 11, INK, weight="bold")
    x = 0.1
    for colour, meaning in LEGEND.items():
        sheet.bullet(x, 1.3 - HEAD, 9, colour)
        sheet.write(x + 0.3, 1.3 - HEAD, meaning, 9, FAINT)
        x += 0.9 + _width(meaning, 9, bold=False) / POINTS_PER_COLUMN


def _pen(sheet: Sheet, widget: Mapping[str, Any]) -> Pen:
    return Pen(sheet, widget["x"] + 0.35, widget["y"] + 0.4, widget["width"] - 0.7)


def _text(sheet: Sheet, widget: Mapping[str, Any]) -> None:
    pen = Pen(sheet, widget["x"] + 0.1, widget["y"] + 0.45, widget["width"] - 0.2)
    pen.paragraph(title(widget), 14, INK, bold=True)
    pen.paragraph(widget["properties"]["markdown"].split("\n")[1], 9, FAINT)


def _graph(sheet: Sheet, widget: Mapping[str, Any]) -> None:
    sheet.box(widget)
    pen = _pen(sheet, widget)
    pen.paragraph(title(widget), 10, INK, bold=True)
    pen.paragraph(subtitle(widget), 8.5, FAINT)
    pen.space(3)
    for line in lines(widget):
        pen.item(line, 8.5)


def _alarms(sheet: Sheet, widget: Mapping[str, Any]) -> None:
    """As CloudWatch does, side by side."""
    sheet.box(widget)
    _pen(sheet, widget).paragraph(title(widget), 10, INK, bold=True)
    across, columns = 5, (widget["width"] - 0.7) / 5
    for number, line in enumerate(lines(widget)):
        down, right = divmod(number, across)
        x, y = widget["x"] + 0.35 + right * columns, widget["y"] + 1.4 + down * 1.0
        Pen(sheet, x, y, columns).item(line, 8.5)


DRAWN_BY = {"alarm": _alarms, "text": _text, "metric": _graph}


def save(folder: Path) -> None:
    """Write both pictures; the same template gives the same bytes."""
    # The text stays text, to be found and copied, so the reader's own fonts may have to do.
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "dashboard",
        "font.family": ["DejaVu Sans", "sans-serif"],
    }
    with mpl.rc_context(settings):
        figure = draw()
        FigureCanvasAgg(figure)
        nothing = {"Date": None, "Creator": None}
        figure.savefig(folder / "dashboard.svg", metadata=nothing)
        figure.savefig(folder / "dashboard.png", dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    save(HERE)
