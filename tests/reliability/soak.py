"""Run the model with fresh random choices for as long as told: `make soak SECONDS=600`."""

import argparse
import random
import time

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tests.reliability.model import CacheModel

EXAMPLES_PER_ROUND = 100


def run_round(number: int) -> None:
    """Run the model a hundred times; an AssertionError shows the steps that broke it."""
    chosen = settings(
        max_examples=EXAMPLES_PER_ROUND,
        stateful_step_count=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(CacheModel), settings=chosen)


def soak(seconds: float) -> int:
    """Run rounds until the time is over; returns how many histories were tried."""
    began, tried = time.monotonic(), 0
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("0 histories", total=seconds)
        while (elapsed := time.monotonic() - began) < seconds:
            number = random.SystemRandom().randrange(2**32)
            told = f"{tried} histories, seed {number}"
            progress.update(task, completed=elapsed, description=told)
            run_round(number)
            tried += EXAMPLES_PER_ROUND
        progress.update(task, completed=seconds)
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    parser.add_argument("--seed", type=int, help="run one round again, with this seed")
    options = parser.parse_args()
    if options.seed is not None:
        run_round(options.seed)
    else:
        print(f"{soak(options.seconds)} histories, every invariant held")


if __name__ == "__main__":
    main()
