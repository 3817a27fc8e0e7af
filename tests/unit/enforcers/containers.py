"""A host with three containers on two bridge networks, and its plan, for tests of what enforces on containers."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.compiler import Compilation, compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.plan import Circumstances, Draft, Held
from ringfence.plan.build import build

from tests.unit.plan.plan_estates import CONTROL, INPUTS, NOW

HOST = "dock-1"
FRONT, BACK = "172.30.1", "172.30.2"
PLACE = Place("policy/shop.yml", 3, 5)


def network(name: str, prefix: str, address: str) -> dict[str, object]:
    """Return a bridge network as the source tells it."""
    told = {"name": name, "driver": "bridge", "addresses": [address]}
    return {**told, "subnets": [f"{prefix}.0/24"], "gateways": [f"{prefix}.1"]}


def container(called: str, role: str, **networks: str) -> Asset:
    """Return a container of the host with an address on each network (its last byte behind that network's prefix)."""
    prefixes = {"front": FRONT, "back": BACK}
    listed = [network(name, prefixes[name], f"{prefixes[name]}.{last}") for name, last in networks.items()]
    addresses = tuple(sorted(point_of(f"{prefixes[name]}.{last}") for name, last in networks.items()))
    return Asset(
        f"{called}.{HOST}",
        addresses,
        {"role": Label(role, "inventory")},
        realm=f"containers-{HOST}",
        enforcer="containers",
        attributes={"ringfence_containers": {"host": HOST, "name": called, "networks": listed}},
    )


def machine(name: str, address: str, role: str) -> Asset:
    """Return a workload of its own."""
    return Asset(name, (point_of(address),), {"role": Label(role, "inventory")})


CONTAINERS = (
    container("shop-web-1", "web", front=2),
    container("shop-app-1", "app", front=3, back=2),
    container("shop-db-1", "db", back=3),
)
MACHINES = (machine(HOST, "10.0.3.1", "host"), machine("client", "10.0.3.9", "client"))
LINES = (("client", "web", "tcp/80"), ("web", "app", "tcp/8080"), ("app", "db", "tcp/5432"), ("host", "db", "tcp/5432"))


def rule(source: str, destination: str, service: str) -> Rule:
    """Return a rule that lets one role reach another."""
    return Rule(
        id=f"{LINES.index((source, destination, service)):08x}",
        name=f"{source} to {destination}",
        place=PLACE,
        sources=(Peer(LabelIn("role", (source,))),),
        destinations=(Peer(LabelIn("role", (destination,))),),
        action=Action.ALLOW,
        services=parse_service(service),
    )


def compiled(
    *more: Asset,
    mode: Mode = Mode.FULL,
    without: tuple[str, ...] = (),
    control: Control = CONTROL,
    machines: bool = True,
) -> Compilation:
    """Return the tables of the host, its containers and a client that reach each other along `LINES`."""
    assets = [one for one in (*CONTAINERS, *(MACHINES if machines else ()), *more) if one.name not in without]
    policy = Policy(rules=tuple(rule(*line) for line in LINES), enforcement=(Enforcement(ANY, mode, mode, PLACE),))
    inside = f"containers-{HOST}"
    settings = Settings(control=control, realms={"default": (inside,), inside: ("default",)})
    return compile_policy(
        Snapshot(tuple(sorted(assets, key=lambda one: one.name)), NOW),
        policy,
        settings,
        abilities=lambda name: enforcer(name).abilities,
    )


def planned(compilation: Compilation | None = None, held: Mapping[str, Held] | None = None) -> Draft:
    """Return the plan of a compilation."""
    return build(compilation or compiled(), enforcer, Circumstances(INPUTS, 1, NOW, held or {}))
