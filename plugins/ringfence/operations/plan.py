"""Making the one artefact that a rollout takes: compile, compare with what hosts hold, simulate, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.analysis.held_containers import held_by
from ringfence.estate.held_tables import known_records
from ringfence.model.assets import USUAL_ENFORCER
from ringfence.model.errors import InputError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.beside_tests import cut_tests
from ringfence.operations.check import refuse_errors
from ringfence.operations.emergencies import standing_problems
from ringfence.operations.execution import Execution
from ringfence.operations.other_firewalls import forwarding_problems
from ringfence.operations.own_addresses import own_addresses
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.tables import VerdictTable
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.plan import Circumstances, Draft, Held

# Pairs of label combinations whose counts a plan keeps; `ringfence simulate` counts them all again.
LOOK_LONGER = "collect flows there, or look further back with --since"
PAIRS_KEPT = 100


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is made of beside the workspace; `restore` names an earlier plan to bring back, `key` signs."""

    flows: FlowSelection | None = None
    rebase: bool = False
    restore: str | None = None
    drop: tuple[str, ...] = ()
    drop_missing: bool = False
    key: Path | None = None
    force_lockout_test: bool = False


@dataclass(frozen=True, slots=True)
class MadePlan:
    """A plan that was written; `flow_words` describe its effect on traffic, `wrong` counts flows that were left out.

    `guesses` are the flows whose direction was only guessed.
    """

    draft: Draft
    directory: Path
    flow_words: str
    wrong: int
    guesses: int


def make_plan(estate: Estate, request: PlanRequest, execution: Execution | None = None) -> MadePlan:
    """Make a plan, write it into the workspace and return it. Raise InputErrors for what `check` finds wrong."""
    from ringfence.operations.drive import refuse_unknown
    from ringfence.plan import sign, write

    execution = execution or Execution()
    if request.rebase:
        from ringfence.operations.host_state import ask_hosts

        ask_hosts(estate, execution)
    held = known_records(estate)
    refuse_unknown(request.drop, {*held, *estate.snapshot.named()}, "--drop: what is known of inventory and plans")
    dropped = frozenset({*request.drop, *(held if request.drop_missing else ())})
    making = _Making(estate, request, held, dropped, execution.listener)
    draft = making.restored(request.restore) if request.restore else making.planned()
    directory = write(draft, estate.plans)
    if request.key is not None:
        sign(directory, request.key)
    return MadePlan(draft, directory, making.flow_words, making.wrong, making.guesses)


