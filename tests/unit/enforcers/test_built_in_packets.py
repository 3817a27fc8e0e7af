"""Built-ins on the wire: packets as their protocols want them pass a table that allows nothing, others do not."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ringfence.analysis.explain import explain
from ringfence.compiler import compile_policy
from ringfence.enforcers.nftables import render
from ringfence.model.assets import Control
from ringfence.model.rules import Action, Direction, Mode, Rule, Settings
from ringfence.model.selectors import ANY
from ringfence.model.services import parse_service

from tests.unit.enforcers.nft_kernel import Kernel, open_kernel
from tests.unit.estate_factory import asset, policy, rule, snapshot

HOST, PEER = ("10.9.0.1", "fd09::1", "fe80::1"), ("10.9.0.2", "fd09::2", "fe80::2")
SEND = """
import socket, sys
kind, number, source, source_port, target, target_port, hops, options = sys.argv[1:]
family = socket.AF_INET6 if ":" in target else socket.AF_INET
one = socket.socket(family, getattr(socket, kind), int(number))
one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v0")
more = (0, socket.if_nametoindex("v0")) if family == socket.AF_INET6 else ()
if family == socket.AF_INET6:
    for option in (socket.IPV6_UNICAST_HOPS, socket.IPV6_MULTICAST_HOPS):
        one.setsockopt(socket.IPPROTO_IPV6, option, int(hops))
    if options:
        one.setsockopt(socket.IPPROTO_IPV6, int(options), bytes(2) + b"\1\4" + bytes(4))
elif number == "2":
    one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(hops))
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, int(hops))
one.bind((source, int(source_port), *more))
if kind == "SOCK_STREAM":
    one.setblocking(False)
    one.connect_ex((target, int(target_port)))
    sys.exit()
kind = int(target_port) if number == "58" else 0
try:
    one.sendto(bytes([kind]) + bytes(7), (target, int(target_port) if kind == 0 else 0, *more))
except PermissionError:
    pass
"""


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Kernel, Kernel]]:
    """Two namespaces with a link between them: a host, and its neighbour."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a link between two network namespaces")
    host, peer = open_kernel(), open_kernel()
    host.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", str(peer.pid))
    for one, addresses in ((host, HOST), (peer, PEER)):
        one.run("ip", "link", "set", "v0", "addrgenmode", "none")
        one.run("ip", "link", "set", "v0", "up")
        one.run("ip", "addr", "add", f"{addresses[0]}/24", "dev", "v0")
        for address in addresses[1:]:
            one.run("ip", "addr", "add", f"{address}/64", "dev", "v0", "nodad")
    yield host, peer
    host.close()
    peer.close()


def loaded(host: Kernel, *rules: Rule, control: Control | None = None, mode: Mode = Mode.FULL) -> None:
    made = compile_policy(snapshot(asset("host", *HOST)), policy(*rules, mode=mode), Settings(control=control))
    host.load(render(made.tables["host"]))


def counted(host: Kernel, chain: str) -> int:
    met = re.search(r"packets (\d+)", host.nft("list", "chain", "inet", "ringfence", chain))
    assert met is not None
    return int(met[1])


def counters(host: Kernel) -> dict[str, int]:
    """Return how many packets met each outcome."""
    return {name: int(number) for name, number in OUTCOMES.findall(host.listing())}


def denied_out(host: Kernel) -> int:
    return counted(host, "deny_default_out")


def fresh(pair: tuple[Kernel, Kernel]) -> tuple[Kernel, Kernel]:
    """Return the pair with nothing tracked: flows of other tests have the same ends."""
    for one in pair:
        one.run("python3", "-c", FORGET)
    return pair


