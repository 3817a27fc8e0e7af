"""What stands and is not TCP (datagrams, messages, other protocols) is judged, listed and ended as connections are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ringfence.lab.session import Lab
from ringfence.model.rules import Mode

from tests.lab.rollouts import ECHO, PATIENCE, SILENCE, Rollouts, Wanted, wait_until
from tests.rollout_plans import EMERGENCY_RULE

pytestmark = [pytest.mark.lab, pytest.mark.machines]
RELEASES = ("bullseye", "bookworm", "trixie")
# In a circle: two that ask each other are one flow to connection tracking where there are no ports.
CLIENT = {"bullseye": "trixie", "bookworm": "bullseye", "trixie": "bookworm"}
SPEAKING = 7200
UDP = 17 << 16
PING, PING6, GRE = (1 << 16) + 8, (58 << 16) + 128, 47 << 16
# udp/7200 answers nobody; it speaks to whoever spoke once, all the time while /tmp/speak is there. GRE is answered.
SERVER = f"""
import os, select, socket
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("::", {SPEAKING}))
gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
peers = set()
while True:
    for one in select.select([udp, gre], [], [], 0.05)[0]:
        data, peer = one.recvfrom(4096)
        if one is udp:
            peers.add(peer)
        elif data[24:29] == b"asked":
            gre.sendto(data[20:24] + b"reply", (peer[0], 0))
    if os.path.exists("/tmp/speak"):
        for peer in peers:
            udp.sendto(b"server", peer)
"""
# Sends ten times a second, or once; keeps in a file how often it was answered.
CLIENT_PROGRAM = """
import os, select, socket, struct, sys, time
kind, address, port, talks, path = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
if kind == "udp":
    link, data = socket.socket(family, socket.SOCK_DGRAM), b"client"
elif kind == "ping":
    link = socket.socket(family, socket.SOCK_RAW, 58 if family == socket.AF_INET6 else 1)
    # type, code, checksum (of the other words; IPv6's is made by the kernel), identifier, sequence
    data = struct.pack(">BBHHH", *((128, 0, 0, 7, 1) if family == socket.AF_INET6 else (8, 0, 0xF7F7, 7, 1)))
else:
    link, data = socket.socket(family, socket.SOCK_RAW, 47), struct.pack(">HH", 0, 0x6558) + b"asked"
link.connect((address, int(port)))
count, said = 0, False
while True:
    try:
        if talks == "always" or not said:
            link.send(data)
            said = True
    except OSError:
        pass
    until = time.monotonic() + 0.1
    while (left := until - time.monotonic()) > 0:
        if select.select([link], [], [], left)[0]:
            try:
                got = link.recv(4096)
            except OSError:
                continue
            count += kind == "udp" or kind == "gre" and b"reply" in got or kind == "ping" and got[-8] in (0, 129)
    with open(path + ".new", "w") as file:
        file.write(str(count))
    os.rename(path + ".new", path)
"""


class Flows:
    """Flows from other machines to each machine of the lab."""

    def __init__(self, rollouts: Rollouts) -> None:
        self.rollouts = rollouts
        self.addresses = {spec.name: spec.addresses for spec in rollouts.lab.hosts()}

    def begin(self, host: str, kind: str, port: int = 0, talks: str = "always", family: int = 4) -> str:
        """Begin a flow to a host; return its name."""
        name = f"{host}-{kind}-{port}-{talks}-{family}"
        address = next(one for one in self.addresses[host] if (":" in one) == (family == 6))
        self.rollouts.sh(
            CLIENT[host],
            f"systemd-run --quiet --unit=flow-{name} "
            f"python3 /tmp/flow.py {kind} {address} {port} {talks} /tmp/flow-{name}",
        )
        return name

    def counts(self, name: str) -> bool:
        """Return whether a flow has spoken, and counts its answers."""
        client = CLIENT[name.partition("-")[0]]
        return self.rollouts.sh(client, f"cat /tmp/flow-{name} 2>/dev/null").strip() != ""

    def answers(self, name: str) -> int:
        """Return how often a flow was answered."""
        said = self.rollouts.sh(CLIENT[name.partition("-")[0]], f"cat /tmp/flow-{name} 2>/dev/null").strip()
        return int(said or 0)

    def go_on(self, names: Sequence[str], meant: Sequence[str]) -> None:
        """Return when of these flows those that are meant are answered, and no other; fail where it is never so.

        On a busy machine one is slow to ask, and what was answered is slow to be counted.
        """
        until = time.monotonic() + PATIENCE
        going = self._going(names)
        while going != meant:
            assert time.monotonic() < until, f"answered are {going}, and not {meant}"
            going = self._going(names)

    def _going(self, names: Sequence[str]) -> list[str]:
        before = {name: self.answers(name) for name in names}
        time.sleep(SILENCE)
        return [name for name in names if self.answers(name) > before[name]]


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    """The machines with a server of their own."""
    one = Rollouts(machines, tmp_path)
    for host in RELEASES:
        machines.exec(host, ["sh", "-c", "cat >/tmp/server.py"], input=SERVER)
        machines.exec(host, ["sh", "-c", "cat >/tmp/flow.py"], input=CLIENT_PROGRAM)
        one.sh(host, "rm -f /tmp/speak; systemd-run --quiet --unit=server python3 /tmp/server.py")
    yield one
    one.clear()
    for host in RELEASES:
        one.sh(host, "systemctl stop server 'flow-*'; systemctl reset-failed; rm -f /tmp/speak /tmp/*.py /tmp/flow-*")


def wanted(*points: int, **more: object) -> Wanted:
    """Return a table that lets some points in and TCP's echo."""
    return Wanted(allow={None: (ECHO,)}, points=points, **more)  # type: ignore[arg-type]


