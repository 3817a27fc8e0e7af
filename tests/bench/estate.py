"""Estates for benchmarks: applications in environments, their addresses, labels, rules and modes, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule, Settings
from ringfence.model.selectors import ANY, AddressIn, AllOf, LabelIn, Selector
from ringfence.model.services import Services, parse_service

ROLES = ("web", "api", "worker", "db")
ENVIRONMENTS = ("prod", "test", "dev")
SETTINGS = Settings(control=Control(("10.255.0.0/24",)))
TAKEN = datetime(2026, 1, 1, tzinfo=UTC)
# How hosts stand in the subnets of their application: free addresses between them, and hosts that stand elsewhere.
GAPS = 0.12
SCATTERED = 0.07
FIRST_SUBNET = 10 << 24
SCATTER_FROM = (10 << 24) + (128 << 16)
SCATTER_TO = (10 << 24) + (254 << 16)
PLACE = Place("policy/estate.yml", 1, 1)


@dataclass(frozen=True)
class Estate:
    """What a compilation takes."""

    snapshot: Snapshot
    policy: Policy
    settings: Settings = SETTINGS


def estate(workloads: int, rules: int, combinations: int, seed: int = 1) -> Estate:
    """Return an estate: as many hosts, rules and label combinations (a multiple of 12) as asked for."""
    chance = random.Random(seed)
    applications = [f"app{number:04}" for number in range(combinations // (len(ROLES) * len(ENVIRONMENTS)))]
    return Estate(snapshot(workloads, applications, chance), policy(rules, applications, chance))


def snapshot(workloads: int, applications: list[str], chance: random.Random) -> Snapshot:
    """Return hosts spread evenly over the label combinations, each application and environment in its own subnets."""
    places = [(app, env) for app in applications for env in ENVIRONMENTS]
    taken: set[int] = set()
    assets: list[Asset] = []
    subnet = FIRST_SUBNET
    for number, (app, env) in enumerate(places):
        share = workloads * (number + 1) // len(places) - workloads * number // len(places)
        point = subnet + 4
        for index, role in enumerate(ROLES):
            labels = {"app": app, "env": env, "role": role}
            labelled = {key: Label(value, "inventory") for key, value in labels.items()}
            for host in range(share * (index + 1) // len(ROLES) - share * index // len(ROLES)):
                address = _scattered(taken, chance) if chance.random() < SCATTERED else None
                if address is None:
                    while chance.random() < GAPS:
                        point += 1
                    address, point = point, point + 1
                assets.append(Asset(f"{app}-{env}-{role}-{host}", (address,), labelled))
        # The next application starts with a subnet of its own (/26), with room left to grow.
        subnet = (point + 16 + 63) // 64 * 64
    return Snapshot(tuple(sorted(assets, key=lambda asset: asset.name)), TAKEN)


def policy(rules: int, applications: list[str], chance: random.Random) -> Policy:
    """Return guardrails, rules from address lists (1 in 50), rules between applications (1 in 12), the rest inside."""
    lists, cross = rules // 50, rules // 12
    made = [*_guardrails(applications)]
    made += [_from_list(number, chance.choice(applications), chance) for number in range(lists)]
    made += [_across(number, chance, applications) for number in range(cross)]
    inside = _inside(applications, chance)
    made += [next(inside) for _ in range(rules - len(made))]
    modes = (
        Enforcement(LabelIn("env", ("prod",)), Mode.FULL, Mode.FULL, PLACE),
        Enforcement(LabelIn("env", ("test",)), Mode.FULL, Mode.OBSERVE, PLACE),
        Enforcement(ANY, Mode.OBSERVE, Mode.OBSERVE, PLACE),
    )
    return Policy(tuple(made), modes)


def labelled(**labels: str) -> Selector:
    """Return the selector of assets that carry all the labels."""
    return AllOf(tuple(LabelIn(key, (value,)) for key, value in labels.items()))


def _scattered(taken: set[int], chance: random.Random) -> int:
    while (address := chance.randrange(SCATTER_FROM, SCATTER_TO)) in taken:
        pass
    taken.add(address)
    return address


def rule(
    name: str,
    source: Selector,
    destination: Selector,
    services: Services,
    action: Action = Action.ALLOW,
    tier: str = "application",
) -> Rule:
    """Return a rule between two selectors."""
    digest = f"{hash_of(name):08x}"
    return Rule(digest, name, PLACE, (Peer(source),), (Peer(destination),), action, services, tier)


def hash_of(name: str) -> int:
    """Return 32 bits that stay the same from run to run."""
    value = 0
    for byte in name.encode():
        value = (value * 16777619 ^ byte) & 0xFFFFFFFF
    return value


def _guardrails(applications: list[str]) -> Iterator[Rule]:
    operations = applications[0]
    anything, first = parse_service("any"), "guardrail"
    yield rule("dev never reaches prod", labelled(env="dev"), labelled(env="prod"), anything, Action.DENY, first)
    yield rule("nobody comes by telnet", ANY, ANY, parse_service("tcp/23"), Action.DENY, first)
    monitoring = labelled(app=operations, role="worker", env="prod")
    yield rule("monitoring", monitoring, AllOf(()), parse_service("tcp/9100"))
    yield rule("names", AllOf(()), labelled(app=operations, role="api", env="prod"), parse_service("dns"))


def _from_list(number: int, app: str, chance: random.Random) -> Rule:
    networks = [f"{chance.randrange(20, 200)}.{chance.randrange(256)}.{chance.randrange(256)}.0/24" for _ in range(8)]
    partners = AddressIn(addresses_of(networks), f"partners{number}")
    return rule(f"partners {number}", partners, labelled(app=app, env="prod", role="web"), parse_service("https"))


def _across(number: int, chance: random.Random, applications: list[str]) -> Rule:
    source, destination = chance.choice(applications), chance.choice(applications)
    env = chance.choice(ENVIRONMENTS)
    role = chance.choice(("api", "worker"))
    return rule(
        f"across {number}",
        labelled(app=source, env=env, role=role),
        labelled(app=destination, env=env, role="api"),
        parse_service(f"tcp/{chance.randrange(8000, 9000)}"),
    )


def _inside(applications: list[str], chance: random.Random) -> Iterator[Rule]:
    """Yield rules of one application and environment, the usual ones first, without end."""
    usual = (("web", "api", "tcp/8443"), ("api", "db", "tcp/5432"), ("worker", "db", "tcp/5432"), ("worker", "api", ""))
    number = 0
    while True:
        for app in applications:
            for env in ENVIRONMENTS:
                turn = number // (len(applications) * len(ENVIRONMENTS))
                source, destination, service = (*chance.sample(ROLES, 2), "") if turn >= len(usual) else usual[turn]
                yield rule(
                    f"inside {number}",
                    labelled(app=app, env=env, role=source),
                    labelled(app=app, env=env, role=destination),
                    parse_service(service or f"tcp/{chance.randrange(3000, 12000)}"),
                )
                number += 1
