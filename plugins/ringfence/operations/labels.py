"""Labels: every one of chosen assets with the rule that gave it, and suggestions for those that are lacking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.estate.queries import QueryReader
from ringfence.language.editing import add_label_rule
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.execution import Execution
from ringfence.suggest.labels import Suggestion, Talk, next_priority, suggestions
from ringfence.workspace import LABELS

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset
    from ringfence.operations.flow_selection import FlowSelection


@dataclass(frozen=True, slots=True)
class Labelled:
    """Chosen assets with their labels, and the problems of all assets."""

    assets: Sequence[Asset]
    problems: Sequence[Problem]

    @property
    def broken(self) -> bool:
        """Return whether a problem is an error."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Suggestions, those of them that were accepted, and the rules that were written for these."""

    suggestions: Sequence[Suggestion]
    accepted: Sequence[Suggestion]
    rules: Sequence[dict[str, object]]


def labels(estate: Estate, words: Sequence[str] = ()) -> Labelled:
    """Return the assets that words mean, also where the survey found errors."""
    survey = estate.survey()
    return Labelled(QueryReader(estate.workspace.definitions, survey.snapshot).assets(words), survey.problems)


def suggest_labels(
    estate: Estate, flows: FlowSelection | None, accept: Sequence[str] = (), execution: Execution | None = None
) -> Suggested:
    """Return suggestions of role and app labels, and write those that are accepted into labels.yml.

    Raise InputError where a name that is accepted is not suggested.
    """
    found = suggestions(estate.snapshot, _talks(estate, flows, execution or Execution()))
    accepted = [one for name in accept for one in _named(found, name)]
    return Suggested(found, accepted, _written(estate, accepted))


def _talks(estate: Estate, flows: FlowSelection | None, execution: Execution) -> list[Talk]:
    """Return who of the assets talks to whom, busiest first."""
    if flows is None:
        return []
    with flows.window(estate, execution.listener) as window:
        rows = window.rows(
            "SELECT client_asset, server_asset,"
            " CASE protocol WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' ELSE 'sctp' END || '/' || port, sum(connections)"
            " FROM flows WHERE client_asset IS NOT NULL AND server_asset IS NOT NULL AND protocol IN (6, 17, 132)"
            " GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3"
        )
    return [Talk(str(client), str(server), str(service), int(str(count))) for client, server, service, count in rows]


def _named(found: tuple[Suggestion, ...], name: str) -> list[Suggestion]:
    """Return the suggestions of a name, `role=db:ports` or all of `role=db`."""
    chosen = [one for one in found if name in (one.name, one.name.rpartition(":")[0])]
    if not chosen:
        raise InputError(f"nothing called '{name}' is suggested", remedy="ringfence labels suggest shows what is")
    return chosen


def _written(estate: Estate, accepted: list[Suggestion]) -> list[dict[str, object]]:
    """Write suggestions into labels.yml, each behind the others in priority; return the rules."""
    first = next_priority(estate.workspace.label_rules)
    rules = [one.rule(first + number) for number, one in enumerate(accepted)]
    for rule in rules:
        add_label_rule(estate.directory / LABELS, rule)
    return rules
