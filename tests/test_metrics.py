"""Every metric that the code counts is known, and every known one is counted and explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from handlers.reader import METRICS
from handlers.telemetry import NAMESPACE
from tests.template import metrics

ROOT = Path(__file__).parents[1]
SOURCES = [path for folder in ("core", "handlers") for path in (ROOT / folder).rglob("*.py")]
RECORDERS = {"count", "seconds"}


def recorded() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield name and dimensions of each metric that some line of the code records by its name."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, method = node.args[0], getattr(node.func, "attr", getattr(node.func, "id", ""))
            if method in RECORDERS and isinstance(name, ast.Constant):
                yield str(name.value), frozenset(str(keyword.arg) for keyword in node.keywords)


def by_outcome() -> set[tuple[str, frozenset[str]]]:
    return {(name, frozenset()) for names in METRICS.values() for name in names}


def test_metrics_of_the_code_are_those_that_alarms_and_dashboard_can_show() -> None:
    known = {(name, metric.dimensions - {"service"}) for name, metric in metrics.OWN.items()}
    assert {*recorded(), *by_outcome()} == known


def test_metrics_have_the_namespace_of_alarms_and_dashboard() -> None:
    assert metrics.NAMESPACE == NAMESPACE


def test_every_metric_has_a_row_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text()
    section = runbook.partition("\n## The metrics\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
    assert sorted(rows) == sorted(metrics.OWN)
