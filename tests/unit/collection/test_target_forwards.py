"""A target that forwards for others tells between whom, and which backend Docker has, whatever its shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lone_target import LoneTarget
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]
SCRIPT = Path("collections/ansible_collections/ringfence/core/plugins/plugin_utils/targets/script")
ROUTES = """\
default via 10.0.1.1 dev eth0
10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.9
10.0.2.0/24 dev eth1 proto kernel scope link src 10.0.2.1
10.9.0.0/16 via 10.0.2.7 dev eth1
169.254.0.0/16 dev eth0 scope link
blackhole 10.8.0.0/16
"""
ROUTES_6 = """\
fd00:2::/64 dev eth1 proto kernel metric 256 pref medium
fe80::/64 dev eth1 proto kernel metric 256 pref medium
"""
BETWEEN = "forwarded, judged by the tables of containers alone: between 10.0.1.0/24 (eth0), 10.0.2.0/24 (eth1)"
BY_CONTAINERS, JUDGED = "judged by the tables of containers alone", "judged for the addresses of the plan alone"
SWITCH = "proc/sys/net/ipv4/ip_forward"
TAGGED = "proc/sys/net/bridge/bridge-nf-filter-vlan-tagged"


def forwarding(
    root: Path,
    shell: list[str],
    *,
    switch: str = "0",
    routes: str = "",
    ports: tuple[str, ...] = (),
    held: str = "",
    judged: str = "",
    tagged: str = "",
) -> list[str]:
    """Return what a host says that it forwards, whose files and routes are given."""
    (root / SWITCH).parent.mkdir(parents=True)
    (root / SWITCH).write_text(switch)
    if tagged:
        (root / TAGGED).parent.mkdir(parents=True)
        (root / TAGGED).write_text(tagged)
    for port in ports:
        (root / "sys/class/net/br0/brif" / port).mkdir(parents=True)
    fake = f'ip() {{ case $1 in -4) printf %s "{routes}" ;; *) printf %s "{ROUTES_6 if routes else ""}" ;; esac; }}'
    fake += f"""
