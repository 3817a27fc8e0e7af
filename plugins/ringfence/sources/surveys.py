"""What an inventory said: a snapshot of its assets, and what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.model.assets import Snapshot
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity
from ringfence.sources.claims import Claims


@dataclass(frozen=True, slots=True)
class Survey:
    """A snapshot, and what there is to say about it: errors must be solved before it is planned with.

    `silent` are those of the problems that tell which sources gave nothing, and what stands of them; `told` those of
    what hosts say of themselves and does not count. `claims` are the addresses among it. `said` are those that tell
    what of the inventory was not read.
    """

    snapshot: Snapshot
    problems: tuple[Problem, ...] = ()
    silent: tuple[Problem, ...] = ()
    told: tuple[Problem, ...] = ()
    claims: Claims = field(default_factory=Claims)
    said: tuple[Problem, ...] = ()

    def errors(self) -> list[InputError]:
        """Return the problems that are errors, as exceptions to raise."""
        return [
            InputError(problem.message, problem.place, problem.remedy)
            for problem in self.problems
            if problem.severity is Severity.ERROR
        ]