class _Making:
    """Makes one plan: gathers what it depends on, in the order that errors are best told."""

    def __init__(
        self, estate: Estate, request: PlanRequest, held: dict[str, Held], dropped: frozenset[str], listener: Listener
    ) -> None:
        self.estate = estate
        self.request = request
        self.held = held
        self.dropped = dropped
        self.listener = listener
        self.flows = request.flows
        self.flow_words = ""
        self.wrong = 0
        self.guesses = 0

    def planned(self) -> Draft:
        """Return the plan of the policy in the files."""
        from ringfence.enforcers import enforcer
        from ringfence.plan.build import build
        from ringfence.plan.preflight import doubts

        estate = self.estate
        refuse_errors(estate)
        found = estate.survey()
        self.listener.problems((*found.said, *found.silent, *found.told))
        tables = estate.compilation.tables
        self.listener.problems(_chosen(estate))
        self.listener.problems(standing_problems(estate))
        self.listener.problems(cut_tests(estate, estate.compilation))
        self.listener.problems(forwarding_problems(estate, tables, held_by(estate.snapshot.assets)))
        if not tables and not self.dropped:
            remedy = "name hosts with addresses in inventory/; ringfence assets shows what there is"
            if estate.compilation.unenforced:
                remedy = "no installed enforcer is for these hosts: ringfence check names them"
            raise InputError("there is no workload to make a plan for", remedy=remedy)
        estate.keep_snapshot()
        if not self.request.force_lockout_test:
            self.listener.problems(doubts(estate.compilation, self.held))
            self.listener.problems(_unread_proxies(estate))
        return build(estate.compilation, enforcer, self._circumstances(tables))

    def restored(self, name: str) -> Draft:
        """Return the plan that restores what an earlier plan gave to hosts."""
        from ringfence.plan import find, restore
        from ringfence.plan.rollout_order import rollout_order
        from ringfence.plan.store import read_draft
        from ringfence.plan.verdict_table_json import table_of

        files = read_draft(find(self.estate.plans, name))
        old = files.plan
        read_tables = {digest: table_of(text) for digest, text in files.tables.items()}
        tables = {name: read_tables[digest] for name, digest in old.workloads.items()}
        settings = self.estate.workspace.settings
        given = self._circumstances(tables)
        order = partial(rollout_order, self.estate.snapshot, settings, here=given.here)
        return restore(old, files, given, settings.valid_days, settings.waves, order)

    def _circumstances(self, tables: Mapping[str, VerdictTable]) -> Circumstances:
        from ringfence.enforcers import enforcer
        from ringfence.estate.held_tables import held_tables
        from ringfence.plan import Circumstances, Inputs, next_sequence
        from ringfence.plan.left_out import left_out, taken
        from ringfence.plan.plan_diff import plan_diff

        estate = self.estate
        aside = left_out(estate.compilation, self.held, enforcer) if tables is estate.compilation.tables else {}
        enforced = held_tables(estate, {name: one for name, one in self.held.items() if name in tables}, self.listener)
        # a host that is left out goes on with what it holds
        left = {name: enforced[name] for name in aside if name in enforced}
        if tables is estate.compilation.tables:
            tables = taken(estate.compilation, self.held, enforcer).tables
        planned = {**tables, **left}
        flows, simulation = self._simulated(planned, enforced)
        return Circumstances(
            inputs=Inputs(inventory=estate.snapshot_digest, policy=estate.workspace.policy_digest, flows=flows),
            sequence=next_sequence(estate.plans, self._believed()),
            now=estate.now,
            held=self.held,
            simulation=simulation,
            diff=plan_diff(enforced, planned, estate.snapshot),
            dropped=self.dropped,
            force_lockout=self.request.force_lockout_test,
            here=own_addresses(estate, tables),
            chosen=estate.enforcers[1],
        )

    def _believed(self) -> int:
        """Return the newest number that hosts are believed to have seen, and name those that are not believed."""
        from ringfence.plan.host_records import believed_sequence
        from ringfence.plan.store import highest_planned

        believed, others = believed_sequence(highest_planned(self.estate.plans), self.held)
        self.listener.problems(
            [
                Problem(
                    Severity.WARNING,
                    f"{name} reports plan number {number}, far above every plan here: that is not believed; "
                    "if it is true, the host refuses this plan",
                    remedy="look at the host; 'ansible-playbook ringfence.core.remove --limit' lets it begin anew",
                )
                for name, number in others.items()
            ]
        )
        return believed

    def _simulated(
        self, tables: Mapping[str, VerdictTable], enforced: dict[str, VerdictTable]
    ) -> tuple[str, dict[str, JsonValue]]:
        """Return the digest of the flows looked at and what the tables do to them; empty where none were."""
        if self.flows is None:
            return "", {}
        from ringfence.analysis.simulate import simulate

        with self.flows.window(self.estate, self.listener) as window:
            self.wrong = window.wrong
            if not len(window):
                self.flow_words = f"no {self.flows.words()}: the plan says nothing of what it does to traffic"
                return "", {}
            result = simulate(tables, self.estate.snapshot, window, enforced)
            self.flow_words = f"{self.flows.words()}: {result.summary()}"
            self.guesses = window.guesses
            if unseen := result.unseen_words():
                self.listener.problems([Problem(Severity.WARNING, unseen, remedy=LOOK_LONGER)])
            data: dict[str, JsonValue] = {"window": window.totals(), **result.data(PAIRS_KEPT)}  # type: ignore[dict-item]  # plain
            return window.digest(), {**data, "wrong": self.wrong, "summary": self.flow_words}


def _unread_proxies(estate: Estate) -> list[Problem]:
    """Return what leads to workloads through jump hosts that no variable names, so that nothing checks them."""
    from ringfence.plan.jump_hosts import jump_hosts
    from ringfence.plan.preflight import SSH_CONNECTIONS
    from ringfence.sources.unread_proxies import unread_proxies

    named = estate.compilation.snapshot.named()
    targets = {}
    for name in estate.compilation.tables:
        attributes = named[name].attributes
        if attributes.get("ansible_connection", "ssh") in SSH_CONNECTIONS and not jump_hosts(attributes):
            targets[name] = (str(attributes.get("ansible_host", name)),)
    return unread_proxies(estate.directory, targets)


def _chosen(estate: Estate) -> list[Problem]:
    """Return a notice for every enforcer that facts of hosts decided on."""
    from ringfence.plan.enforcer_choice import VARIABLE, kept

    hosts: dict[tuple[str, str], list[str]] = {}
    named = estate.enforcers[0].named()
    for name, why in estate.enforcers[1].items():
        hosts.setdefault((named[name].enforcer, why), []).append(name)
    return [
        Problem(
            Severity.WARNING,
            f"{first_few(of)} gets the enforcer {enforcer}: {why}",
            remedy=_kept(enforcer) if why == kept(enforcer) else f"to settle it write '{VARIABLE}: {enforcer}'",
        )
        for (enforcer, why), of in sorted(hosts.items())
    ]


def _kept(enforcer: str) -> str:
    """Return the ways on for hosts that keep an enforcer although the usual one is usable there by now."""
    from ringfence.plan.enforcer_choice import VARIABLE

    return (
        f"to keep it write '{VARIABLE}: {enforcer}'; to change write '{VARIABLE}: {USUAL_ENFORCER}': the next plan "
        "loads the new table beside the old one, which goes when the new one was confirmed"
    )
