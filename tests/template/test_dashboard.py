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
TERM = re.compile(r'(\w+)="([^"]+)"')


def body(**parameters):
    return json.loads(stack(**parameters).properties("Dashboard")["DashboardBody"])


def widgets(kind=None):
    return [widget for widget in body()["widgets"] if kind in (None, widget["type"])]


def title(widget):
    shown = widget["properties"]
    return shown["title"] if "title" in shown else shown["markdown"].split("\n")[0].strip("# ")


def graphs():
    return [pytest.param(widget, id=title(widget)) for widget in widgets("metric")]


def cells(widget):
    return set(
        itertools.product(
            range(widget["x"], widget["x"] + widget["width"]),
            range(widget["y"], widget["y"] + widget["height"]),
        )
    )


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
    terms = dict(TERM.findall(found["terms"]))
    name = terms.pop("MetricName")
    return Watched(namespace, name, dict.fromkeys(names, ANY) | terms, found["statistic"])


def find(wanted):
    [only] = [widget for widget in widgets() if title(widget) == wanted]
    return only


def annotations(wanted, **parameters):
    [only] = [widget for widget in body(**parameters)["widgets"] if title(widget) == wanted]
    return [line["value"] for line in only["properties"]["annotations"]["horizontal"]]


def test_dashboard_is_named_by_stack_and_region_because_accounts_share_them_among_regions():
    assert stack().properties("Dashboard")["DashboardName"] == "${AWS::StackName}-${AWS::Region}"


def test_widgets_fill_the_grid_without_overlap_or_gap():
    covered = [cell for widget in widgets() for cell in cells(widget)]
    height = max(y for _, y in covered) + 1

    assert sorted(covered) == list(itertools.product(range(COLUMNS), range(height)))


@pytest.mark.parametrize("widget", graphs())
def test_graph_shows_metrics_that_somebody_emits(widget):
    assert [watched.faults() for watched in drawn(widget) if watched.faults()] == []


def test_every_metric_of_the_service_is_shown():
    shown = {
        watched.name
        for widget in widgets("metric")
        for watched in drawn(widget)
        if watched.namespace == NAMESPACE
    }

    assert shown == set(OWN)


@pytest.mark.parametrize("name", ["MipCalls", "MipSeconds"])
def test_no_call_is_forgotten(name):
    calls = {
        watched.dimensions["call"]
        for widget in widgets("metric")
        for watched in drawn(widget)
        if watched.name == name
    }

    assert calls == VALUES["call"]


def test_searches_stay_within_this_stack():
    searches = [
        searched(options(entry)["expression"])
        for widget in widgets("metric")
        for entry in widget["properties"]["metrics"]
        if options(entry).get("expression", "").startswith("SEARCH")
    ]

    assert {search.name for search in searches} == {"Rebuilds", "DeadLettered"}
    assert {search.dimensions["service"] for search in searches} == {"${WorkerFunction}"}


@pytest.mark.parametrize("widget", graphs())
def test_searched_lines_are_labelled_by_what_tells_them_apart(widget):
    for entry in widget["properties"]["metrics"]:
        if options(entry).get("expression", "").startswith("SEARCH"):
            named = set(re.findall(r"\$\{PROP\('Dim\.(\w+)'\)\}", options(entry)["label"]))
            search = searched(options(entry)["expression"])

            assert named == search.dimensions.keys() - {"service"}


def test_share_is_computed_from_the_graphs_own_metrics_even_where_some_are_silent():
    metrics = find("What share was answered at once?")["properties"]["metrics"]
    [expression] = [options(entry)["expression"] for entry in metrics if len(entry) == 1]
    hidden = {options(entry)["id"]: entry[1] for entry in metrics if len(entry) > 1}

    assert hidden == {"hits": "Hits", "stale": "StaleHits", "misses": "Misses"}
    assert set(re.findall(r"[a-z]+", expression)) == set(hidden)
    assert re.findall(r"FILL\((\w+), 0\)", expression) == re.findall(r"[a-z]+", expression)


@pytest.mark.parametrize("widget", graphs())
def test_graph_can_be_read_without_knowing_the_code(widget):
    """A title, a label for every line, and what the axis counts."""
    shown = widget["properties"]
    visible = [options(entry) for entry in shown["metrics"] if options(entry).get("visible", True)]

    assert shown["title"].endswith("?")
    assert all(entry.get("label") for entry in visible)
    assert shown.get("view") == "singleValue" or shown["yAxis"]["left"]["label"]


@pytest.mark.parametrize("widget", graphs())
def test_graph_is_of_this_region_and_has_a_period(widget):
    assert widget["properties"]["region"] == "${AWS::Region}"
    assert widget["properties"]["period"] in {300, 3600}


@pytest.mark.parametrize("widget", graphs())
def test_title_is_short_enough_not_to_be_cut(widget):
    """CloudWatch shows it on one line; a column of a small screen has room for five letters."""
    assert len(title(widget)) <= 5.5 * widget["width"]


def test_titles_differ():
    assert len({title(widget) for widget in widgets()}) == len(widgets())


def test_status_of_every_alarm_is_on_top():
    [status] = widgets("alarm")
    alarms = stack().of_type("AWS::CloudWatch::Alarm")

    assert status["y"] == 0
    assert status["properties"]["alarms"] == [f"${{{name}.Arn}}" for name in alarms]


def test_age_of_the_oldest_message_shows_where_the_alarm_rings():
    threshold = stack().properties("OldestMessageAlarm")["Threshold"]

    assert annotations("How old is the oldest message?") == [threshold]


def test_age_of_entries_shows_how_long_they_are_fresh():
    shown = annotations(
        "How old were entries at rebuild?", ProgramsTtlSeconds="7200", BalancesTtlSeconds="3600"
    )

    assert shown == [7200, 3600]