@contextmanager
def listening(one: Kernel, address: str, port: int) -> Iterator[None]:
    """Hold a UDP socket, so that the kernel sends no ICMP error about what arrives."""
    command = [*one.entered, "python3", "-c", LISTEN, address, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield
        process.stdin.close()


def send(
    one: Kernel,
    source: str,
    target: str,
    protocol: int,
    target_port: int,
    source_port: int = 0,
    hops: int = 64,
    options: int = 0,
) -> None:
    """Send one packet; of ICMPv6 the port is the type. `options` is a socket option that adds an extension header."""
    kind = {6: "SOCK_STREAM", 17: "SOCK_DGRAM"}.get(protocol, "SOCK_RAW")
    number = protocol if kind == "SOCK_RAW" else 0
    words = (kind, number, source, source_port, target, target_port, hops, options or "")
    one.run("python3", "-c", SEND, *map(str, words))


OUTCOMES = re.compile(r"chain ((?:allow|deny|watch)_\S+) \{\s+counter packets (\d+)")
# IPCTNL_MSG_CT_DELETE of everything, acknowledged.
FORGET = """
import socket, struct
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
    netlink.sendto(struct.pack("=IHHIIBBH", 20, 0x0102, 5, 1, 0, 0, 0, 0), (0, 0))
    assert netlink.recv(4096)[16:20] == bytes(4)
"""
LISTEN = """
import socket, sys
address, port = sys.argv[1:]
four = ":" not in address
one = socket.socket(socket.AF_INET if four else socket.AF_INET6, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.bind((address, int(port), *(() if four else (0, socket.if_nametoindex("v0")))))
print("ready", flush=True)
sys.stdin.read()
"""
# An ICMP error from the host about a datagram of its neighbour's, with something in it that is none of the datagram's.
COMPLAIN = """
import socket, struct, sys
source, target, source_port, target_port = sys.argv[1:]
four = ":" not in source
family = socket.AF_INET if four else socket.AF_INET6
ends = socket.inet_pton(family, target) + socket.inet_pton(family, source)
inner = struct.pack("!BBHHHBBH", 69, 0, 48, 1, 0, 9, 17, 0) if four else struct.pack("!IHBB", 6 << 28, 28, 17, 9)
inner += ends + struct.pack("!HHHH", int(source_port), int(target_port), 28, 0) + b"something secret"
one = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP if four else socket.IPPROTO_ICMPV6)
one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v0")
body = (b"\3\3" if four else b"\1\4") + bytes(6) + inner
if four:
    total = sum(struct.unpack(f"!{len(body) // 2}H", body))
    total = (total & 65535) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 65535) + body[4:]
more = () if four else (0, socket.if_nametoindex("v0"))
one.bind((source, 0, *more))
try:
    one.sendto(body, (target, 0, *more))
except PermissionError:
    pass
"""
# An IGMP message with a header of its own making: from any source.
FORGE = """
import socket, struct, sys
source, target, hops = sys.argv[1:]
head = struct.pack("!BBHHHBBH", 69, 0, 28, 1, 0, int(hops), 2, 0) + socket.inet_aton(source) + socket.inet_aton(target)
one = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v0")
try:
    one.sendto(head + bytes(8), (target, 0))
except PermissionError:
    pass
"""
LINK, FAR = "fe80::2", "fd09::2"


@pytest.mark.parametrize(
    ("source", "target", "kind", "hops", "passes"),
    [
        (FAR, "fd09::1", 135, 255, True),
        (FAR, "fd09::1", 135, 254, False),
        (FAR, "fd09::1", 136, 64, False),
        (LINK, "fe80::1", 134, 255, True),
        (FAR, "fd09::1", 134, 255, False),
        (LINK, "fe80::1", 137, 1, False),
        (LINK, "ff02::1", 130, 1, True),
        (LINK, "ff02::1", 130, 2, False),
        (FAR, "ff02::1", 143, 1, False),
        (LINK, "fe80::1", 131, 1, False),
        (LINK, "fe80::1", 128, 255, False),
    ],
)
def test_discovery_comes_from_this_link_and_group_membership_goes_to_groups(
    pair: tuple[Kernel, Kernel], source: str, target: str, kind: int, hops: int, passes: bool
) -> None:
    host, peer = pair
    loaded(host)
    send(peer, source, target, 58, kind, hops=hops)
    assert (counted(host, "deny_default_in") == 0) is passes


@pytest.mark.parametrize(
    ("target", "hops", "passes"), [("224.0.0.1", 1, True), ("224.0.0.1", 2, False), (HOST[0], 1, False)]
)
def test_igmp_goes_one_hop_to_groups(pair: tuple[Kernel, Kernel], target: str, hops: int, passes: bool) -> None:
    host, peer = pair
    loaded(host)
    send(peer, PEER[0], target, 2, 0, hops=hops)
    assert (counted(host, "deny_default_in") == 0) is passes


@pytest.mark.parametrize(
    ("inbound", "ends", "ports", "passes"),
    [
        (False, (HOST[0], "255.255.255.255"), (68, 67), True),
        (False, (HOST[0], PEER[0]), (68, 67), False),
        (False, (HOST[0], "255.255.255.255"), (40000, 67), False),
        (False, ("fe80::1", "ff02::1:2"), (546, 547), True),
        (False, ("fe80::1", "fe80::2"), (546, 547), False),
        (False, ("fd09::1", "ff02::1:2"), (546, 547), False),
        (True, (PEER[0], HOST[0]), (67, 68), True),
        (True, (PEER[0], HOST[0]), (40000, 68), False),
        (True, (LINK, "fe80::1"), (547, 546), True),
        (True, (FAR, "fd09::1"), (547, 546), False),
    ],
)
def test_a_dhcp_client_speaks_to_all_servers_of_the_link_and_is_answered(
    pair: tuple[Kernel, Kernel], inbound: bool, ends: tuple[str, str], ports: tuple[int, int], passes: bool
) -> None:
    host, peer = pair
    loaded(host)
    send(peer if inbound else host, *ends, 17, ports[1], ports[0])
    assert (counted(host, f"deny_default_{'in' if inbound else 'out'}") == 0) is passes


CLIENTS = [(HOST[0], PEER[0], 68, 67), ("fe80::1", LINK, 546, 547)]


@pytest.mark.parametrize(("host_address", "server", "client_port", "server_port"), CLIENTS)
@pytest.mark.parametrize("allowed", [False, True])
def test_what_a_dhcp_client_answers_a_server_that_spoke_first_is_the_policys(
    pair: tuple[Kernel, Kernel], allowed: bool, host_address: str, server: str, client_port: int, server_port: int
) -> None:
    host, peer = fresh(pair)
    loaded(host, *([rule("renew", ANY, ANY, f"udp/{server_port}")] if allowed else []))
    with listening(host, host_address, client_port):
        send(peer, server, host_address, 17, client_port, server_port)
        assert counted(host, "deny_default_in") == 0
        assert denied_out(host) == 0
        send(host, host_address, server, 17, server_port, client_port)
    assert denied_out(host) == (0 if allowed else 1)


@pytest.mark.parametrize(("host_address", "server", "client_port", "server_port"), CLIENTS)
def test_an_icmp_error_carries_no_answer_to_a_server_that_spoke_first(
    pair: tuple[Kernel, Kernel], host_address: str, server: str, client_port: int, server_port: int
) -> None:
    host, peer = fresh(pair)
    loaded(host, rule("dns", ANY, ANY, "udp/53"))
    for port, source_port, denied in ((53, 40000, 0), (client_port, server_port, 1)):
        with listening(host, host_address, port):
            send(peer, server, host_address, 17, port, source_port)
            host.run("python3", "-c", COMPLAIN, host_address, server, str(source_port), str(port))
        assert denied_out(host) == denied


@pytest.mark.parametrize(("host_address", "server", "client_port", "server_port"), CLIENTS)
def test_a_renewal_that_the_policy_allows_is_answered_and_goes_on(
    pair: tuple[Kernel, Kernel], host_address: str, server: str, client_port: int, server_port: int
) -> None:
    host, peer = fresh(pair)
    loaded(host, rule("renew", ANY, ANY, f"udp/{server_port}"))
    with listening(host, host_address, client_port), listening(peer, server, server_port):
        for _ in range(2):
            send(host, host_address, server, 17, server_port, client_port)
            send(peer, server, host_address, 17, client_port, server_port)
    assert (counted(host, "deny_default_in"), denied_out(host)) == (0, 0)


@pytest.mark.parametrize(
    ("ports", "service"), [((68, 67), "udp/67"), ((67, 67), "udp/67"), ((40000, 68), "udp/68"), ((67, 69), "udp/69")]
)
def test_a_host_answers_what_a_rule_let_in_on_any_other_pair_of_ports(
    pair: tuple[Kernel, Kernel], ports: tuple[int, int], service: str
) -> None:
    """A DHCP server and a relay among them."""
    host, peer = fresh(pair)
    loaded(host, rule("service", ANY, ANY, service, sides=frozenset({Direction.IN})))
    with listening(host, HOST[0], ports[1]):
        send(peer, PEER[0], HOST[0], 17, ports[1], ports[0])
        send(host, HOST[0], PEER[0], 17, ports[0], ports[1])
    assert (counted(host, "deny_default_in"), denied_out(host)) == (0, 0)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SELECTIVE])
