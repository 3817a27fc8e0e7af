"""What a reading of flows met: how many rows, how many of them wrong, and the first of those by file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ringfence.flows.possible import latest_time
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity

SHOWN = 100


@dataclass
class Reading:
    """Counts and the first hundred problems of one reading.

    `observed` stands in for times that a file does not say; `read` sets it to the file's time of change where it is not
    given. `latest` is the last time that a flow can have been seen at. `hosts` are the addresses (points) of every host
    of the inventory, which say what a host can report; None where no inventory was asked. `fields` are the names of the
    fields of a file that does not name them itself, `listeners` the addresses (as text), protocols and ports that hosts
    report to listen on; `heard` are those that the hosts of this reading told, by host. `since` and `until` bound what
    is fetched from where more lies. `empty` counts rows that are right and tell of no traffic, `faulty` are files that
    could not be read whole. `names` are the beginning of the paths of copies and what stands for it. `strict` raises
    what is wrong instead of counting it.
    """

    observed: datetime | None = None
    strict: bool = False
    latest: datetime = field(default_factory=latest_time)
    hosts: Mapping[str, frozenset[int]] | None = None
    fields: tuple[str, ...] = ()
    listeners: Collection[tuple[str, int, int]] = ()
    since: datetime | None = None
    until: datetime | None = None
    heard: dict[str, frozenset[tuple[str, int, int]]] = field(default_factory=dict)
    read: int = 0
    bad: int = 0
    empty: int = 0
    problems: list[Problem] = field(default_factory=list)
    faulty: set[Path] = field(default_factory=set)
    names: tuple[str, str] = ("", "")

    def name_of(self, path: Path) -> str:
        """Return what a file is known by, whatever place its copy has."""
        prefix, name = self.names
        return name + str(path).removeprefix(prefix) if prefix and str(path).startswith(prefix) else str(path.resolve())

    def reject(self, error: InputError, place: Place, rows: int = 1) -> None:
        """Count rows that could not be read, for one reason; in a strict reading raise it, with its place."""
        if self.strict:
            raise InputError(error.message, place, error.remedy) from error
        self.bad += rows
        self._keep(Problem(Severity.ERROR, error.message, place, error.remedy))

    def warn(self, message: str, place: Place, remedy: str | None = None, *, once: bool = False) -> None:
        """Note what is odd but loses no row, with `once` the first time alone; in a strict reading raise it."""
        if self.strict:
            raise InputError(message, place, remedy)
        if not once or all(one.message != message for one in self.problems):
            self._keep(Problem(Severity.WARNING, message, place, remedy))

    @contextmanager
    def shown(self, prefix: str, name: str) -> Iterator[None]:
        """Show places below a prefix under another name, where copies of files are read."""

        def named(place: Place | None) -> Place | None:
            if place is None or not place.file.startswith(prefix):
                return place
            return replace(place, file=name + place.file.removeprefix(prefix))

        self.names = (prefix, name)
        try:
            yield
        except InputError as error:
            raise InputError(error.message, named(error.place), error.remedy) from error
        finally:
            self.problems = [replace(problem, place=named(problem.place)) for problem in self.problems]

    def _keep(self, problem: Problem) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append(problem)

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "read": self.read,
            "bad": self.bad,
            "empty": self.empty,
            "problems": [problem.data() for problem in self.problems],
        }
