"""Benchmark `classes`: what a new connection pays for classes of addresses that iptables must tell apart."""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median

from ringfence.compiler import compile_policy
from ringfence.enforcers import iptables, nftables
from ringfence.enforcers.iptables import DEFAULT_MASK, Marks
from ringfence.enforcers.iptables.text import SECTION
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.rules import Enforcement, Mode, Policy, Rule
from ringfence.model.selectors import ANY
from ringfence.model.services import Services, parse_service
from ringfence.model.tables import VerdictTable

from .estate import PLACE, SETTINGS, TAKEN, labelled, rule
from .packet_benchmark import CLIENT, ENDS, SERVER, Figures, inside, namespaces, serving
from .packet_ends import PORT
from .result import Result, Target

CLASSES = (10, 100, 1_000)
VARIANTS = ("legacy", "nft")
SECONDS, ROUNDS = 1.0, 5
NO_RULES = "*mangle\nCOMMIT\n*filter\nCOMMIT\n"
MOST = 1.6

Load = Callable[[str], None]


def run() -> Result:
    """Measure every ruleset in turn, some rounds; needs root."""
    loads: dict[str, Load] = {"no table": clear}
    for count in CLASSES:
        table = table_of(count)
        texts = {"marks": iptables.render(table, Marks(DEFAULT_MASK)), "a rule a class": iptables.render(table)}
        for variant in VARIANTS:
            for form, text in texts.items():
                loads[f"{variant}, {form}, {count:,} classes"] = _loading(variant, text)
        loads[f"nftables, {count:,} classes"] = _nft(nftables.render(table))
    found = {name: Figures() for name in loads}
    with namespaces() as (client, server), serving(server):
        for _ in range(ROUNDS):
            for name, load in loads.items():
                clear(server)
                load(server)
                rate, cost = map(float, inside(client, [sys.executable, ENDS, "connect", SERVER, str(SECONDS)]).split())
                found[name].rates["connect"].append(rate)
                found[name].costs["connect"].append(cost)
    return _result(found)


def table_of(count: int) -> VerdictTable:
    """Return the server's table where so many groups of peers may each ask for services of their own."""
    base = point_of("10.0.0.0")
    peers = [address_text(base + 512 * number) for number in range(count - 1)]
    peers.insert(count // 2, CLIENT)
    assets = [_asset("server", SERVER, "server")]
    rules = []
    for number, address in enumerate(peers):
        assets.append(_asset(f"peer-{number:04}", address, f"group-{number:04}"))
        services = parse_service(f"tcp/{PORT}") | parse_service(f"tcp/{20000 + number}")
        rules.append(_allow(number, services))
    policy = Policy(tuple(rules), (Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))
    snapshot = Snapshot(tuple(sorted(assets, key=lambda asset: asset.name)), TAKEN)
    return compile_policy(snapshot, policy, SETTINGS).tables["server"]


def _allow(number: int, services: Services) -> Rule:
    return rule(f"group {number}", labelled(role=f"group-{number:04}"), labelled(role="server"), services)


def _asset(name: str, address: str, role: str) -> Asset:
    return Asset(name, (point_of(address),), {"role": Label(role, "inventory")})


def clear(namespace: str) -> None:
    """Leave a namespace without any rules."""
    for variant in VARIANTS:
        for command in ("iptables", "ip6tables"):
            inside(namespace, [f"{command}-{variant}-restore"], NO_RULES)
    inside(namespace, ["nft", "flush", "ruleset"])
    inside(namespace, ["ipset", "destroy"])


def _loading(variant: str, text: str) -> Load:
    def load(namespace: str) -> None:
        for section in text.split(SECTION)[1:]:
            name, _, content = section.partition("\n")
            family = "ip6tables" if name == "ipv6" else "iptables"
            command = ["ipset", "restore"] if name == "ipset" else [f"{family}-{variant}-restore", "--noflush"]
            inside(namespace, command, content)

    return load


def _nft(text: str) -> Load:
    return lambda namespace: inside(namespace, ["nft", "-f", "-"], text) and None


def _result(found: dict[str, Figures]) -> Result:
    def cost(name: str) -> float:
        return 1e6 * median(found[name].costs["connect"])

    bare = cost("no table")
    marked = {variant: cost(f"{variant}, marks, {CLASSES[-1]:,} classes") for variant in VARIANTS}
    worst = max(marked, key=lambda variant: marked[variant])
    return Result(
        name="classes",
        subject="A new connection through iptables with 10 to 1,000 classes of addresses, against no table.",
        seconds=marked[worst],
        peer=bare,
        unit=f"CPU microseconds a connection, {CLASSES[-1]:,} classes by marks ({worst}), and no table",
        table=(
            ("ruleset", "connections a second", "CPU, µs a connection", "times no table"),
            *(
                (
                    name,
                    f"{median(one.rates['connect']):,.0f}",
                    f"{cost(name):,.0f}",
                    f"{cost(name) / bare:.2f}",
                )
                for name, one in found.items()
            ),
        ),
        targets=tuple(
            Target(f"1,000 classes by marks, {variant}, times no table", figure / bare, MOST)
            for variant, figure in marked.items()
        ),
        remarks=(
            "One client, one server, both Python, veth between two network namespaces; medians of "
            f"{ROUNDS} rounds of {SECONDS:g} s each, all rulesets in turn. CPU is that of the client's process, which "
            "on veth also pays for most of what the server's kernel does with a packet.",
            "Each class is a peer with services of its own; the client is in the middle of them. `legacy` and `nft` "
            "are the variants of iptables; the rules of both families and both directions are loaded.",
        ),
        more={"ratio_no_table": marked[worst] / bare},
    )
