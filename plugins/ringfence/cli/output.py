"""The one printer: lines, tables and data, for people or as JSON; foreign text is made safe on its way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ringfence.cli.failures import ANSWERED
from ringfence.model.counts import counted
from ringfence.model.problems import Problem, Severity
from ringfence.model.safe_text import clean, clean_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from ringfence.presenting import Line

AGES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@dataclass(slots=True)
class Output:
    """Prints to standard output; `as_json` is what `--json` asked for, then only `data` prints there.

    `age` gives that of the inventory's answer in seconds, None where it was asked just now.
    """

    as_json: bool = False
    age: Callable[[], float | None] = lambda: None
    _live: Progress | None = None

    def data(self, value: object) -> None:
        """Print plain data as JSON, indented, in ASCII alone; a mapping says how old the inventory's answer is."""
        age = self.age()
        if age is not None and isinstance(value, dict):
            value = {**value, "inventory_age": round(age)}
        elif age is not None:
            click.echo(_old(age), err=True)
        click.echo(json.dumps(value, indent=2))
        ANSWERED.yet = True

    def tell_age(self) -> None:
        """Say on standard error how old the inventory's answer is; with `--json` that stands beside the data."""
        age = self.age()
        if age is not None and not self.as_json:
            self.note(_old(age))

    def line(self, text: str = "", style: str | None = None, bold: bool | None = None) -> None:
        """Print a line for people; nothing with `--json`."""
        if not self.as_json:
            click.secho(clean(text), fg=style, bold=bold)

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines for people; nothing with `--json`. Each stays one line, whatever the names in it have."""
        for line in lines:
            self.line(clean_line(line.text), line.style, line.bold)

    def notes(self, lines: Iterable[Line]) -> None:
        """Print lines about the work to standard error; nothing with `--json`."""
        for line in lines:
            self.note(clean_line(line.text), line.style)

    def note(self, text: str, style: str | None = None) -> None:
        """Print a line about the work to standard error; nothing with `--json`."""
        if self.as_json:
            return
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text(clean(text), style=style or ""))
            return
        click.secho(clean(text), fg=style, err=True)

    def problems(self, problems: Iterable[Problem], *, err: bool = False) -> None:
        """Print problems, each with its place and the way out; with `err` to standard error, also with `--json`."""
        if self.as_json and not err:
            return
        for problem in problems:
            place = click.style(f"{clean_line(str(problem.place))}: ", bold=True) if problem.place else ""
            severity = click.style(f"{problem.severity}: ", fg=COLOURS[problem.severity], bold=True)
            click.echo(f"{place}{severity}{clean(problem.message)}", err=err)
            if problem.remedy:
                click.echo(f"  {click.style('→', fg='cyan')} {clean(problem.remedy)}", err=err)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
        """Print rows under their columns' names, a line each whatever foreign text is in them.

        None is an empty field, columns that begin with '#' are numbers.
        """
        if self.as_json:
            return
        if not sys.stdout.isatty():
            _plain_table(columns, rows, title)
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=Text(clean_line(title), style="bold") if title else None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            header_style="bold",
        )
        for name in columns:
            numeric = name.startswith("#")
            table.add_column(Text(name.removeprefix("#")), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(cell)) for cell in row))
        console = Console(file=sys.stdout, highlight=False, markup=False)
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Say on standard error what a step works on while it lasts, where somebody watches and nothing else shows."""
        if self._live is not None:
            yield
            return
        with self.progress() as shown:
            if shown is not None:
                shown.add_task(on, total=None)
            yield

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Give a progress display on standard error, None where nobody watches."""
        if self.as_json or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            self._live = shown
            try:
                yield shown
            finally:
                self._live = None


def _old(age: float) -> str:
    unit, size = next(one for one in AGES if age >= one[1] or one[1] == 1)
    return f"the inventory answered {counted(int(age // size), unit)} ago (--fresh asks it again)"


def _cell(value: object) -> str:
    return clean_line("" if value is None else str(value))


def _plain_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None) -> None:
    """Print a table where no terminal is, as wide as its widest rows: rich takes seconds for thousands of rows."""
    from rich.cells import cell_len

    if title:
        click.echo(clean_line(title))
    cells = [[name.removeprefix("#") for name in columns]]
    cells += [[_cell(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    right = [name.startswith("#") for name in columns]
    for line in cells:
        padded = (
            " " * (width - cell_len(cell)) + cell if ends else cell + " " * (width - cell_len(cell))
            for cell, width, ends in zip(line, widths, right, strict=True)
        )
        click.echo("  ".join(padded).rstrip())
