"""A router between a client and a server, a printer that only the router enforces for, and their plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringfence.compiler import Compilation, compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.plan import Circumstances, Draft
from ringfence.plan.build import build

from tests.unit.plan.plan_estates import INPUTS, NOW

ROUTER = "gw-1"
PLACE = Place("policy/site.yml", 3, 5)
MANAGED_FROM = Control(("10.9.0.0/24", "fd00:9::/64"), 22)
ADDRESSES = {
    "client": ("10.1.0.2", "fd00:1::2"),
    "printer": ("10.2.0.3", "fd00:2::3"),
    "server": ("10.2.0.2", "fd00:2::2"),
    ROUTER: ("10.1.0.1", "10.2.0.1", "fd00:1::1", "fd00:2::1"),
}
LINES = (("client", "server", "tcp/80"), ("server", "printer", "tcp/9100"), ("client", "printer", "icmp"))


def machine(name: str, **more: object) -> Asset:
    """Return a workload whose role is its name."""
    points = tuple(sorted(map(point_of, ADDRESSES[name])))
    given = Asset(name, points, {"role": Label(name, "inventory")})
    return replace(given, **more)  # type: ignore[arg-type]  # fields of Asset, by name


def router(forwards: object = True, **more: object) -> Asset:
    """Return the router, which is asked to judge what it forwards."""
    return machine(ROUTER, attributes={"ringfence_nftables": {"forwards": forwards, **more}})


def rule(number: int, source: str, destination: str, service: str, process: Process | None = None) -> Rule:
    """Return a rule that lets one machine reach another."""
    return Rule(
        id=f"{number:08x}",
        name=f"{source} to {destination}",
        place=PLACE,
        sources=(Peer(LabelIn("role", (source,)), process),),
        destinations=(Peer(LabelIn("role", (destination,))),),
        action=Action.ALLOW,
        services=parse_service(service),
    )


def compiled(
    *assets: Asset,
    modes: Mapping[str, Mode] | None = None,
    rules: tuple[Rule, ...] = tuple(rule(number, *line) for number, line in enumerate(LINES)),
    control: Control = MANAGED_FROM,
) -> Compilation:
    """Return the tables of the machines, by default the four in mode full, under some rules."""
    some = assets or (machine("client"), machine("server"), machine("printer", enforcer="forwarded"), router())
    enforcement = tuple(
        Enforcement(LabelIn("role", (name,)), mode, mode, PLACE) for name, mode in (modes or {}).items()
    )
    policy = Policy(rules=rules, enforcement=(*enforcement, Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE)))
    snapshot = Snapshot(tuple(sorted(some, key=lambda one: one.name)), NOW)
    return compile_policy(snapshot, policy, Settings(control=control), abilities=lambda name: enforcer(name).abilities)


def planned(compilation: Compilation | None = None) -> Draft:
    """Return the plan of a compilation."""
    return build(compilation or compiled(), enforcer, Circumstances(INPUTS, 1, NOW))
