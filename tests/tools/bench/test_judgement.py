"""From numbers to verdicts, the exit status and the page. Nothing is timed."""

import pytest

from tools.bench import hits, record
from tools.bench.__main__ import exit_status
from tools.bench.families import FAMILIES, Collected
from tools.bench.harness import Target, Verdict, alternating, judge, ratios
from tools.bench.rows import ROWS, Result

MET, MISSED, WITHIN = [0.1, 0.1, 0.1], [9.5, 9.5, 9.5], [0.1, 0.1, 9.2, 9.2, 9.2]


@pytest.mark.parametrize(
    ("values", "target", "verdict"),
    [
        ([1.0, 1.1, 1.2], Target(1.1), Verdict.MET),
        # The better quartile would have met it.
        ([1.0, 1.2, 1.3], Target(1.1), Verdict.WITHIN_SPREAD),
        ([1.15, 1.2, 1.3], Target(1.1), Verdict.MISSED),
        ([], Target(1.1), Verdict.NOT_MEASURED),
        ([1, 1], Target(1, exact=True), Verdict.MET),
        ([1, 2], Target(1, exact=True), Verdict.MISSED),
        ([0], Target(1, exact=True), Verdict.MISSED),
    ],
)
def test_target_is_missed_by_the_better_quartile_or_an_exact_one_by_any_value(
    values: list[float], target: Target, verdict: Verdict
) -> None:
    assert judge(values, target) is verdict


@pytest.mark.parametrize(
    ("values", "status"),
    [([MET, MET], 0), ([MET, WITHIN], 0), ([[], MISSED], 1), ([MET, []], 2)],
)
def test_exit_status_tells_missed_from_unmeasured(values: list[list[float]], status: int) -> None:
    assert exit_status([Result("cold_cpu", each) for each in values]) == status


def test_subject_and_baseline_alternate_and_so_does_who_goes_first() -> None:
    order: list[str] = []
    alternating(lambda: order.append("s"), lambda: order.append("b"), 3)
    assert order == ["s", "b", "b", "s", "s", "b"]


def test_ratio_of_a_round_is_one_of_medians_and_the_first_turn_does_not_count() -> None:
    subject, baseline = iter([99, 2, 2, 900, 6, 6, 6]), iter([1, 1, 1, 1, 2, 2, 2])
    assert list(ratios(subject.__next__, baseline.__next__, rounds=2, turns=3)) == [2, 3]


def test_warm_row_of_a_wrong_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "lambda_handler", lambda *_: {"statusCode": 503})
    with pytest.raises(RuntimeError, match="/accounts was answered with 503"):
        hits.answer({"path": "/accounts"})


def test_what_a_process_told_before_it_failed_does_not_count() -> None:
    collected = Collected()
    collected.take({"row": "transform", "value": 1.0})
    assert list(collected.results("transform", failure="it died")) == [
        Result("transform", problem="it died")
    ]


def test_every_row_belongs_to_a_family_that_is_measured() -> None:
    assert {row.family for row in ROWS.values()} == set(FAMILIES)


def test_committed_result_has_every_row_misses_no_target_and_is_on_the_page() -> None:
    results, page = record.read(), record.PAGE.read_text()
    assert list(results) == list(ROWS)
    assert exit_status(list(results.values())) == 0
    assert record.page_with(record.table(results.values()), page) == page
