"""What the benchmarks make of numbers: medians, spreads, ratios and verdicts. Nothing is timed."""

from collections.abc import Callable
from itertools import count

import pytest

from tests.benchmarks.harness import (
    Spread,
    Target,
    Verdict,
    alternating,
    growth_exponent,
    judge,
    ratio_of_medians,
    ratios,
    seconds,
    settled,
    spread_of,
)


def scripted(*costs: float) -> Callable[[], float]:
    """Return a measurement whose results are known."""
    return iter(costs).__next__


def test_spread_is_the_median_and_the_quartiles() -> None:
    assert spread_of([5, 1, 4, 2, 3]) == Spread(2, 3, 4)


def test_spread_of_one_value_is_that_value() -> None:
    assert spread_of([0.7]) == Spread(0.7, 0.7, 0.7)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1.0, 1.1, 1.2], Verdict.MET),
        ([1.0, 1.2, 1.3], Verdict.WITHIN_SPREAD),
        ([1.15, 1.2, 1.3], Verdict.MISSED),
        ([1.3], Verdict.MISSED),
        ([], Verdict.NOT_MEASURED),
    ],
)
def test_target_is_missed_when_the_better_quartile_misses_too(
    values: list[float], verdict: Verdict
) -> None:
    assert judge(values, Target(1.1)) is verdict


@pytest.mark.parametrize(
    ("values", "verdict"), [([1, 1], Verdict.MET), ([1, 2], Verdict.MISSED), ([0], Verdict.MISSED)]
)
def test_exact_target_is_met_by_every_value_or_missed(
    values: list[float], verdict: Verdict
) -> None:
    assert judge(values, Target(1, exact=True)) is verdict


def test_value_without_a_target_is_information() -> None:
    assert judge([9.9], None) is Verdict.INFORMATION


def test_subject_and_baseline_alternate_and_so_does_who_goes_first() -> None:
    order: list[str] = []
    alternating(lambda: order.append("s"), lambda: order.append("b"), 3)
    assert order == ["s", "b", "b", "s", "s", "b"]


def test_costs_are_kept_apart_in_the_order_of_the_turns() -> None:
    assert alternating(scripted(1, 2, 3), scripted(7, 8, 9), 3) == ([1, 2, 3], [7, 8, 9])


def test_ratio_is_one_of_medians_so_that_an_outlier_does_not_count() -> None:
    assert ratio_of_medians([2, 2, 900], [1, 1, 1]) == 2


def test_ratios_come_one_per_round_and_the_first_turn_does_not_count() -> None:
    subject, baseline = scripted(99, 2, 2, 6, 6), scripted(1, 1, 1, 2, 2)
    assert list(ratios(subject, baseline, rounds=2, turns=2)) == [2, 3]


def test_seconds_are_what_the_clock_moved_on_during_the_call() -> None:
    ticks = count(start=10, step=0.5)
    assert seconds(lambda: None, lambda: next(ticks))() == 0.5


def test_settled_measurement_counts_the_second_run_only() -> None:
    assert settled(scripted(9, 2))() == 2


@pytest.mark.parametrize(("ratio", "exponent"), [(40, 1), (1600, 2), (1, 0)])
def test_growth_exponent_of_forty_times_the_input(ratio: float, exponent: float) -> None:
    assert growth_exponent(ratio, 40) == pytest.approx(exponent)
