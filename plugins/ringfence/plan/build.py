"""Building a plan: tables rendered, what hosts hold compared, waves cut. A pure function of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from pydantic import JsonValue

from ringfence.compiler import Compilation
from ringfence.enforcers import Enforcer
from ringfence.model.errors import InputErrors
from ringfence.model.rules import EMERGENCY
from ringfence.model.tables import VerdictTable
from ringfence.plan.artefact import ControlPath, Draft, HostPlan, Inputs, Plan, RuleNamed, digest_of, time_text
from ringfence.plan.enforced import Held
from ringfence.plan.preflight import control_of, refusals
from ringfence.plan.preflight import left_out as lacking
from ringfence.plan.rollout_order import RolloutOrder, rollout_order
from ringfence.plan.waves import waves

NO_ADDRESS = "it has no address"
DROPPED = "it is not in the inventory as a workload any more; it keeps what it holds"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside the tables: what hosts hold, the time, its number, what was looked at.

    `simulation` and `diff` are the plain data of the analyses; `dropped` names hosts that may be missing;
    `force_lockout` lets a plan through that would cut the line, which only a test of the way back wants; `here` are the
    addresses (points) of hosts that are this machine's own.
    """

    inputs: Inputs
    sequence: int
    now: datetime
    held: Mapping[str, Held] = field(default_factory=dict)
    simulation: Mapping[str, JsonValue] = field(default_factory=dict)
    diff: Mapping[str, JsonValue] = field(default_factory=dict)
    dropped: Iterable[str] = ()
    force_lockout: bool = False
    here: frozenset[int] = frozenset()


def build(compilation: Compilation, enforcer: Callable[[str], Enforcer], given: Circumstances) -> Draft:
    """Return the plan that brings every workload to its table, with its files.

    `enforcer` gives the enforcer of a name. Equal arguments give equal bytes. Raises InputErrors with every reason for
    which the plan is refused.
    """
    dropped = frozenset(given.dropped)
    if refused := refusals(compilation, given.held, dropped, force_lockout=given.force_lockout):
        raise InputErrors(refused)
    rendering = _Rendering(enforcer)
    assets = compilation.snapshot.named()
    unable = lacking(compilation, given.held)
    hosts = {}
    for name, table in sorted(compilation.tables.items()):
        if name in unable:
            continue
        asset, chosen = assets[name], compilation.enforcement[name]
        control = control_of(asset, compilation)
        if control is None:
            raise ValueError(f"{name} has no control path: refusals() lets no such host through")
        ruleset, processes = rendering.of(asset.enforcer, table)
        hosts[name] = HostPlan(
            enforcer=asset.enforcer,
            table=table.digest,
            ruleset=ruleset,
            expects=given.held[name].ruleset if name in given.held else "",
            control=ControlPath.of(control),
            cut=chosen.cut if chosen else False,
            processes=processes,
        )
    left_out = dict.fromkeys(compilation.unaddressed, NO_ADDRESS)
    left_out |= {name: f"no enforcer is called '{assets[name].enforcer}'" for name in compilation.unenforced}
    left_out |= unable
    left_out |= {name: DROPPED for name in dropped & given.held.keys() - hosts.keys() if given.held[name].ruleset}
    changes = {name: host.changes for name, host in hosts.items()}
    order = rollout_order(compilation.snapshot, compilation.settings, changes, given.here)
    plan = Plan(
        sequence=given.sequence,
        created=time_text(given.now),
        valid_until=time_text(given.now + timedelta(days=compilation.settings.valid_days)),
        inputs=given.inputs,
        waves=_waves(hosts, compilation.settings.waves, order),
        canary=order.canary,
        hosts=hosts,
        rules=_rules(compilation),
        simulation=dict(given.simulation),
        diff=dict(given.diff),
        left_out=left_out,
    )
    return Draft(plan, rendering.rulesets, rendering.tables)


def restore(
    old: Plan,
    files: Draft,
    given: Circumstances,
    valid_days: int,
    sizes: tuple[int, ...],
    order: Callable[[Mapping[str, bool]], RolloutOrder] | None = None,
) -> Draft:
    """Return the plan that brings an earlier plan's hosts back to what it gave them; `files` are its texts.

    Every other host keeps what it holds. `order` gives the order of hosts that are told with whether they change.
    """
    hosts = {
        name: host.model_copy(update={"expects": given.held[name].ruleset if name in given.held else ""})
        for name, host in old.hosts.items()
    }
    ordered = order({name: host.changes for name, host in hosts.items()}) if order else RolloutOrder((), None, {})
    plan = old.model_copy(
        update={
            "sequence": given.sequence,
            "created": time_text(given.now),
            "valid_until": time_text(given.now + timedelta(days=valid_days)),
            "hosts": hosts,
            "waves": _waves(hosts, sizes, ordered),
            "canary": ordered.canary,
            "simulation": dict(given.simulation),
            "diff": dict(given.diff),
            "restores": old.digest,
        }
    )
    return Draft(Plan.model_validate(plan.model_dump(by_alias=True)), files.rulesets, files.tables)


class _Rendering:
    """Renders every distinct table once for each enforcer that a workload names."""

    def __init__(self, enforcer: Callable[[str], Enforcer]) -> None:
        self.enforcer = enforcer
        self.rulesets: dict[str, str] = {}
        self.tables: dict[str, str] = {}
        self._known: dict[tuple[str, int], tuple[str, list[dict[str, JsonValue]]]] = {}
        self._enforcers: dict[str, Enforcer] = {}

    def of(self, name: str, table: VerdictTable) -> tuple[str, list[dict[str, JsonValue]]]:
        """Return the digest of the rendered text and what the target fills in for processes."""
        known = self._known.get((name, id(table)))
        if known is None:
            if name not in self._enforcers:
                self._enforcers[name] = self.enforcer(name)
            text = self._enforcers[name].render(table)
            digest = digest_of(text)
            self.rulesets[digest] = text
            self.tables[table.digest] = table.text()
            processes = cast(list[dict[str, JsonValue]], self._enforcers[name].process_elements(table))
            known = self._known[name, id(table)] = (digest, processes)
        return known


def _waves(hosts: Mapping[str, HostPlan], sizes: tuple[int, ...], order: RolloutOrder) -> list[list[str]]:
    changed = frozenset(name for name, host in hosts.items() if host.changes)
    return waves({name: host.table for name, host in hosts.items()}, changed, sizes, order.ranked, order.last)


def _rules(compilation: Compilation) -> dict[str, RuleNamed]:
    deciding = {rule for table in compilation.distinct() for rule in table.rule_names}
    return {
        rule.id: RuleNamed(name=rule.name, place=str(rule.place), emergency=rule.tier == EMERGENCY)
        for rule in compilation.policy.rules
        if rule.id in deciding
    }
