"""What the policy as it is in the files would do to flows that were seen, compared with hosts or with a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.simulate import Simulation
from ringfence.analysis.simulate import simulate as simulated
from ringfence.analysis.simulate_judge import BUILT_IN, Category
from ringfence.analysis.simulate_selection import ChosenEnds, Selection, Wanted
from ringfence.analysis.simulate_unheld import ToNobody, to_nobody
from ringfence.estate.alternatives import compiled_as, relabelled
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.estate.queries import QueryReader
from ringfence.estate.revisions import Revision, at_revision
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError
from ringfence.model.intervals import EMPTY
from ringfence.model.rules import Policy
from ringfence.model.tables import DEFAULT_RULE
from ringfence.operations.execution import Execution
from ringfence.operations.interrupting import heeding, interruptible

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.tables import VerdictTable
    from ringfence.operations.flow_selection import FlowSelection


@dataclass(frozen=True, slots=True)
class FlowChoice:
    """Which of the judged flows are meant, as people say it; what is empty means every flow.

    `rules` are ids or names, `rulesets` files or `FILE:LINE`, `assets` and the two ends of `pair` selectors.
    """

    categories: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rulesets: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None

    def wanted(self, estate: Estate) -> Wanted:
        """Return what is meant. Raise InputErrors for a rule, a ruleset or an end that there is not."""
        if self == FlowChoice():
            return Wanted()
        queries = QueryReader(estate.workspace.definitions, estate.snapshot)
        ends = Ends(estate.snapshot, estate.workspace.settings)
        either = tuple(one for text in self.assets for one in queries.selectors(text))
        client, server = (queries.selectors(text) for text in self.pair) if self.pair else ((), ())
        return Wanted(
            categories=frozenset(map(Category, self.categories)) or None,
            rules=rule_ids(estate.workspace.policy, self.rules, self.rulesets),
            client=ChosenEnds.of(client, ends) if client else None,
            server=ChosenEnds.of(server, ends) if server else None,
            either=ChosenEnds.of(either, ends) if either else None,
        )


@dataclass(frozen=True, slots=True)
class Simulated:
    """Counts of judged flows; single flows can be asked for as long as their window is open.

    `wrong` counts flows that were left out, `to_nobody` those to addresses that no asset holds. `chosen` are the flows
    that were asked for, `against` is the commit that the files were compared with, None for what hosts hold.
    """

    simulation: Simulation
    totals: dict[str, object]
    wrong: int
    to_nobody: ToNobody
    chosen: Selection
    policy: Policy
    against: Revision | None = None

    @property
    def guesses(self) -> int:
        """Return how many flows of the window have a direction that was only guessed."""
        return int(str(self.totals["guesses"]))

    @property
    def judged(self) -> int:
        """Return how many flows have a verdict."""
        return sum(count.flows for count in self.simulation.categories.values())

    @property
    def newly_denied(self) -> int:
        """Return how many flows would be denied that are allowed now."""
        return self.simulation.categories[Category.NEWLY_DENIED].flows

    def choosing(
        self,
        estate: Estate,
        choice: FlowChoice,
        labels: tuple[int | None, int | None] | None = None,
        asset: str | None = None,
    ) -> Simulated:
        """Return the same with other flows chosen, which costs no judging.

        `labels` are the numbers of an entry of `by_labels`, `asset` is the name of one of `by_asset`: both mean exactly
        the flows that were counted there. Raise InputErrors for a choice that nothing can meet.
        """
        wanted = choice.wanted(estate)
        either = ChosenEnds(frozenset({asset}), EMPTY) if asset is not None else wanted.either
        wanted = replace(wanted, labels=labels, either=either)
        return replace(self, chosen=Selection(self.simulation, wanted))

    def flows(self, limit: int | None = None) -> list[dict[str, object]]:
        """Return the single flows that were asked for as plain data, the busiest first."""
        return [flow.data() for flow in self.chosen.flows(limit)]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON, without single flows and assets."""
        counts = self.simulation.data()
        every = Selection(self.simulation)
        found: dict[str, object] = {
            "window": self.totals,
            "against": self.against.data() if self.against else None,
            **counts,
            "by_ruleset": [one.data() for one in every.by_ruleset(self.policy)],
            "wrong": self.wrong,
            "to_nobody": self.to_nobody.data(),
        }
        chosen = self.chosen
        if not chosen.whole:
            found["chosen"] = {
                "categories": {str(category): count.data() for category, count in chosen.categories.items()},
                "would_be_denied": chosen.watched.data(),
                "by_rule": [one.data() for one in chosen.by_rule()],
                "by_ruleset": [one.data() for one in chosen.by_ruleset(self.policy)],
                "by_labels": [one.data() for one in chosen.by_labels()],
            }
        return found