have() {{ :; }}
nft() {{ case $* in "list chain inet ringfence forwarded_in") [ -n "{judged}" ] ;; *) return 2 ;; esac; }}
bridged_values() {{ echo "{judged}"; }}"""
    parts = [(SCRIPT / part).read_text() for part in ("containers.sh", "status.sh")]
    text = "\n".join([*parts, fake, f'confirmed_processes="{held}"', f'status_forwarding "{root}/"'])
    done = subprocess.run(shell, input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


CASES: dict[str, tuple[dict[str, object], list[str]]] = {
    "a host": ({"routes": ROUTES}, []),
    "a router": (
        {"switch": "1", "routes": ROUTES},
        [f"/{SWITCH}: this host forwards", f"{BETWEEN}, fd00:2::/64 (eth1)"],
    ),
    "a router that judges": (
        {"switch": "1", "routes": ROUTES, "judged": "0 0", "ports": ("eno1", "tap0")},
        [
            f"/{SWITCH}: this host forwards",
            f"{BETWEEN.replace(BY_CONTAINERS, JUDGED)}, fd00:2::/64 (eth1)",
            "bridge br0: forwarded past every table: between eno1, tap0",
        ],
    ),
    "a router that judges on its bridges": (
        {"switch": "1", "routes": ROUTES, "judged": "1 1", "ports": ("eno1", "tap0")},
        [
            f"/{SWITCH}: this host forwards",
            f"{BETWEEN.replace(BY_CONTAINERS, JUDGED + ', on bridges too')}, fd00:2::/64 (eth1)",
        ],
    ),
    "bridges that are judged but for VLAN tags": (
        {"judged": "1 1", "ports": ("eno1", "tap0"), "tagged": "0"},
        [
            "bridge br0: forwarded past every table with a VLAN tag (net.bridge.bridge-nf-filter-vlan-tagged is 0): "
            "between eno1, tap0"
        ],
    ),
    "bridges that are judged, VLAN tags too": ({"judged": "1 1", "ports": ("eno1", "tap0"), "tagged": "1"}, []),
    "one network": ({"switch": "1", "routes": ROUTES.splitlines()[1]}, [f"/{SWITCH}: this host forwards"]),
    "no ip": ({"switch": "1"}, [f"/{SWITCH}: this host forwards"]),
    "many networks": (
        {"switch": "1", "routes": "\n".join(f"10.{one}.0.0/24 dev eth{one} scope link" for one in range(7)) + "\n"},
        [
            f"/{SWITCH}: this host forwards",
            "forwarded, judged by the tables of containers alone: between "
            + ", ".join(f"10.{one}.0.0/24 (eth{one})" for one in range(4))
            + " and 4 more",
        ],
    ),
    "a hypervisor": ({"ports": ("eno1", "tap0")}, ["bridge br0: forwarded past every table: between eno1, tap0"]),
    "a bridge with one port": ({"ports": ("tap0",)}, []),
    "containers of the plan": ({"ports": ("veth1", "veth2"), "held": "container web m goto c"}, []),
    "other containers": (
        {"ports": ("veth1", "veth2"), "held": "unit web m goto c"},
        ["bridge br0: forwarded past every table: between veth1, veth2"],
    ),
}


@pytest.mark.parametrize("shell", SHELLS, ids=lambda one: one[0])
@pytest.mark.parametrize("case", CASES)
def test_a_host_says_between_whom_it_forwards(tmp_path: Path, shell: list[str], case: str) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    given, said = CASES[case]
    assert forwarding(tmp_path, shell, **given) == said  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
@pytest.mark.parametrize(
    ("enforcer", "said"),
    [
        ("nftables", "ip docker-bridges: forward chain of Docker, whose backend is nftables"),
        ("iptables", "nftables table ip docker-bridges: Docker, whose backend is nftables"),
    ],
)
def test_dockers_own_backend_is_named(tmp_path: Path, enforcer: str, said: str) -> None:
    kernel = open_kernel()
    try:
        chain = "chain filter-FORWARD { type filter hook forward priority filter; policy accept; }"
        kernel.nft("-f", "-", text=f"table ip docker-bridges {{ {chain}; }}\ntable ip mine {{ {chain}; }}")
        status, reply, errors = LoneTarget(tmp_path, kernel, ["dash", "-s"], enforcer=enforcer).ask(
            "status", {"listing": "1"}
        )
    finally:
        kernel.close()
    assert status == 0, errors
    told = reply.sections["foreign"].splitlines()
    assert said in told
    assert not any("mine" in line and "Docker" in line for line in told)


@pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
def test_a_forward_chain_that_does_nothing_is_not_named(tmp_path: Path) -> None:
    kernel = open_kernel()
    try:
        hook = "type filter hook forward priority filter; policy"
        for name, body in (("stock", "accept;"), ("closed", "drop;"), ("ruled", "accept; counter;")):
            kernel.nft("-f", "-", text=f"table inet {name} {{ chain forward {{ {hook} {body} }}; chain more {{ }}; }}")
        _, reply, _ = LoneTarget(tmp_path, kernel, ["dash", "-s"]).ask("status", {"listing": "1"})
    finally:
        kernel.close()
    told = set(reply.sections["foreign"].splitlines())
    assert {"inet closed: forward chain", "inet ruled: forward chain"} <= told
    assert not any("stock" in line for line in told)


@pytest.mark.skipif(os.geteuid() != 0, reason="switches of the kernel belong to root")
def test_a_kernel_shows_frames_with_a_vlan_tag_only_where_that_is_switched_on() -> None:
    bridge, ends = open_kernel(), [Kernel(), Kernel()]
    try:
        bridge.run("ip", "link", "add", "br0", "up", "type", "bridge")
        for number, kernel in enumerate(ends):
            here, there = (f"p{number}", "up", "type", "veth"), ("peer", "name", "eth0", "netns", str(kernel.pid))
            bridge.run("ip", "link", "add", *here, *there)
            bridge.run("ip", "link", "set", f"p{number}", "master", "br0")
            kernel.run("ip", "link", "set", "eth0", "up")
        bridge.nft(
            "-f", "-", text="table inet t { chain c { type filter hook forward priority 0; udp dport 9 counter; }; }"
        )
        met = {}
        for shown in ("0", "1"):
            switches = (f"/{TAGGED}", shown), ("/proc/sys/net/bridge/bridge-nf-call-iptables", "1")
            try:
                bridge.run("sh", "-ec", "\n".join(f"echo {value} >{switch}" for switch, value in switches))
            except AssertionError:
                pytest.skip("this kernel has no br_netfilter")
            for tag in ("", "81000007"):
                before = seen(bridge)
                ends[0].run("python3", "-c", FRAMES, tag)
                met[shown, tag] = seen(bridge) > before
    finally:
        for one in (bridge, *ends):
            one.close()
    assert met == {("0", ""): True, ("0", "81000007"): False, ("1", ""): True, ("1", "81000007"): True}


# Datagrams from 10.0.0.1 to 10.0.0.2, port 9, in frames for everybody, with a tag or without.
FRAMES = """
import socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
head = struct.pack("!BBHHHBBH4B4B", 0x45, 0, 29, 1, 0, 64, 17, 0, 10, 0, 0, 1, 10, 0, 0, 2)
total = sum(struct.unpack("!10H", head))
total = (total & 0xFFFF) + (total >> 16)
head = head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:]
data = head + struct.pack("!HHHH", 7, 9, 9, 0) + b"x" + bytes(17)
for _ in range(20):
    link.send(b"\\xff" * 6 + b"\\2\\0\\0\\0\\0\\1" + bytes.fromhex(sys.argv[1]) + b"\\x08\\0" + data)
    time.sleep(0.02)
"""


def seen(kernel: Kernel) -> int:
    """Return how many packets the chain has met."""
    return int(kernel.nft("list", "chain", "inet", "t", "c").partition("packets ")[2].split()[0])
