"""A host with two bridges and containers on them, as network namespaces of one process: every connection tried at once.

The engine is a stand-in for the command of Docker, which answers from a file; the target's own script fills the maps.
Containers of one bridge are seen by the host only where the kernel gives bridged packets to it (`same_bridge`).
"""

from __future__ import annotations

import ctypes
import os
import select
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script

from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

HOST, CLIENT = "dock-1", "client"
NETWORKS = {"front": ("172.30.1", "fd30:1:"), "back": ("172.30.2", "fd30:2:")}
CONTAINERS = {"a": "front", "b": "front", "c": "back", "d": "back"}
HOST_AT, CLIENT_AT = ("203.0.113.1", "fd30:9::1"), ("203.0.113.9", "fd30:9::9")
PORTS = (80, 8080, 5432)
UDP = 17 << 16  # before the port of a datagram
POINTS = (*PORTS, UDP | 53)
# The host's ports that its destination NAT leads the client to containers by, and the ports of these.
PUBLISHED = {"a": (80, 8080), "b": (8080, 5432), "c": (5432, 80)}
Probe = tuple[str, str, int]  # from whom, to which address and port; a datagram with UDP
Found = TypeVar("Found")
ENGINE = """
have() {{
    case $1 in docker) return 0 ;; podman | timeout | systemd-run) return 1 ;; esac
    command -v "$1" >/dev/null 2>&1
}}
docker() {{ case $1 in ps) echo 0a ;; inspect) cat {told} ;; esac; }}
"""
SWITCHES = [Path(f"/proc/sys/net/bridge/bridge-nf-call-{tool}") for tool in ("iptables", "ip6tables")]
FILL = "verb=refresh\nstate={state}\nfill_containers {lines}\n"