def test_a_mode_that_denies_nothing_denies_no_answer(pair: tuple[Kernel, Kernel], mode: Mode) -> None:
    host, peer = fresh(pair)
    loaded(host, mode=mode)
    with listening(host, HOST[0], 68):
        send(peer, PEER[0], HOST[0], 17, 68, 67)
        send(host, HOST[0], PEER[0], 17, 67, 68)
    assert counted(host, "watch_default_out" if mode is Mode.OBSERVE else "allow_default") == 1


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    "rules",
    [
        (),
        (rule("in", ANY, ANY, "udp/68"),),
        (rule("renew", ANY, ANY, "udp/67"),),
        (rule("in", ANY, ANY, "udp/68"), rule("no", ANY, ANY, "udp/67", action=Action.DENY)),
        (rule("halt", ANY, ANY, "udp/67", action=Action.DENY, tier="emergency"),),
    ],
    ids=lambda rules: "-".join(one.name for one in rules) or "none",
)
def test_what_becomes_of_an_answer_is_what_explain_says_of_a_first_packet(
    pair: tuple[Kernel, Kernel], rules: tuple[Rule, ...], mode: Mode
) -> None:
    host, peer = fresh(pair)
    loaded(host, *rules, mode=mode)
    made = compile_policy(snapshot(asset("host", *HOST)), policy(*rules, mode=mode), Settings())
    answer = explain(made, "host", PEER[0], parse_service("udp/67"))
    (effect,) = {side.effect for side in answer.sides if side.effect is not None}
    with listening(host, HOST[0], 68), listening(peer, PEER[0], 67):
        send(peer, PEER[0], HOST[0], 17, 68, 67)
        before = counters(host)
        send(host, HOST[0], PEER[0], 17, 67, 68)
    after = counters(host)
    assert [chain.split("_")[0] for chain in after if after[chain] > before[chain]] == [effect]


