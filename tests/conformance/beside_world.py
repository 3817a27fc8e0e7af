"""Two hosts with other firewalls' rules, told as a target tells them, and tried with packets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ringfence.beside import Finding, Others, read_report
from ringfence.model.addresses import point_of
from ringfence.model.services import BLOCK

from tests.unit.enforcers.nft_kernel import Kernel

CLIENTS = ("10.9.0.2", "10.9.0.3", "fd09::2", "fd09::3")
SERVERS = ("10.9.0.1", "fd09::1")
PORTS = (22, 25, 53, 80, 443, 1000, 5432, 8080)
Probe = tuple[str, str, int, int]
PROBES: tuple[Probe, ...] = tuple(
    (client, server, protocol, port)
    for client in CLIENTS
    for server in SERVERS
    if (":" in client) == (":" in server)
    for protocol, ports in ((6, PORTS), (17, PORTS), (58 if ":" in client else 1, (128 if ":" in client else 8,)))
    for port in ports
)


class World:
    """A client and a server, connected; each with an agent."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.client, self.server = Kernel(), Kernel()
        self.client.run("ip", "link", "add", "c0", "type", "veth", "peer", "name", "s0", "netns", str(self.server.pid))
        ends = ((self.client, "c0", CLIENTS), (self.server, "s0", SERVERS))
        for kernel, link, addresses in ends:
            for one in addresses:
                length = ("64", "nodad") if ":" in one else ("24",)
                kernel.run("ip", "address", "add", f"{one}/{length[0]}", "dev", link, *length[1:])
            kernel.run("ip", "link", "set", link, "up")
            kernel.run("ip", "link", "set", "lo", "up")
        # what finds neighbours would be cut as well
        for (kernel, link, _), (other, its, addresses) in (ends, ends[::-1]):
            card = json.loads(other.run("ip", "-json", "link", "show", its))[0]["address"]
            for one in addresses:
                kernel.run("ip", "neighbour", "replace", one, "lladdr", card, "dev", link, "nud", "permanent")
        self.agents = {kernel: self._agent(kernel) for kernel in (self.client, self.server)}
        self.ask(self.server, {"do": "listen", "ports": PORTS})
        assert all(self.tried(PROBES, 5))

    def _agent(self, kernel: Kernel) -> subprocess.Popen[str]:
        agent = Path(__file__).with_name("beside_agent.py")
        return subprocess.Popen(
            [*kernel.entered, sys.executable, str(agent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, kernel: Kernel, order: object) -> list[bool]:
        """Return what an agent answers."""
        agent = self.agents[kernel]
        written: IO[str] | None = agent.stdin
        read: IO[str] | None = agent.stdout
        assert written is not None
        assert read is not None
        written.write(json.dumps(order) + "\n")
        written.flush()
        answer: list[bool] = json.loads(read.readline())
        return answer

    def tried(self, probes: Sequence[Probe], patience: float) -> list[bool]:
        """Return which probes the server answered."""
        return self.ask(self.client, {"do": "try", "probes": probes, "patience": patience})

    def told(self, kernel: Kernel) -> str:
        """Return what a host tells of its other firewalls."""
        return told(kernel, self.place)

    def verdicts(self, probes: Sequence[Probe]) -> list[Finding | None]:
        """Return what the rules of both hosts are read to do with each probe: the first cut, else the first doubt."""
        ends = [(read_report(self.told(self.client)), False), (read_report(self.told(self.server)), True)]
        return [verdict(ends, probe) for probe in probes]

    def clear(self) -> None:
        """Delete all rules of both hosts, and the connections that they were of."""
        for kernel in (self.client, self.server):
            kernel.run("sh", "-c", CLEAR)

    def close(self) -> None:
        """End both hosts."""
        for agent in self.agents.values():
            agent.kill()
            agent.wait()
        self.client.close()
        self.server.close()


CLEAR = """nft flush ruleset
for tool in iptables-legacy ip6tables-legacy; do
    case $tool in ip6*) names=/proc/net/ip6_tables_names ;; *) names=/proc/net/ip_tables_names ;; esac
    for table in $(cat $names 2>/dev/null); do
        $tool -t $table -F; $tool -t $table -X
        for chain in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do $tool -t $table -P $chain ACCEPT 2>/dev/null; done
    done
done
ipset destroy 2>/dev/null
conntrack -F >/dev/null 2>&1
true
"""


def told(kernel: Kernel, place: Path) -> str:
    """Return what the target's script tells of the other firewalls of a namespace."""
    whole, _, _ = script().rpartition("if [ $# -gt 0 ]")
    text = f"{whole}\nwork={place}\nstatus_beside\n"
    done = subprocess.run(
        [*kernel.entered, "/bin/sh", "-s"], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def verdict(ends: Sequence[tuple[Others, bool]], probe: Probe) -> Finding | None:
    """Return what the rules of some ends are read to do with a probe."""
    client, server, protocol, port = probe
    points = point_of(client), point_of(server), protocol * BLOCK + port
    found = [one.finding(*points, inbound=inbound, own=False) for one, inbound in ends]
    known = [one for one in found if one is not None]
    return next((one for one in known if one.cut), known[0] if known else None)
