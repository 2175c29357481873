"""What the dashboard shows: metrics that exist, in a grid without gaps, row by row in order."""

import itertools
import json
import re

import pytest

from tests.template.metrics import ANY, NAMESPACE, OWN, VALUES, Watched
from tests.template.stack import stack

COLUMNS = 24
SEARCH = re.compile(
    r"SEARCH\('\{(?P<schema>[^}]+)\} (?P<terms>[^']+)', '(?P<statistic>\w+)', \d+\)"
)


def widgets(*kinds, **parameters):
    body = json.loads(stack(**parameters).properties("Dashboard")["DashboardBody"])
    return [widget for widget in body["widgets"] if not kinds or widget["type"] in kinds]


def graph(wanted, **parameters):
    """Return the properties of the graph that has a title."""
    graphs = [widget["properties"] for widget in widgets("metric", **parameters)]
    [only] = [shown for shown in graphs if shown["title"] == wanted]
    return only


def options(entry):
    return entry[-1] if isinstance(entry[-1], dict) else {}


def drawn(widget):
    """Yield what a graph asks for metric by metric, or by a search; not what it computes."""
    for entry in widget["properties"]["metrics"]:
        expression = options(entry).get("expression")
        if expression is None:
            yield plain(widget, entry)
        elif expression.startswith("SEARCH"):
            yield searched(expression)


def plain(widget, entry):
    namespace, name, *dimensions = [part for part in entry if isinstance(part, str)]
    pairs = dict(itertools.batched(dimensions, 2, strict=True))
    statistic = options(entry).get("stat") or widget["properties"]["stat"]
    return Watched(namespace, name, pairs, statistic)


def searched(expression):
    found = SEARCH.fullmatch(expression)
    namespace, *names = found["schema"].split(",")
    terms = dict(re.findall(r'(\w+)="([^"]+)"', found["terms"]))
    name = terms.pop("MetricName")
    return Watched(namespace, name, dict.fromkeys(names, ANY) | terms, found["statistic"])


every_graph = pytest.mark.parametrize(
    "widget", widgets("metric"), ids=lambda widget: widget["properties"]["title"]
)


def test_dashboard_is_named_by_stack_and_region_because_accounts_share_them_among_regions():
    assert stack().properties("Dashboard")["DashboardName"] == "${AWS::StackName}-${AWS::Region}"


def test_widgets_fill_the_grid_without_gap_or_overlap_in_the_order_of_the_template():
    """That of the runbook, too: `tests/docs/test_runbook.py`."""
    places = [[widget[side] for side in ("y", "x", "height", "width")] for widget in widgets()]
    covered = [
        cell
        for y, x, height, width in places
        for cell in itertools.product(range(y, y + height), range(x, x + width))
    ]
    lowest = max(y for y, _ in covered)
    assert sorted(covered) == list(itertools.product(range(lowest + 1), range(COLUMNS)))
    assert places == sorted(places)


@every_graph
def test_graph_shows_metrics_that_somebody_emits(widget):
    assert [watched.faults() for watched in drawn(widget) if watched.faults()] == []


def test_every_metric_of_the_service_and_every_call_of_mip_is_shown():
    shown = [watched for widget in widgets("metric") for watched in drawn(widget)]
    assert {watched.name for watched in shown if watched.namespace == NAMESPACE} == set(OWN)
    for name in ("MipCalls", "MipSeconds"):
        assert {w.dimensions["call"] for w in shown if w.name == name} == VALUES["call"]


def test_searches_stay_within_this_stack_and_label_lines_by_what_tells_them_apart():
    entries = [entry for widget in widgets("metric") for entry in widget["properties"]["metrics"]]
    searches = [o for o in map(options, entries) if o.get("expression", "").startswith("SEARCH")]
    assert searches
    for search in searches:
        dimensions = searched(search["expression"]).dimensions
        assert dimensions["service"] == "${WorkerFunction}"
        named = set(re.findall(r"\$\{PROP\('Dim\.(\w+)'\)\}", search["label"]))
        assert named == dimensions.keys() - {"service"}


def test_share_is_computed_from_the_graphs_own_metrics_even_where_some_are_silent():
    metrics = graph("What share was answered at once?")["metrics"]
    [expression] = [options(entry)["expression"] for entry in metrics if len(entry) == 1]
    hidden = {options(entry)["id"]: entry[1] for entry in metrics if len(entry) > 1}
    assert hidden == {"hits": "Hits", "stale": "StaleHits", "misses": "Misses"}
    assert set(re.findall(r"[a-z]+", expression)) == set(hidden)
    assert re.findall(r"FILL\((\w+), 0\)", expression) == re.findall(r"[a-z]+", expression)


@every_graph
def test_graph_can_be_read_without_knowing_the_code(widget):
    """A title that CloudWatch does not cut, a label for every line, and what the axis counts."""
    shown = widget["properties"]
    visible = [options(entry) for entry in shown["metrics"] if options(entry).get("visible", True)]
    assert shown["title"].endswith("?")
    # One line; a column of a small screen has room for five letters.
    assert len(shown["title"]) <= 5.5 * widget["width"]
    assert all(entry.get("label") for entry in visible)
    assert shown.get("view") == "singleValue" or shown["yAxis"]["left"]["label"]
    assert shown["region"] == "${AWS::Region}"


def test_status_of_every_alarm_is_on_top():
    [status] = widgets("alarm")
    alarms = stack().of_type("AWS::CloudWatch::Alarm")
    assert status["y"] == 0
    assert status["properties"]["alarms"] == [f"${{{name}.Arn}}" for name in alarms]


def test_lines_across_a_graph_are_where_the_alarm_rings_and_entries_get_stale():
    chosen = {"ProgramsTtlSeconds": "7200", "BalancesTtlSeconds": "3600"}
    titles = ("How old is the oldest message?", "How old were entries at rebuild?")
    annotated = [graph(title, **chosen)["annotations"]["horizontal"] for title in titles]
    threshold = stack().properties("OldestMessageAlarm")["Threshold"]
    assert [[line["value"] for line in lines] for lines in annotated] == [[threshold], [7200, 3600]]
