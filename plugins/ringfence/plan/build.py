"""Building a plan: tables rendered, what hosts hold compared, waves cut. A pure function of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from pydantic import JsonValue

from ringfence.compiler import Compilation
from ringfence.enforcers import Enforcer
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.tables import VerdictTable
from ringfence.plan.artefact import ControlPath, Draft, HostPlan, Inputs, Plan, RuleNamed, digest_of, time_text
from ringfence.plan.enforced import Held
from ringfence.plan.preflight import control_of, refusals
from ringfence.plan.preflight import left_out as lacking
from ringfence.plan.waves import waves

NO_ADDRESS = "it has no address"
DROPPED = "it is not in the inventory as a workload any more; it keeps what it holds"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside the tables: what hosts hold, the time, its number, what was looked at.

    `simulation` and `diff` are the plain data of the analyses; `dropped` names hosts that may be missing;
    `force_lockout` lets a plan through that would cut the line, which only a test of the way back wants.
    """

    inputs: Inputs
    sequence: int
    now: datetime
    held: Mapping[str, Held] = field(default_factory=dict)
    simulation: Mapping[str, JsonValue] = field(default_factory=dict)
    diff: Mapping[str, JsonValue] = field(default_factory=dict)
    dropped: Iterable[str] = ()
    force_lockout: bool = False


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
    unenforced = _unenforced(compilation, enforcer, given.held) | lacking(compilation, given.held)
    hosts = {}
    for name, table in sorted(compilation.tables.items()):
        if name in unenforced:
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
    left_out |= unenforced
    left_out |= {name: DROPPED for name in dropped & given.held.keys() - hosts.keys() if given.held[name].ruleset}
    plan = Plan(
        sequence=given.sequence,
        created=time_text(given.now),
        valid_until=time_text(given.now + timedelta(days=compilation.settings.valid_days)),
        inputs=given.inputs,
        waves=_waves(hosts, compilation.settings.waves),
        hosts=hosts,
        rules=_rules(compilation),
        simulation=dict(given.simulation),
        diff=dict(given.diff),
        left_out=left_out,
    )
    return Draft(plan, rendering.rulesets, rendering.tables)


def restore(old: Plan, files: Draft, given: Circumstances, valid_days: int, sizes: tuple[int, ...]) -> Draft:
    """Return the plan that brings an earlier plan's hosts back to what it gave them; `files` are its texts.

    Every other host keeps what it holds.
    """
    hosts = {
        name: host.model_copy(update={"expects": given.held[name].ruleset if name in given.held else ""})
        for name, host in old.hosts.items()
    }
    plan = old.model_copy(
        update={
            "sequence": given.sequence,
            "created": time_text(given.now),
            "valid_until": time_text(given.now + timedelta(days=valid_days)),
            "hosts": hosts,
            "waves": _waves(hosts, sizes),
            "simulation": dict(given.simulation),
            "diff": dict(given.diff),
            "restores": old.digest,
        }
    )
    return Draft(Plan.model_validate(plan.model_dump(by_alias=True)), files.rulesets, files.tables)


def _unenforced(
    compilation: Compilation, enforcer: Callable[[str], Enforcer], held: Mapping[str, Held]
) -> dict[str, str]:
    """Return the workloads whose enforcer is not installed, with the reason; none that is enforced on already."""
    assets = compilation.snapshot.named()
    lacking: dict[str, str] = {}
    for name in {assets[host].enforcer for host in compilation.tables}:
        try:
            enforcer(name)
        except InputError as error:
            lacking[name] = error.message
    return {
        host: lacking[assets[host].enforcer]
        for host in compilation.tables
        if assets[host].enforcer in lacking and not (host in held and held[host].ruleset)
    }


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


def _waves(hosts: Mapping[str, HostPlan], sizes: tuple[int, ...]) -> list[list[str]]:
    changed = frozenset(name for name, host in hosts.items() if host.changes)
    return waves({name: host.table for name, host in hosts.items()}, changed, sizes)


def _rules(compilation: Compilation) -> dict[str, RuleNamed]:
    deciding = {rule for table in compilation.distinct() for rule in table.rule_names}
    return {
        rule.id: RuleNamed(name=rule.name, place=str(rule.place))
        for rule in compilation.policy.rules
        if rule.id in deciding
    }
