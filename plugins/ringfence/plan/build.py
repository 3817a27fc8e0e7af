"""Building a plan: render tables, compare them with what hosts have, divide hosts into waves. A pure function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from ringfence.compiler import Compilation
from ringfence.enforcers import Contained, Enforcer, Forwarded, HoldsContainers, Profile, Targets, told_of, unseen
from ringfence.model.assets import Asset
from ringfence.model.errors import InputErrors
from ringfence.model.rules import EMERGENCY
from ringfence.model.tables import VerdictTable
from ringfence.plan.artefact import ControlPath, Draft, HostPlan, Inputs, Plan, RuleNamed, digest_of, time_text
from ringfence.plan.containers import container_plan, containers
from ringfence.plan.forwarding import forwarded_plan, forwarding
from ringfence.plan.host_records import Held
from ringfence.plan.left_out import left_out as lacking
from ringfence.plan.preflight import control_of, refusals
from ringfence.plan.rollout_order import RolloutOrder, rollout_order
from ringfence.plan.waves import waves

NO_ADDRESS = "it has no address"
DROPPED = "it is not in the inventory as a workload any more; it keeps what it holds"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside the tables: what hosts hold, the time, its number, what was looked at.

    `simulation` and `diff` are the plain data of the analyses; `dropped` names hosts that may be missing;
    `force_lockout` lets a plan through that would cut the line, which only a test of the way back wants; `here` are the
    addresses (points) of hosts that are this machine's own; `chosen` tells of hosts whose facts decided which enforcer
    they have why it is that one.
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
    chosen: Mapping[str, str] = field(default_factory=dict)


def build(compilation: Compilation, enforcer: Callable[[str], Enforcer], given: Circumstances) -> Draft:
    """Return the plan that brings every workload to its table, with its files.

    `enforcer` gives the enforcer of a name. Equal arguments give equal bytes. Raise InputErrors with every reason for
    which the plan is refused.
    """
    dropped = frozenset(given.dropped)
    if refused := refusals(compilation, given.held, dropped, enforcer, force_lockout=given.force_lockout):
        raise InputErrors(refused)
    assets = compilation.snapshot.named()
    unable = lacking(compilation, given.held, enforcer)
    carried = {name: table for name, table in sorted(compilation.tables.items()) if name not in unable}
    inside = containers(compilation, carried, enforcer)
    ways = forwarding(compilation, {name: one for name, one in carried.items() if name in inside.hosts}, enforcer)
    rendering = _Rendering(enforcer, assets, ways.hosts)
    hosts = {}
    # Hosts that get the same share their entry.
    entries: dict[tuple[object, ...], HostPlan] = {}
    for name, table in ways.hosts.items():
        asset, chosen = assets[name], compilation.enforcement[name]
        its = enforcer(asset.enforcer)
        control = control_of(asset, compilation) if its.abilities.control else None
        told = given.held[name].features if name in given.held else {}
        profile = its.profile(its.facts(told_of(asset, asset.enforcer, told)))
        held, way = inside.by_host.get(name, ()), ways.by_host.get(name, ())
        ruleset, runtime = rendering.of(asset.enforcer, table, profile, held, way)
        expects = given.held[name].ruleset if name in given.held else ""
        cut, why = chosen.cut if chosen else False, given.chosen.get(name, "")
        key = (asset.enforcer, id(table), ruleset, expects, control, cut, profile_text(profile), why, held, way)
        if key not in entries:
            entries[key] = HostPlan(
                enforcer=asset.enforcer,
                table=table.digest,
                ruleset=ruleset,
                expects=expects,
                control=ControlPath.of(control) if control else None,
                options={"cut": cut} if its.abilities.cut else {},
                facts=dict(profile),
                runtime=runtime,
                chosen=why,
                containers={one.name: container_plan(one) for one in held},
                forwarded=[forwarded_plan(one) for one in way],
            )
        hosts[name] = entries[key]
    left_out = {name: why for name, asset in assets.items() if (why := unseen(asset))}
    left_out |= dict.fromkeys(compilation.unaddressed, NO_ADDRESS)
    left_out |= compilation.why
    left_out |= unable
    left_out |= inside.left_out
    left_out |= ways.left_out
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
    """Return the plan that brings an earlier plan's hosts back to it; `files` are the texts of that plan.

    Every other host keeps its ruleset. `order` sorts hosts, given with whether they change.
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


def profile_text(profile: Profile) -> str:
    """Return a text that is equal for equal profiles."""
    return json.dumps(profile, sort_keys=True) if profile else ""


class _Rendering:
    """Renders every distinct table once for each enforcer that a workload names and each profile of its hosts."""

    def __init__(
        self, enforcer: Callable[[str], Enforcer], assets: Mapping[str, Asset], tables: Mapping[str, VerdictTable]
    ) -> None:
        self.rulesets: dict[str, str] = {}
        self.tables: dict[str, str] = {}
        self._known: dict[tuple[object, ...], tuple[str, list[dict[str, JsonValue]]]] = {}
        served: dict[str, list[str]] = {}
        for name in tables:
            served.setdefault(assets[name].enforcer, []).append(name)
        self._renderers = {
            one: enforcer(one).renderer(
                Targets({name: assets[name] for name in targets}, {name: tables[name] for name in targets})
            )
            for one, targets in served.items()
        }

    def of(
        self,
        name: str,
        table: VerdictTable,
        profile: Profile,
        held: tuple[Contained, ...] = (),
        way: tuple[Forwarded, ...] = (),
    ) -> tuple[str, list[dict[str, JsonValue]]]:
        """Return the digest of the rendered text and what the target fills in at run time."""
        key = (name, id(table), profile_text(profile), held, way)
        known = self._known.get(key)
        if known is None:
            renderer = self._renderers[name]
            if (held or way) and isinstance(renderer, HoldsContainers):
                rendered = renderer.render_holding(table, profile, held, way)
            else:
                rendered = renderer.render(table, profile)
            digest = digest_of(rendered.text)
            self.rulesets[digest] = rendered.text
            for one in (table, *(of.table for of in held), *(of.table for of in way)):
                self.tables[one.digest] = one.text()
            known = self._known[key] = (digest, rendered.runtime)
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
