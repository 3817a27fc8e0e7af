"""A small estate with its policy, for tests of what stands behind the compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ringfence.compiler import Compilation, compile_policy
from ringfence.enforcers.nftables import ENFORCER
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.plan import Circumstances, Draft, Held, Inputs
from ringfence.plan.build import build

NOW = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)
CONTROL = Control(("10.0.0.0/24", "fd00::/64"), 22)
INPUTS = Inputs(inventory="1" * 64, policy="2" * 64)


def asset(name: str, address: str, role: str, **more: object) -> Asset:
    """Return a workload with one address and one label."""
    given = Asset(name, (point_of(address),), {"role": Label(role, "inventory")})
    return replace(given, **more)  # type: ignore[arg-type]  # fields of Asset, by name


def estate(*more: Asset, without: tuple[str, ...] = ()) -> Snapshot:
    """Return two web servers, a database and whatever is added."""
    assets = (asset("db-1", "10.0.1.3", "db"), asset("web-1", "10.0.1.1", "web"), asset("web-2", "10.0.1.2", "web"))
    chosen = (one for one in (*assets, *more) if one.name not in without)
    return Snapshot(tuple(sorted(chosen, key=lambda one: one.name)), NOW)


def rule(name: str = "web to db", service: str = "postgresql", process: Process | None = None) -> Rule:
    """Return a rule that lets the web servers reach the database."""
    return Rule(
        id="5f3a9c01",
        name=name,
        place=Place("policy/shop.yml", 3, 5),
        sources=(Peer(LabelIn("role", ("web",)), process),),
        destinations=(Peer(LabelIn("role", ("db",))),),
        action=Action.ALLOW,
        services=parse_service(service),
    )


def compilation(snapshot: Snapshot | None = None, *rules: Rule, control: Control | None = CONTROL) -> Compilation:
    """Return the tables of an estate under rules, every workload in mode full."""
    full = Enforcement(ANY, Mode.FULL, Mode.FULL, Place("policy/enforcement.yml", 2, 5))
    policy = Policy(rules=rules or (rule(),), enforcement=(full,))
    return compile_policy(snapshot or estate(), policy, Settings(control=control))


def draft(compiled: Compilation | None = None, held: Mapping[str, Held] | None = None, sequence: int = 1) -> Draft:
    """Return the plan of a compilation."""
    given = Circumstances(INPUTS, sequence, NOW, held or {})
    return build(compiled or compilation(), lambda _name: ENFORCER, given)
