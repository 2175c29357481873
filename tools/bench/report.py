"""The table at the end of `make bench`."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from tools.bench.harness import Verdict
from tools.bench.rows import Result

STYLES = {
    Verdict.MET: "green",
    Verdict.WITHIN_SPREAD: "yellow",
    Verdict.MISSED: "bold red",
    Verdict.NOT_MEASURED: "bold red",
    Verdict.INFORMATION: "dim",
}


def show(results: Iterable[Result], console: Console) -> None:
    """Print every row with its median, its quartiles and its verdict, then what went wrong."""
    table = Table(title="Costs, compared with what one would use instead", title_justify="left")
    for heading in ("Row", "Baseline in the same run"):
        table.add_column(heading)
    for heading in ("Median", "Quartiles", "Target"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    kept = list(results)
    for result in kept:
        table.add_row(*cells(result), f"[{STYLES[result.verdict]}]{result.verdict.value}[/]")
    console.print(table)
    for problem, rows in problems(kept).items():
        console.print(f"Not measured: {', '.join(rows)}. {problem}", style="red", markup=False)


def problems(results: Iterable[Result]) -> dict[str, list[str]]:
    """Return each problem with the rows that have no value because of it."""
    found: dict[str, list[str]] = {}
    for result in results:
        if result.problem:
            found.setdefault(result.problem, []).append(result.definition.subject)
    return found


def cells(result: Result) -> tuple[str, str, str, str, str]:
    """Return subject, baseline, median, quartiles and target as texts."""
    row, spread = result.definition, result.spread
    median = with_unit(spread.median, row.unit) if spread else "-"
    quartiles = f"{spread.lower:.2f} … {spread.upper:.2f}" if has_spread(result) and spread else ""
    return row.subject, row.baseline, median, quartiles, str(row.target or "")


def with_unit(value: float, unit: str) -> str:
    """Write a value: ratios, shares and exponents with two places, sizes with one."""
    if unit in ("ratio", "share", "exponent"):
        return f"{value:.2f}"
    if unit == "MB":
        return f"{value:.1f} MB"
    return f"{value:g}"


def has_spread(result: Result) -> bool:
    """Tell whether a row has more than one value, and they differ."""
    return len(set(result.values)) > 1
