"""How answers reach a person or a program: sentences and tables, or JSON."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from typing import IO, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from tools.admin.errors import UsageError
from tools.admin.words import visible

WIDE = 10_000
"""A program or a file gets each row in one line, however long."""
NARROWEST_LAST_COLUMN = 16
GAP = 2
STYLES = {
    "fresh": "green",
    "stale": "yellow",
    "purged": "red",
    "missing": "red",
    "unreadable": "red",
    "WARNING": "yellow",
    "ERROR": "red",
}


@dataclass(frozen=True)
class Table:
    """Rows of texts. The last column may be long; the others are never broken."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Answer:
    """What a command found: a JSON value, the same for people, and whether it is bad news."""

    document: Any
    parts: Sequence[str | Table]
    failed: bool = False


class Terminal:
    """Answers go to stdout; questions, progress and problems to stderr."""

    def __init__(
        self, *, as_json: bool = False, out: IO[str] | None = None, err: IO[str] | None = None
    ) -> None:
        self.as_json = as_json
        self._out = _console(out or sys.stdout)
        self._err = _console(err or sys.stderr)

    def show(self, answer: Answer) -> None:
        """Print an answer."""
        if self.as_json:
            self._print_json(answer.document)
            return
        if self._out.is_terminal:
            self._out.print(self._rendered(answer))
            return
        with self._out.capture() as captured:
            self._out.print(self._rendered(answer))
        lines = [line.rstrip() for line in captured.get().splitlines()]
        self._out.file.write("".join(f"{line}\n" for line in lines))
        self._out.file.flush()

    def note(self, text: str) -> None:
        """Tell what goes on, beside the answer."""
        self._err.print(Text(visible(text)), soft_wrap=True)

    def progress(self, text: str) -> None:
        """Tell what it waits for, if a person looks on."""
        if self._err.is_terminal:
            self.note(text)

    def problem(self, text: str) -> None:
        """Tell why there is no answer."""
        self._err.print(Text(f"error: {visible(text)}", style="red"), soft_wrap=True)

    def ask(self, question: str) -> bool:
        """Ask for a yes. Raises UsageError where nobody can answer."""
        if not sys.stdin.isatty():
            raise UsageError("there is nobody to ask; --yes says that it is meant")
        self._err.print(Text(f"{question} [y/N] "), end="")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextmanager
    def live(self) -> Iterator[Callable[[Answer], None]]:
        """Give what shows answers one after another, each in the place of the one before."""
        if self.as_json or not self._out.is_terminal:
            yield _Changes(self.show)
            return
        with Live(console=self._out, auto_refresh=False) as live:
            yield lambda answer: live.update(self._rendered(answer), refresh=True)

    def _print_json(self, document: Any) -> None:
        self._out.file.write(json.dumps(document, indent=2) + "\n")
        self._out.file.flush()

    def _rendered(self, answer: Answer) -> RenderableType:
        return Group(*(_part(part, self._out.width) for part in answer.parts))


class _Changes:
    """For a file or a program: an answer is printed if more than its ages has changed."""

    def __init__(self, show: Callable[[Answer], None]) -> None:
        self._show = show
        self._last: Any = None

    def __call__(self, answer: Answer) -> None:
        told = _without_ages(answer.document)
        if told != self._last:
            self._show(answer)
            self._last = told


def _console(file: IO[str]) -> Console:
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDE
    return console


def _without_ages(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ages(item) for key, item in value.items() if key != "age_seconds"}
    return [_without_ages(item) for item in value] if isinstance(value, list) else value


def _part(part: str | Table, width: int) -> RenderableType:
    if isinstance(part, str):
        return Text(visible(part))
    part = _without_empty_columns(part)
    return _table(part) if _least_width(part) <= width else _records(part)


def _without_empty_columns(table: Table) -> Table:
    used = [any(cells) for cells in zip(*table.rows, strict=True)]
    return Table(
        tuple(compress(table.columns, used)), [tuple(compress(row, used)) for row in table.rows]
    )


def _least_width(table: Table) -> int:
    """The columns that a table needs, if its last one is folded."""
    widths = [
        max(Text(cell).cell_len for cell in column)
        for column in zip(table.columns, *table.rows, strict=True)
    ]
    return sum(widths[:-1]) + GAP * (len(widths) - 1) + min(widths[-1], NARROWEST_LAST_COLUMN)


def _table(table: Table) -> RenderableType:
    rendered = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    *fixed, last = table.columns
    for column in fixed:
        rendered.add_column(Text(column), no_wrap=True)
    rendered.add_column(Text(last), overflow="fold")
    for row in table.rows:
        rendered.add_row(*map(_cell, row))
    return rendered


def _records(table: Table) -> RenderableType:
    """For a narrow terminal: a line for each cell that says something."""
    records = []
    for row in table.rows:
        lines = [
            Text.assemble((f"{name}: ", "bold"), _cell(cell))
            for name, cell in zip(table.columns, row, strict=True)
            if cell
        ]
        records.append(Text("\n").join([*lines, Text("")]))
    return Group(*records)


def _cell(text: str) -> Text:
    return Text(visible(text), style=STYLES.get(text, ""))
