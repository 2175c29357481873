"""The families of rows: which process measures which, in which order, with what around it."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tools.bench.processes import MeasurementFailedError, Measuring, aws_server
from tools.bench.rows import ROWS, Result


@dataclass(frozen=True, slots=True)
class Family:
    """A measuring process. With `size`, it is a reader of the entries of that prefix."""

    module: str
    title: str
    size: str | None = None


FAMILIES: Mapping[str, Family] = {
    "artifact": Family("artifact", "artifact"),
    "cold_start": Family("cold_start", "cold start", "7k"),
    "hits_7k": Family("hits", "hits, 7 KB", "7k"),
    "hits_600k": Family("hits", "hits, 600 KB", "600k"),
    "requests_per_hit": Family("requests_per_hit", "requests per hit", "7k"),
    "transform": Family("transform", "transform"),
    "service": Family("service", "round trips, stampede, memory"),
}


@dataclass(slots=True)
class Collected:
    """What a family's process told so far."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    series: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def take(self, message: Mapping[str, Any]) -> None:
        """Keep what one message says of a row."""
        row = message["row"]
        if "problem" in message:
            self.problems[row] = message["problem"]
        elif "series" in message:
            named = self.series.setdefault(row, {})
            named.setdefault(message["series"], []).append(message["value"])
        else:
            self.values[row].append(message["value"])

    def results(self, family: str, failure: str | None) -> Iterator[Result]:
        """Yield a result for every row of the family; one without values says why.

        What a process told before it failed does not count.
        """
        for name in (name for name, row in ROWS.items() if row.family == family):
            problem = failure or self.problems.get(name)
            if problem:
                yield Result(name, problem=problem)
            else:
                yield Result(name, self.values[name], self.series.get(name, {}))


def measure(names: Sequence[str], port: int, console: Console) -> list[Result]:
    """Measure families, one after another.

    A family that fails costs its own rows alone. Raises MeasurementFailedError where the loopback
    AWS could not start: its port is taken.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with contextlib.ExitStack() as running:
        aws: dict[str, str] = {}
        if any(FAMILIES[name].size for name in names):
            aws = running.enter_context(aws_server(port))
        progress = running.enter_context(Progress(*columns, console=console))
        tasks = {name: progress.add_task(FAMILIES[name].title, start=False) for name in names}
        results: dict[str, Result] = {}
        for name in names:
            for result in _measure_family(name, aws, progress, tasks[name]):
                results[result.row] = result
    return [results[row] for row in ROWS if row in results]


def _measure_family(
    name: str, aws: Mapping[str, str], progress: Progress, task: TaskID
) -> list[Result]:
    progress.start_task(task)
    collected, failure = Collected(), None
    with _process(FAMILIES[name], aws) as messages:
        try:
            _listen(messages, collected, progress, task)
        except MeasurementFailedError as exc:
            failure = f"the measurement failed: {exc}"
    progress.update(task, completed=progress.tasks[task].total or 1)
    return list(collected.results(name, failure))


def _process(family: Family, aws: Mapping[str, str]) -> Measuring:
    if family.size is None:
        return Measuring(family.module)
    environment = {
        **aws,
        "AWS_LAMBDA_FUNCTION_NAME": "benchmark-reader",
        "CACHE_PREFIX": f"{family.size}/",
    }
    return Measuring(family.module, [aws["CACHE_BUCKET"], family.size], environment)


def _listen(
    messages: Iterable[Mapping[str, Any]], collected: Collected, progress: Progress, task: TaskID
) -> None:
    for message in messages:
        if "begin" in message:
            progress.update(task, total=message["begin"])
        elif "step" in message:
            progress.advance(task)
        else:
            collected.take(message)