@contextmanager
def simulate(
    estate: Estate,
    flows: FlowSelection,
    execution: Execution | None = None,
    *,
    against: str | None = None,
    choice: FlowChoice | None = None,
    told: Callable[[int], None] | None = None,
) -> Iterator[Simulated]:
    """Judge flows; within the context their window is open. `told` hears how many groups of them are judged.

    They are compared with what hosts hold, or with what they would hold under the files of the commit `against`. Raise
    InputErrors for a revision that there is not, and for a choice that nothing can meet, Cancelled where judging was
    cancelled.
    """
    execution = execution or Execution()
    listener = execution.listener
    heed = heeding(execution, lambda done, _every, _so_far=None: told(done) if told is not None else None)
    wanted = (choice or FlowChoice()).wanted(estate)
    held = estate.overridden(held_tables(estate, known_records(estate), listener))
    compiled = estate.in_force()
    # a host that nothing brings its table to goes on with what it holds
    tables = {**compiled.tables, **{name: held[name] for name in compiled.why if name in held}}
    current, revision = held, None
    if against is not None:
        current, revision = _at(estate, against, held, listener)
    with flows.window(estate, listener) as window:
        with interruptible(execution, window.connection):
            result = simulated(tables, estate.snapshot, window, current, told=lambda done: heed(done, 0))
        nobodys = to_nobody(result, estate.snapshot, estate.workspace.settings)
        chosen, policy = Selection(result, wanted), compiled.policy
        yield Simulated(result, window.totals(), window.wrong, nobodys, chosen, policy, revision)


def _at(
    estate: Estate, name: str, held: Mapping[str, VerdictTable], listener: Listener
) -> tuple[dict[str, VerdictTable], Revision]:
    """Return the tables that hosts would hold under the files of a commit, for the assets as they are now."""
    with listener.working(f"reading {name}"):
        then, revision = at_revision(estate.directory, name)
    made = estate.with_emergencies(
        compiled_as(estate, snapshot=relabelled(estate, then.label_rules), policy=then.policy, settings=then.settings)
    )
    return {**made.tables, **{host: held[host] for host in made.why if host in held}}, revision


def rule_ids(policy: Policy, rules: Sequence[str], rulesets: Sequence[str]) -> frozenset[str] | None:
    """Return the ids of the rules that some words mean, None where there are no words."""
    if not rules and not rulesets:
        return None
    found = {rule for word in rulesets for rule in _of_ruleset(policy, word)}
    for word in rules:
        meant = {rule.id for rule in policy.rules if word in (rule.id, rule.name)}
        if word == DEFAULT_RULE or word.startswith(BUILT_IN):
            meant.add(word)
        if not meant:
            near = nearest(word, {rule.name for rule in policy.rules})
            remedy = (
                did_you_mean(word, near) if near else "simulate --by rule names them; 'default' is what none decided"
            )
            raise InputError(f"no rule is called '{word}', by name or id", remedy=remedy)
        found |= meant
    return frozenset(found)


def _of_ruleset(policy: Policy, word: str) -> list[str]:
    """Return the rules of a ruleset: `shop`, `shop.yml`, `policy/shop.yml`, or one document, `policy/shop.yml:12`."""
    names = sorted({rule.ruleset for rule in policy.rules})
    chosen = {name for name in names if word in _names_of(name)}
    if not chosen:
        near = nearest(word, {short for name in names for short in _names_of(name)})
        remedy = did_you_mean(word, near) if near else "simulate --by ruleset names them"
        raise InputError(f"no ruleset is called '{word}'", remedy=remedy)
    return [rule.id for rule in policy.rules if rule.ruleset in chosen]


def _names_of(ruleset: str) -> set[str]:
    file = ruleset.rpartition(":")[0] if ruleset.rpartition(":")[2].isdigit() else ruleset
    line = ruleset.removeprefix(file)
    below = file.partition("/")[2] or file
    stem = below.rpartition(".")[0] or below
    return {f"{name}{end}" for name in (file, below, stem) for end in {"", line}}
