"""From values to what people and scripts are told: table, JSON, exit status, page and plots."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import plots, record, report
from tests.benchmarks.__main__ import exit_status
from tests.benchmarks.artifact import incompleteness
from tests.benchmarks.families import FAMILIES, Collected
from tests.benchmarks.rows import ROWS, Result

MET, MISSED, WITHIN = [1.0, 1.0, 1.0], [1.5, 1.5, 1.5], [1.0, 1.2, 1.2]


@pytest.mark.parametrize(
    ("values", "status"), [([MET, MET], 0), ([MET, WITHIN], 0), ([MET, MISSED], 1), ([MET, []], 2)]
)
def test_exit_status_tells_missed_from_unmeasured(values: list[list[float]], status: int) -> None:
    assert exit_status([Result("cold_cpu", each) for each in values]) == status


def test_missed_target_outweighs_a_row_that_was_not_measured() -> None:
    assert exit_status([Result("zip"), Result("cold_cpu", MISSED)]) == 1


def test_every_row_belongs_to_a_family_that_is_measured() -> None:
    assert {row.family for row in ROWS.values()} == set(FAMILIES)


def test_messages_become_the_results_of_the_familys_rows() -> None:
    collected = Collected()
    for ratio in MET:
        collected.take({"row": "transform", "value": ratio})
    collected.take({"row": "transform", "series": "6000", "value": 4.1})
    (result,) = collected.results("transform", failure=None)
    assert result == Result("transform", MET, {"6000": [4.1]})


def test_what_a_process_told_before_it_failed_does_not_count() -> None:
    collected = Collected()
    collected.take({"row": "transform", "value": 1.0})
    (result,) = collected.results("transform", failure="it died")
    assert result == Result("transform", problem="it died")


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    results = [
        Result("transform", WITHIN, {"6000": [4.0]}),
        Result("zip", [], problem="there is no build"),
    ]
    record.write(results, tmp_path / "result.json")
    assert list(record.read(tmp_path / "result.json").values()) == results


def test_table_names_rows_without_a_value_once_with_the_reason() -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    failed = [Result("cold_cpu", problem="it died"), Result("cold_rss", problem="it died")]
    report.show([*failed, Result("warm_7k", WITHIN)], console)
    text = console.export_text()
    assert text.count("it died") == 1
    assert "missed within the spread" in text
    assert "1.20" in text


def test_page_gets_another_table_between_its_marks_and_keeps_the_rest() -> None:
    page = f"before\n{record.BEGIN}old\n{record.END}after\n"
    assert record.page_with("new\n", page) == (
        f"before\n{record.BEGIN}\nnew\n\n{record.END}after\n"
    )


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        record.page_with("new\n", "no mark\n")


def test_committed_result_has_every_row_and_misses_no_target() -> None:
    results = record.read()
    assert list(results) == list(ROWS)
    assert exit_status(list(results.values())) == 0


def test_page_shows_the_committed_result() -> None:
    page = record.PAGE.read_text()
    assert record.page_with(record.table(record.read().values()), page) == page


def test_same_result_is_drawn_as_the_same_bytes(tmp_path: Path) -> None:
    results = record.read()
    for folder in ("one", "two"):
        plots.draw(results, tmp_path / folder)
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    assert one.keys() == {file.name for file in plots.FOLDER.iterdir() if file.name in one}


def test_artifact_without_a_build_says_what_to_do(tmp_path: Path) -> None:
    assert "make build" in str(incompleteness(tmp_path / "ReaderFunction"))


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("handlers/reader.py", "holds no SDK (botocore)"),
        ("botocore/client.py", "holds no .pyc files"),
    ],
)
def test_artifact_counts_only_with_sdk_and_compiled_files(
    tmp_path: Path, file: str, problem: str
) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).touch()
    assert incompleteness(tmp_path) == f"{tmp_path.name} {problem}"


def test_artifact_with_both_is_whole(tmp_path: Path) -> None:
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "client.pyc").touch()
    assert incompleteness(tmp_path) is None
