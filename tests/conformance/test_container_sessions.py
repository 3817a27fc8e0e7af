"""What becomes of a container's established connections: they survive a table that denies them, or end with `cut`."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables import read_holding
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import process_lines
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.assets import Asset
from ringfence.model.rules import EMERGENCY, Action, Enforcement, Mode, Peer, Policy, Rule
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.plan import Circumstances
from ringfence.plan.build import build

from tests.conformance.container_world import CLIENT, CONTAINERS, HOST, NETWORKS, ContainerWorld, needs_root
from tests.conformance.test_containers import PLACE, SETTINGS, snapshot
from tests.unit.plan.plan_estates import INPUTS, NOW

pytestmark = pytest.mark.skipif(needs_root(), reason="needs root: containers are namespaces that tests enter")
NUMBERS = dict(zip(CONTAINERS, (2, 3, 4, 5), strict=True))
PORT = 7070
PAIRS = ((CLIENT, "a"), ("a", "c"), ("c", HOST), (HOST, "d"))
OPEN = f"tcp/{PORT}"
CLOSED = Policy(rules=(), enforcement=(Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerWorld]:
    one = ContainerWorld(tmp_path_factory.mktemp("containers"))
    one.start(NUMBERS)
    yield one
    one.close()


def load(world: ContainerWorld, service: str, *, cut: bool = False, action: Action = Action.ALLOW) -> None:
    """Load the policy that lets everybody use one service, or denies it in the tier emergency."""
    everybody = (Peer(ANY),)
    tier = EMERGENCY if action is Action.DENY else "application"
    rule = Rule("0" * 8, "one", PLACE, everybody, everybody, action, parse_service(service), tier=tier)
    # what the host itself has is ended by its own table
    modes = (
        Enforcement(LabelIn("role", (HOST,)), Mode.OBSERVE, Mode.OBSERVE, PLACE),
        Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE, cut=cut),
    )
    compiled = compile_policy(
        snapshot(NUMBERS),
        Policy(rules=(rule,), enforcement=modes),
        SETTINGS,
        abilities=lambda name: enforcer(name).abilities,
    )
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    world.host.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    assert "failed" not in world.fill(process_lines(draft.plan.hosts[HOST].runtime))


class Session:
    """A connection from one to another, over IPv4 or IPv6."""

    def __init__(self, world: ContainerWorld, client: str, server: str, family: int) -> None:
        address = world.addresses[server][family]
        if client in CONTAINERS and server == HOST:
            v4, v6 = NETWORKS[CONTAINERS[client]]
            address = (f"{v4}.1", f"{v6}:1")[family]
        listening = world.inside_of(server, lambda: socket.create_server((address, PORT), family=_kind(family)))
        self.client = world.inside_of(client, lambda: socket.create_connection((address, PORT), 20))
        self.server = listening.accept()[0]
        listening.close()

    def close(self) -> None:
        """End both ends at once, without waiting for each other."""
        for one in (self.client, self.server):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            one.close()


def _kind(family: int) -> socket.AddressFamily:
    return (socket.AF_INET, socket.AF_INET6)[family]


def passing(sessions: Mapping[str, Session]) -> list[str]:
    """Return the names of the sessions in which a word of the client arrives at the server now."""
    names = {one.server: name for name, one in sessions.items()}
    for one in sessions.values():
        one.client.sendall(b"word")
    heard: list[str] = []
    end = time.monotonic() + 1
    while len(heard) < len(sessions) and (left := end - time.monotonic()) > 0:
        for server in select.select([one for one in names if names[one] not in heard], [], [], left)[0]:
            assert server.recv(100) != b""
            heard.append(names[server])
    return sorted(heard)


def test_established_connections_end_with_cut_and_with_a_deny_of_an_emergency(world: ContainerWorld) -> None:
    """Each pair over IPv4 and IPv6, all at once: a policy is for everybody, and what must not come is waited for."""

    def connected() -> dict[str, Session]:
        return {
            f"{client} to {server} over {word}": Session(world, client, server, family)
            for client, server in PAIRS
            for family, word in enumerate(("IPv4", "IPv6"))
        }

    load(world, OPEN)
    # what is denied survives, unless it is cut; so does what is cut and allowed
    sessions = connected()
    assert passing(sessions) == sorted(sessions)
    load(world, "tcp/1")
    assert passing(sessions) == sorted(sessions)
    load(world, OPEN, cut=True)
    assert passing(sessions) == sorted(sessions)
    load(world, "tcp/1", cut=True)
    assert passing(sessions) == []
    for one in sessions.values():
        one.close()
    load(world, OPEN)
    others = connected()
    load(world, OPEN, action=Action.DENY)
    assert passing(others) == []
    for one in others.values():
        one.close()


@pytest.mark.parametrize("tool", ["conntrack", "python3"])
@pytest.mark.parametrize(
    ("family", "words"), [(0, ()), (1, ('verb=refresh; fill_containers "$lines"',))], ids=["IPv4", "IPv6, refresh"]
)
def test_who_gets_an_address_is_not_reached_by_what_its_last_holder_had(
    world: ContainerWorld, family: int, words: tuple[str, ...], tool: str
) -> None:
    """Datagrams to `a`, which goes, and whose address `b` gets: nobody may reach `b`."""
    world.start(NUMBERS)
    rule = Rule(
        "0" * 8, "one", PLACE, (Peer(ANY),), (Peer(LabelIn("role", ("a",))),), Action.ALLOW, parse_service("udp/7071")
    )
    policy = Policy(rules=(rule,), enforcement=(Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))
    compiled = compile_policy(snapshot(NUMBERS), policy, SETTINGS, abilities=lambda name: enforcer(name).abilities)
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    lines = process_lines(draft.plan.hosts[HOST].runtime)
    world.host.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    assert "failed" not in world.fill(lines)
    address = world.addresses["a"][family]
    with (
        world.inside_of("a", lambda: _datagrams(family)) as first,
        world.inside_of(CLIENT, lambda: socket.socket(_kind(family), socket.SOCK_DGRAM)) as client,
    ):
        client.connect((address, 7071))
        client.send(b"one")
        first.sendto(*first.recvfrom(10))
        assert client.recv(10) == b"one"
        client.send(b"two")  # established now
        assert first.recv(10) == b"two"
        world.start({**NUMBERS, "a": 9, "b": NUMBERS["a"]})
        with world.inside_of("b", lambda: _datagrams(family)) as other:
            world.move(lines, "python3" if tool == "conntrack" else "conntrack", *words)
            client.send(b"three")
            assert not select.select([other], [], [], 1)[0]


def _datagrams(family: int) -> socket.socket:
    one = socket.socket(_kind(family), socket.SOCK_DGRAM)
    one.bind(("", 7071))
    one.settimeout(20)
    return one


def test_bridged_packets_are_judged_where_the_host_asks_for_it(world: ContainerWorld) -> None:
    """Containers of one bridge, also by link-local addresses; without the wish the switches are as they were before."""
    world.start(NUMBERS)
    world.switch_bridged("0")
    asked = {"nothing": {}, "bridged": {"ringfence_nftables": {"bridged": True}}}
    made = {}
    for name, attributes in {"before": {}, **asked, "after": {}}.items():
        told = snapshot(NUMBERS)
        told = replace(told, assets=tuple(_told(one, attributes) for one in told.assets))
        compiled = compile_policy(told, CLOSED, SETTINGS, abilities=lambda one: enforcer(one).abilities)
        draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
        host = draft.plan.hosts[HOST]
        world.host.load(draft.rulesets[host.ruleset])
        said = world.fill(process_lines(host.runtime))
        assert ("bridged packets: enforced" in said) == (name == "bridged")
        link = world.link_local("b")
        probes = [("a", world.addresses["b"][0], 80), ("a", world.addresses["b"][1], 80), ("a", f"{link}%eth0", 80)]
        passing = world.passing(probes, lambda _, name=name: name != "bridged")
        made[name] = [probe in passing for probe in probes]
        if name == "bridged":
            text = world.host.listing()
            held = {who: one.model_dump() for who, one in host.containers.items()}
            own, *_ = read_holding(text, draft.rulesets[host.ruleset], held, host.runtime)
            assert own["drift"] == []
            world.switch_bridged("0")
            again = "status_bridged; echo again; bridged_again; status_bridged"
            told_of, _, switched_on = world.ask(again).partition("again")
            assert "ringfence:damaged=somebody switched off" in told_of
            assert "damaged" not in switched_on
    assert made == {name: [name != "bridged"] * 3 for name in made}
    world.switch_bridged("1")


def _told(one: Asset, attributes: dict[str, object]) -> Asset:
    return replace(one, attributes={**one.attributes, **attributes}) if one.name == HOST else one
