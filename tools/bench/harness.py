"""Interleaved measurements, and what can be said of them.

A machine is never quiet. So what is compared is measured in turns, a ratio is taken of each round,
and the verdict rests on the median of the ratios and on their spread.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a row says of its target."""

    MET = "met"
    WITHIN_SPREAD = "missed within the spread"
    MISSED = "missed"
    INFORMATION = "no target"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the quartiles around it."""

    lower: float
    median: float
    upper: float


@dataclass(frozen=True, slots=True)
class Target:
    """What a value must not exceed; with `exact`, what it must be."""

    value: float
    exact: bool = False

    def __str__(self) -> str:
        return f"= {self.value:g}" if self.exact else f"≤ {self.value:.2f}"


def spread_of(values: Sequence[float]) -> Spread:
    """Return the quartiles; of a single value, that value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(lower, median, upper)


def judge(values: Sequence[float], target: Target | None) -> Verdict:
    """Judge the median; a miss counts in full only if the better quartile misses, too.

    Counts have no spread: with an exact target, every single value must be equal to it.
    """
    if not values:
        return Verdict.NOT_MEASURED
    if target is None:
        return Verdict.INFORMATION
    if target.exact:
        return Verdict.MET if set(values) == {target.value} else Verdict.MISSED
    spread = spread_of(values)
    if spread.median <= target.value:
        return Verdict.MET
    return Verdict.WITHIN_SPREAD if spread.lower <= target.value else Verdict.MISSED


def alternating[Cost](
    subject: Callable[[], Cost], baseline: Callable[[], Cost], turns: int
) -> tuple[list[Cost], list[Cost]]:
    """Run both in turns and return what each cost, turn by turn.

    Who goes first changes with every turn: the second one finds caches warmed by the first.
    """
    subjects: list[Cost] = []
    baselines: list[Cost] = []
    pair = [(subject, subjects), (baseline, baselines)]
    for turn in range(turns):
        for run, costs in pair if turn % 2 == 0 else reversed(pair):
            costs.append(run())
    return subjects, baselines


def ratio_of_medians(subjects: Sequence[float], baselines: Sequence[float]) -> float:
    """Return how many times the baseline the subject costs."""
    return statistics.median(subjects) / statistics.median(baselines)


def ratios(
    subject: Callable[[], float], baseline: Callable[[], float], *, rounds: int, turns: int
) -> Iterator[float]:
    """Yield one ratio per round of so many turns, after one turn that does not count."""
    alternating(subject, baseline, 1)
    for _ in range(rounds):
        yield ratio_of_medians(*alternating(subject, baseline, turns))


def seconds(
    call: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """Turn a call into one that returns how long it took."""

    def run() -> float:
        began = clock()
        call()
        return clock() - began

    return run


def settled(run: Callable[[], float]) -> Callable[[], float]:
    """Turn a measurement into one that is taken after a first run that does not count.

    What the other side left behind (caches, freed buffers) is paid for by that first run.
    """

    def run_again() -> float:
        run()
        return run()

    return run_again


def growth_exponent(ratio: float, factor: float) -> float:
    """Return k where `factor` times the input costs factor**k = `ratio` times as much."""
    return math.log(ratio) / math.log(factor)
