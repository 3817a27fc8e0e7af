"""What another label would do, before it is given: rules, tables, and flows that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.analysis.impact import (
    LabelChange,
    ModeChange,
    RuleChange,
    changed_labels,
    changed_modes,
    changed_rules,
)
from ringfence.analysis.invariants import broken
from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.policy_tests import failures
from ringfence.analysis.simulate import Simulation, simulate
from ringfence.analysis.simulate_judge import Category
from ringfence.estate.alternatives import compiled_as, compiled_between, relabelled
from ringfence.estate.queries import QueryReader
from ringfence.estate.revisions import Revision, at_revision
from ringfence.language import load_label_rules
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.model.label_rules import label_key_fault
from ringfence.model.label_texts import label_fault, label_text
from ringfence.operations.execution import Execution
from ringfence.plan.plan_diff import plan_diff

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.operations.flow_selection import FlowSelection

GIVEN = "command line"


@dataclass(frozen=True, slots=True)
class ImpactRequest:
    """Which labels are to be others.

    Of the assets that `words` choose those of `labels` (`key=value`, `key=` for none); or all that the label rules of
    another file give; or all that the file gives otherwise than it did at a git revision, `against`.
    """

    words: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labels_file: Path | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """A test or an invariant of the policy that holds now and would not then: its name, its place and the reason."""

    name: str
    place: str
    why: str

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"name": self.name, "place": self.place, "why": self.why}


@dataclass(frozen=True, slots=True)
class Impact:
    """What changes with some labels; within the context of `impact` single flows can be asked for.

    `tables` is the difference of the workloads' tables as a plan has it; `new_values` are labels that no asset has yet;
    `failing` are tests and invariants that hold now and would not then.
    """

    labels: tuple[LabelChange, ...]
    new_values: tuple[str, ...]
    rules: tuple[RuleChange, ...]
    modes: tuple[ModeChange, ...]
    tables: dict[str, JsonValue]
    simulation: Simulation
    window: dict[str, object]
    wrong: int
    failing: tuple[Expectation, ...]
    against: Revision | None

    @property
    def workloads(self) -> int:
        """Return how many workloads get another table."""
        groups = self.tables["groups"]
        found = (one["workloads"] for one in groups if isinstance(one, dict)) if isinstance(groups, list) else ()
        return sum(len(names) for names in found if isinstance(names, list))

    @property
    def newly_denied(self) -> int:
        """Return how many flows would be denied that the files allow now."""
        return self.simulation.categories[Category.NEWLY_DENIED].flows

    @property
    def bad(self) -> bool:
        """Return whether a flow would be denied, or a test or an invariant fail, that is well now."""
        return bool(self.newly_denied or self.failing)

    @property
    def judged(self) -> int:
        """Return how many flows were judged."""
        return sum(count.flows for count in self.simulation.categories.values())

    def flows(self, limit: int | None = None) -> list[dict[str, object]]:
        """Return the single flows that would be judged otherwise, as plain data, the busiest first."""
        changed = (Category.NEWLY_DENIED, Category.NEWLY_ALLOWED)
        return [one.data() for one in self.simulation.flows(changed, limit=limit)]

    def data(self, limit: int | None = None) -> dict[str, object]:
        """Return plain data for `--json`, with so many single flows."""
        counts = self.simulation.data()
        return {
            "against": self.against.data() if self.against else None,
            "labels": [one.data() for one in self.labels],
            "new_values": list(self.new_values),
            "rules": [one.data() for one in self.rules],
            "modes": [one.data() for one in self.modes],
            "failing": [one.data() for one in self.failing],
            "tables": self.tables,
            "window": self.window,
            "wrong": self.wrong,
            **{name: counts[name] for name in ("categories", "would_be_denied", "depends_on_process", "unseen")},
            "flows": self.flows(limit),
        }


@contextmanager
def impact(
    estate: Estate, request: ImpactRequest, flows: FlowSelection, execution: Execution | None = None
) -> Iterator[Impact]:
    """Compare the policy of the files with the labels as they are and as they would be.

    Raise InputErrors for words that choose nothing, for what is no label, and where nothing would be another.
    """
    listener = (execution or Execution()).listener
    before, after, revision = _snapshots(estate, request)
    labels = changed_labels(before, after)
    if not labels:
        raise InputError("no label would be another one", remedy=_unchanged(request))
    first, second = compiled_between(estate, before, after)
    rules = changed_rules(first, second, {one.asset for one in labels})
    with listener.working("comparing the tables"):
        tables = plan_diff(first.tables, second.tables, after)
    known = {(key, label.value) for asset in before.assets for key, label in asset.labels.items()}
    new = [f"{one.key}={one.after}" for one in labels if one.after is not None and (one.key, one.after) not in known]
    failing = _failing(estate, before, after)
    with flows.window(estate, listener) as window:
        result = simulate(second.tables, after, window, first.tables)
        yield Impact(
            tuple(labels),
            tuple(dict.fromkeys(new)),
            tuple(rules),
            tuple(changed_modes(first, second)),
            tables,
            result,
            window.totals(),
            window.wrong,
            failing,
            revision,
        )


def _failing(estate: Estate, before: Snapshot, after: Snapshot) -> tuple[Expectation, ...]:
    policy = estate.workspace.policy
    if not policy.tests and not policy.invariants:
        return ()
    earlier = {(one.name, one.place) for one in _not_met(compiled_as(estate, snapshot=before, full=True))}
    then = _not_met(compiled_as(estate, snapshot=after, full=True))
    return tuple(one for one in then if (one.name, one.place) not in earlier)


def _not_met(full: Compilation) -> list[Expectation]:
    """Return the tests that fail and the invariants that do not hold."""
    found = [Expectation(one.test.name, str(one.test.place), str(one)) for one in failures(full)]
    for one in broken(full):
        example = f"{one.example.client} → {one.example.server} on {one.example.service}"
        why = f"invariant '{one.invariant.name}' does not hold: {example}"
        found.append(Expectation(one.invariant.name, str(one.invariant.place), why))
    return found


def _snapshots(estate: Estate, request: ImpactRequest) -> tuple[Snapshot, Snapshot, Revision | None]:
    ways = [bool(request.words or request.labels), request.labels_file is not None, request.against is not None]
    if sum(ways) != 1:
        remedy = "impact web-1 --label env=prod; or --labels-file new.yml; or --against HEAD"
        raise InputError("say which labels would be others, in one way", remedy=remedy)
    if request.labels_file is not None:
        if not request.labels_file.exists():
            raise InputError("there is no such file", Place(str(request.labels_file)))
        return estate.snapshot, relabelled(estate, load_label_rules(request.labels_file)), None
    if request.against is not None:
        then, revision = at_revision(estate.directory, request.against)
        return relabelled(estate, then.label_rules), estate.snapshot, revision
    return estate.snapshot, _given(estate, request), None


def _given(estate: Estate, request: ImpactRequest) -> Snapshot:
    if not request.words or not request.labels:
        lacking = "assets" if not request.words else "labels"
        raise InputError(f"no {lacking} are named", remedy="impact web-1 --label env=prod --label tier=")
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    ends = Ends(estate.snapshot, estate.workspace.settings)
    names = {asset.name for word in request.words for asset, _ in ends.assets(queries.selectors(word))}
    if not names:
        raise InputError(f"'{' '.join(request.words)}' chooses no asset with an address")
    given = _labels(request.labels)
    assets = tuple(_with(asset, given) if asset.name in names else asset for asset in estate.snapshot.assets)
    return replace(estate.snapshot, assets=assets)


def _labels(texts: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    errors = []
    for text in texts:
        key, sign, rest = text.partition("=")
        key, value = key.strip(), label_text(rest)
        fault = None if sign else "is not a valid label"
        fault = fault or (value and label_fault(value)) or label_key_fault(key)
        if fault or key in found:
            message = f"--label {text}: {fault}" if fault else f"--label {text}: the label '{key}' stands twice"
            errors.append(InputError(message, remedy="write key=value, or key= to take the label away"))
        found[key] = value or None
    if errors:
        raise InputErrors(errors)
    return found


def _with(asset: Asset, given: dict[str, str | None]) -> Asset:
    labels = {key: label for key, label in asset.labels.items() if key not in given}
    labels |= {key: Label(value, GIVEN) for key, value in given.items() if value is not None}
    return replace(asset, labels=dict(sorted(labels.items())))


def _unchanged(request: ImpactRequest) -> str:
    if request.words:
        return "the assets have these labels already: ringfence labels shows them"
    return "the label rules give every asset the labels that it has"