def test_igmp_begins_no_connection(pair: tuple[Kernel, Kernel]) -> None:
    host, peer = fresh(pair)
    loaded(host)
    send(host, HOST[0], "224.0.0.9", 2, 0, hops=1)
    send(peer, PEER[0], "224.0.0.1", 2, 0, hops=1)
    assert (counted(host, "deny_default_in"), denied_out(host)) == (0, 0)
    send(peer, PEER[0], "224.0.0.1", 2, 0, hops=9)
    send(host, HOST[0], "224.0.0.9", 2, 0, hops=9)
    host.run("python3", "-c", FORGE, "224.0.0.1", PEER[0], "9")
    assert (counted(host, "deny_default_in"), denied_out(host)) == (1, 2)


def test_discovery_begins_no_connection(pair: tuple[Kernel, Kernel]) -> None:
    host, peer = fresh(pair)
    loaded(host)
    for kind, answer in ((133, 134), (135, 136)):
        send(peer, LINK, "fe80::1", 58, kind, hops=255)
        before = denied_out(host)
        send(host, "fe80::1", LINK, 58, answer, hops=64)
        assert denied_out(host) == before + 1


def test_behind_extension_headers_a_packet_is_judged_by_its_protocol(pair: tuple[Kernel, Kernel]) -> None:
    """IPV6_HOPOPTS (54) and IPV6_DSTOPTS (59) of linux/in6.h add a header in front of the datagram's."""
    host, peer = pair
    headers = ("ip/0", "ip/43", "ip/44", "ip/60")
    loaded(host, rule("headers", ANY, ANY, *headers, action=Action.DENY, priority=10), rule("dns", ANY, ANY, "udp/53"))
    for number, options in enumerate((54, 59), 1):
        send(peer, FAR, "fd09::1", 17, 53, options=options)
        assert counted(host, "allow_dns00000") == number
    assert counted(host, "deny_headers0_in") == 0
    send(peer, FAR, "fd09::1", 17, 54, options=59)
    assert counted(host, "deny_default_in") == 1


def test_the_control_port_speaks_to_its_networks_whoever_it_is_and_to_nobody_else(pair: tuple[Kernel, Kernel]) -> None:
    host, _ = pair
    for control, source_port, denied in ((PEER[0], 22, 0), (PEER[0], 23, 1), ("10.9.0.3", 22, 1)):
        loaded(host, control=Control((control,), 22))
        send(host, HOST[0], PEER[0], 6, 5432, source_port)
        assert (counted(host, "deny_default_out") > 0) == denied
