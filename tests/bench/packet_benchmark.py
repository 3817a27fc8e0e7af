"""Benchmark `packet`: what a packet pays on its way through our table, between two network namespaces."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ringfence.compiler import compile_policy
from ringfence.enforcers.nftables import render
from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.rules import Enforcement, Mode, Policy
from ringfence.model.selectors import ANY
from ringfence.model.services import parse_service

from .estate import PLACE, SETTINGS, TAKEN, labelled, rule
from .packet_ends import PORT
from .result import Result

PEERS = (10, 1_000, 100_000)
CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
ENDS = str(Path(__file__).with_name("packet_ends.py"))
SECONDS, ROUNDS = 1.0, 3
WORK = ("connect", "send")


@dataclass
class Figures:
    """Rates of every round, and CPU seconds of the client for each unit of work."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {work: [] for work in WORK})
    costs: dict[str, list[float]] = field(default_factory=lambda: {work: [] for work in WORK})


def run() -> Result:
    """Measure every ruleset in turn, some rounds; needs root."""
    found: dict[str, Figures] = {}
    rulesets = {"no table": ""}
    for count in PEERS:
        addresses = peers(count)
        rulesets[f"ours, {count:,} peers"] = ours(addresses)
        rulesets[f"linear, {count:,} peers"] = linear(addresses)
    with namespaces() as (client, server), serving(server):
        for _ in range(ROUNDS):
            for name, text in rulesets.items():
                load(server, text)
                figures = found.setdefault(name, Figures())
                for work in WORK:
                    rate, cost = map(float, inside(client, [sys.executable, ENDS, work, SERVER, str(SECONDS)]).split())
                    figures.rates[work].append(rate)
                    figures.costs[work].append(cost)
    return _result(found)


def peers(count: int) -> list[str]:
    """Return as many addresses, none beside another, the client in the middle of the list."""
    chance = random.Random(count)
    base = point_of("10.0.0.0")
    drawn = [address_text(base + 2 * number) for number in chance.sample(range(1 << 22), count - 1)]
    return [*drawn[: count // 2], CLIENT, *drawn[count // 2 :]]


def ours(addresses: list[str]) -> str:
    """Return the ruleset that lets peers connect to the port, as the product compiles and renders it."""
    assets = [_asset("server", SERVER, "server")]
    assets += [_asset(f"peer-{number:06}", address, "peer") for number, address in enumerate(addresses)]
    allow = rule("peers connect", labelled(role="peer"), labelled(role="server"), parse_service(f"tcp/{PORT}"))
    policy = Policy((allow,), (Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))
    snapshot = Snapshot(tuple(sorted(assets, key=lambda asset: asset.name)), TAKEN)
    return render(compile_policy(snapshot, policy, SETTINGS).tables["server"])


def linear(addresses: list[str]) -> str:
    """Return the same policy as a rule a peer, replies first, as it is usually written."""
    rules = "\n".join(f"ip saddr {address} tcp dport {PORT} accept" for address in addresses)
    begin = "ct state established,related accept"
    return (
        "table inet ringfence {}\ndelete table inet ringfence\ntable inet ringfence {\n"
        f"chain input {{ type filter hook input priority 0; policy drop;\n{begin}\n{rules}\n}}\n"
        f"chain output {{ type filter hook output priority 0; policy drop;\n{begin}\n}}\n}}\n"
    )


@contextmanager
def namespaces() -> Iterator[tuple[str, str]]:
    """Hold two network namespaces joined by a veth pair."""
    client, server = (f"ringfence-bench-{os.getpid()}-{end}" for end in ("client", "server"))
    try:
        for name in (client, server):
            _run("ip", "netns", "add", name)
        _run("ip", "-n", client, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", server)
        for name, address in ((client, CLIENT), (server, SERVER)):
            _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "v0")
            _run("ip", "-n", name, "link", "set", "v0", "up")
            _run("ip", "-n", name, "link", "set", "lo", "up")
        yield client, server
    finally:
        for name in (client, server):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def serving(namespace: str) -> Iterator[None]:
    """Hold the server."""
    command = ["ip", "netns", "exec", namespace, sys.executable, ENDS, "serve", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def load(namespace: str, ruleset: str) -> None:
    """Make this the only ruleset of a namespace."""
    inside(namespace, ["nft", "-f", "-"], f"flush ruleset\n{ruleset}")


def inside(namespace: str, command: list[str], given: str = "") -> str:
    """Return the output of a command in a namespace."""
    return _run("ip", "netns", "exec", namespace, *command, given=given)


def _run(*command: str, given: str = "") -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=120).stdout


def _asset(name: str, address: str, role: str) -> Asset:
    return Asset(name, (point_of(address),), {"role": Label(role, "inventory")})


def _result(found: Mapping[str, Figures]) -> Result:
    def cost(name: str, work: str = "connect") -> float:
        return 1e6 * median(found[name].costs[work])

    most, least = (f"ours, {count:,} peers" for count in (PEERS[-1], PEERS[0]))
    return Result(
        name="packet",
        subject="A new connection through our table with 10 to 100,000 peers, against no table and linear rules.",
        seconds=cost(most),
        peer=cost(f"linear, {PEERS[-1]:,} peers"),
        unit="CPU microseconds a connection, 100,000 peers",
        table=(
            ("ruleset", "connections a second", "CPU, µs a connection", "GB a second", "CPU, ms a GB"),
            *(
                (
                    name,
                    f"{median(one.rates['connect']):,.0f}",
                    f"{cost(name):,.0f}",
                    f"{median(one.rates['send']):.2f}",
                    f"{cost(name, 'send') / 1e3:,.0f}",
                )
                for name, one in found.items()
            ),
        ),
        targets=(),
        remarks=(
            f"One client, one server, both Python, veth between two network namespaces; medians of {ROUNDS} rounds of "
            f"{SECONDS:g} s each, all rulesets in turn. A connection is opened, carries a byte each way and is reset.",
            "CPU is that of the client's process, which on veth also pays for most of what the server's kernel does "
            "with a packet. The client stands in the middle of the linear rules, so it meets half of them.",
            f"With {PEERS[-1]:,} peers a connection costs {cost(most) / cost(least):.2f} times what it costs with "
            f"{PEERS[0]}, and {cost(most) / cost('no table'):.2f} times what it costs without a table.",
            "Throughput is one stream of an established connection: it ends at the rule for replies in both forms.",
        ),
        more={"ratio_no_table": cost(most) / cost("no table")},
    )