def listed(outcome: object, host: str) -> set[tuple[int, int, bool]]:
    """Return protocol, local port or type, and whether it was cut, of what a host lists on the way in."""
    told = outcome.hosts[host].result["standing_denied"]  # type: ignore[attr-defined]
    return {(one["protocol"], one["local_port"], one["cut"]) for one in told if one["direction"] == "in"}


ALL = (UDP + ECHO, UDP + SPEAKING, PING, PING6, GRE)


def answered(flows: Flows, found: dict[str, list[str]]) -> None:
    """Return when every flow was answered more than once; fail where one was not."""
    wait_until(lambda: all(flows.answers(name) > 1 for names in found.values() for name in names))


def begun(rollouts: Rollouts, flows: Flows) -> dict[str, list[str]]:
    """Return flows of every kind to every machine, by host, once all are answered; they began under a table."""
    rollouts.hold(dict.fromkeys(RELEASES, wanted(*ALL, UDP + 7999)))
    found = {
        host: [
            flows.begin(host, "udp", ECHO),
            flows.begin(host, "udp", ECHO, family=6),
            flows.begin(host, "udp", SPEAKING, "once"),
            flows.begin(host, "ping"),
            flows.begin(host, "ping", family=6),
            flows.begin(host, "gre"),
        ]
        for host in RELEASES
    }
    for host in RELEASES:
        # the one that speaks once has spoken: its program counts answers from then on
        wait_until(lambda host=host: all(flows.counts(name) for name in found[host]))
        rollouts.sh(host, "touch /tmp/speak")
    answered(flows, found)
    return found


def test_denied_flows_are_listed_and_go_on_where_nothing_is_cut(rollouts: Rollouts) -> None:
    flows = Flows(rollouts)
    found = begun(rollouts, flows)
    outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(RELEASES, wanted())))
    assert outcome.ok, outcome.data()
    kinds = {(17, ECHO, False), (17, SPEAKING, False), (1, 8, False), (58, 128, False), (47, 0, False)}
    for host in RELEASES:
        assert listed(outcome, host) == kinds, host
        flows.go_on(found[host], found[host])
    # a later plan says no more than that it ends
    outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(RELEASES, wanted()), cut=True))
    assert outcome.ok, outcome.data()
    for host in RELEASES:
        assert not outcome.hosts[host].changed
        assert listed(outcome, host) == {(protocol, port, True) for protocol, port, _ in kinds}, host
        flows.go_on(found[host], [])
    assert rollouts.drift(rollouts.plan(dict.fromkeys(RELEASES, wanted()))) == {}


@pytest.mark.parametrize("outbound", [Mode.OBSERVE, Mode.FULL])
def test_cut_ends_denied_flows_of_every_protocol_whoever_speaks(rollouts: Rollouts, outbound: Mode) -> None:
    flows = Flows(rollouts)
    found = begun(rollouts, flows)
    # a machine that lets nothing out ends what it asks of others too: there it is one that is asked by another
    hosts = RELEASES if outbound is Mode.OBSERVE else ("bookworm",)
    kept = wanted(UDP + ECHO, outbound=outbound)
    outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(hosts, kept), cut=True))
    assert outcome.ok, outcome.data()
    for host in hosts:
        assert listed(outcome, host) == {(17, SPEAKING, True), (1, 8, True), (58, 128, True), (47, 0, True)}, host
        flows.go_on(found[host], [one for one in found[host] if f"udp-{ECHO}-" in one])
    # what was cut is no connection that stands for a later table either
    later = wanted(UDP + ECHO, UDP + 1, outbound=outbound)
    outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(hosts, later)))
    for host in hosts:
        assert listed(outcome, host) == set(), host
        # its client lets nobody begin to speak to it either
        flows.go_on(found[host], [one for one in found[host] if f"udp-{ECHO}-" in one])


def test_an_emergency_ends_what_it_denies_though_nothing_says_cut(rollouts: Rollouts) -> None:
    flows = Flows(rollouts)
    found = begun(rollouts, flows)
    with rollouts.connection("bookworm") as talk:
        assert b"before" in talk(b"before")
        quarantine = Wanted(allow={None: ()}, emergency=True)
        outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(("bullseye", "bookworm"), quarantine)))
        assert outcome.ok, outcome.data()
        assert talk(b"after", SILENCE) == b""
    for host in ("bullseye", "bookworm"):
        told = outcome.hosts[host].result["standing_denied"]
        assert {one["rule"] for one in told} == {EMERGENCY_RULE}  # type: ignore[attr-defined]
        assert all(one["cut"] for one in told), told  # type: ignore[attr-defined]
        flows.go_on(found[host], [])


@pytest.mark.parametrize("cut", [False, True], ids=["kept", "cut"])
def test_allowed_flows_survive_the_first_enforcement_whoever_speaks_first(rollouts: Rollouts, cut: bool) -> None:
    flows = Flows(rollouts)
    for host in RELEASES:
        rollouts.sh(host, "touch /tmp/speak")
    found = {
        host: [flows.begin(host, "udp", ECHO), flows.begin(host, "udp", SPEAKING, "once"), flows.begin(host, "ping")]
        for host in RELEASES
    }
    answered(flows, found)
    kept = wanted(*ALL, outbound=Mode.FULL)
    outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(RELEASES, kept), cut=cut))
    assert outcome.ok, outcome.data()
    for host in RELEASES:
        # a machine that is asked here is the client of others, and lets nothing out
        assert not any(port in (ECHO, SPEAKING) for _, port, _ in listed(outcome, host)), host