class ContainerWorld:
    """The namespaces; `close` ends them."""

    def __init__(self, directory: Path, *, published: bool = False) -> None:
        """Make them; with `published` the host translates addresses for its containers, as engines do."""
        self.published = published
        self.host = open_kernel()
        self.inside = {name: Kernel() for name in (*CONTAINERS, CLIENT)}
        self.told = directory / "told"
        self.addresses: dict[str, tuple[str, str]] = {HOST: HOST_AT, CLIENT: CLIENT_AT}
        self.listening: list[socket.socket] = []
        self.datagrams: list[socket.socket] = []
        self.arrived: set[bytes] = set()
        self.sent = 0
        self._pool = ThreadPoolExecutor(1)
        self._wire()
        self.same_bridge = all(self.inside_of(HOST, lambda one=one: _switched_on(one)) for one in SWITCHES)
        for name in (HOST, *self.inside):
            self.listening += self.inside_of(name, _listen)
            self.datagrams.append(self.inside_of(name, _receive))
        self._stop = threading.Event()
        self._answering = threading.Thread(target=self._answer)
        self._answering.start()

    def _wire(self) -> None:
        run = self.host.run
        run("ip", "link", "set", "lo", "up")
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            run("sh", "-c", f"echo 1 >/proc/sys/net/{switch}")
        for name, (v4, v6) in NETWORKS.items():
            run("ip", "link", "add", name, "type", "bridge")
            run("ip", "address", "add", f"{v4}.1/24", "dev", name)
            run("ip", "address", "add", f"{v6}:1/64", "dev", name, "nodad")
            run("ip", "link", "set", name, "up")
        for name, kernel in self.inside.items():
            run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(kernel.pid))
            run("ip", "link", "set", f"to-{name}", "up", *(["master", CONTAINERS[name]] if name in CONTAINERS else []))
            kernel.run("ip", "link", "set", "eth0", "up")
        for address, flags in zip(HOST_AT, ([], ["nodad"]), strict=True):
            run("ip", "address", "add", f"{address}/{64 if ':' in address else 24}", "dev", f"to-{CLIENT}", *flags)
        self._give(CLIENT, CLIENT_AT, HOST_AT)

    def _give(self, name: str, addresses: Sequence[str], gateways: Sequence[str]) -> None:
        words = ["ip address flush dev eth0 scope global"]
        for address, gateway in zip(addresses, gateways, strict=True):
            length, flag = (64, " nodad") if ":" in address else (24, "")
            words += [f"ip address add {address}/{length} dev eth0{flag}", f"ip route replace default via {gateway}"]
        self.inside[name].run("sh", "-ec", "\n".join(words))

    def start(self, last: dict[str, int]) -> None:
        """Give every container an address of its network in both families, as a restart does."""
        for name, number in last.items():
            v4, v6 = NETWORKS[CONTAINERS[name]]
            self.addresses[name] = (f"{v4}.{number}", f"{v6}:{number:x}")
            self._give(name, self.addresses[name], (f"{v4}.1", f"{v6}:1"))
        lines = (f"/{name} {' '.join(self.addresses[name])}\n" for name in last)
        self.told.write_text("".join(lines))
        if self.published:
            self.host.nft("-f", "-", text="".join(self._translation(family) for family in (0, 1)))
        # neighbours of before would send to whom they knew by an address
        for kernel in (self.host, *self.inside.values()):
            kernel.run("ip", "neigh", "flush", "all")

    def _translation(self, family: int) -> str:
        """Return the table that gives published ports to containers, and hides containers from the client."""
        word = ("ip", "ip6")[family]
        led = []
        for name, (port, inner) in PUBLISHED.items():
            at = self.addresses[name][family]
            target = f"[{at}]:{inner}" if family else f"{at}:{inner}"
            led.append(f'iifname "to-{CLIENT}" {word} daddr {HOST_AT[family]} tcp dport {port} dnat to {target}')
        return (
            f"table {word} engine {{}}\ndelete table {word} engine\ntable {word} engine {{\n"
            "chain pre { type nat hook prerouting priority -100;\n" + "\n".join(led) + "\n}\n"
            "chain post { type nat hook postrouting priority 100;\n"
            + "\n".join(f'iifname "{bridge}" oifname "to-{CLIENT}" masquerade' for bridge in NETWORKS)
            + "\n}\n}\n"
        )

    @property
    def engine(self) -> str:
        """Return the stand-in for Docker's command."""
        return ENGINE.format(told=self.told)

    def fill(self, lines: str) -> str:
        """Have the target's script fill the maps, and return what it says."""
        text = script() + self.engine + FILL.format(state=self.told.parent, lines=shlex.quote(lines))
        return self.host.run("sh", "-s", text=text)

    def ask(self, words: str) -> str:
        """Have the target's script run functions of its own, and return what they say."""
        return self.host.run("sh", "-s", text=f"{script()}state={self.told.parent}\n{words}\n")

    def switch_bridged(self, value: str) -> None:
        """Switch on or off whether the host's tables see packets within a bridge."""
        if not self.same_bridge:
            pytest.skip("this kernel has no br_netfilter")
        for switch in SWITCHES:
            self.inside_of(HOST, lambda switch=switch: switch.write_text(value, encoding="ascii"))

    def link_local(self, name: str) -> str:
        """Return the link-local address of a container."""
        told = self.inside[name].run("ip", "-6", "-brief", "address", "show", "dev", "eth0", "scope", "link")
        return next(word for word in told.split() if word.startswith("fe80:")).partition("/")[0]

    def move(self, lines: str, without: str, words: str = 'move_containers "$lines" "$(containers_now)"') -> None:
        """Have the script do what it does when an engine tells of a change, on a host that lacks a tool."""
        lacks = (
            f'case $1 in docker) return 0 ;; podman | timeout | {without}) return 1 ;; esac; command -v "$1" >/dev/null'
        )
        text = f"{script()}{self.engine}have() {{ {lacks}; }}\n"
        self.host.run("sh", "-s", text=f"{text}state={self.told.parent}\nlines={shlex.quote(lines)}\n{words}\n")

    def passing(self, probes: Iterable[Probe], expected: Callable[[Probe], bool]) -> set[Probe]:
        """Return which connections are made, as soon as all that are expected are, or after five seconds."""
        made: set[Probe] = set()
        waiting: dict[int, tuple[Probe, socket.socket]] = {}
        poll = select.poll()
        wanted = set()
        datagrams: dict[bytes, Probe] = {}
        for probe in probes:
            wanted |= {probe} if expected(probe) else set()
            if probe[2] & UDP:
                self.sent += 1
                word = b"%d" % self.sent
                datagrams[word] = probe
                self.inside_of(probe[0], lambda probe=probe, word=word: _send(probe, word))
                continue
            one = self.inside_of(probe[0], lambda probe=probe: _begin(probe))
            waiting[one.fileno()] = (probe, one)
            poll.register(one, select.POLLOUT)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            # what must not come has had the time that all others took, and a moment more
            ready = poll.poll(50 if wanted <= made or datagrams else 500)
            for number, _ in ready:
                probe, one = waiting[number]
                poll.unregister(number)
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    made.add(probe)
            made |= {datagrams[word] for word in datagrams.keys() & set(self.arrived)}
            if not ready and wanted <= made:
                break
        for _, one in waiting.values():
            one.close()
        return made

    def inside_of(self, name: str, work: Callable[[], Found]) -> Found:
        """Return what a function returns in a namespace: its sockets stay there."""
        kernel = self.host if name == HOST else self.inside[name]

        def enter() -> Found:
            with Path(f"/proc/{kernel.pid}/ns/net").open(encoding="ascii") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            return work()

        return self._pool.submit(enter).result()

    def _answer(self) -> None:
        while not self._stop.is_set():
            for one in select.select([*self.listening, *self.datagrams], [], [], 0.1)[0]:
                if one in self.datagrams:
                    self.arrived.add(one.recv(100))
                else:
                    one.accept()[0].close()

    def close(self) -> None:
        """End the namespaces."""
        self._stop.set()
        self._answering.join()
        for one in (*self.listening, *self.datagrams):
            one.close()
        self._pool.shutdown()
        for kernel in (self.host, *self.inside.values()):
            kernel.close()


def _switched_on(switch: Path) -> bool:
    try:
        switch.write_text("1", encoding="ascii")
    except OSError:
        return False
    return True


def _listen() -> list[socket.socket]:
    found = []
    for port in PORTS:
        one = socket.socket(socket.AF_INET6)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("::", port))
        one.listen(64)
        found.append(one)
    return found


def _receive() -> socket.socket:
    one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    one.bind(("::", 53))
    return one


def _send(probe: Probe, word: bytes) -> None:
    """Send a datagram; one that the sender's own host denies is an error there."""
    kind = socket.AF_INET6 if ":" in probe[1] else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as one, suppress(PermissionError):
        one.sendto(word, (probe[1], probe[2] & 0xFFFF))


def _begin(probe: Probe) -> socket.socket:
    _, address, port = probe
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    # an end at once, without a wait of the kernel for more
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    one.setblocking(False)
    address, _, interface = address.partition("%")
    one.connect_ex((address, port, 0, socket.if_nametoindex(interface)) if interface else (address, port))
    return one


def needs_root() -> bool:
    """Return whether the namespaces cannot be entered."""
    return os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], check=False).returncode != 0
