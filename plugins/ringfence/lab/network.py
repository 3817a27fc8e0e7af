"""The lab's network, inside the supervisor's network namespace: one bridge, a namespace and a veth pair a host."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.lab import kernel
from ringfence.lab.spec import CONTROLLER_4, CONTROLLER_6, NETWORK_4, NETWORK_6

NAMESPACES = Path("/run/netns")  # where ip(8) looks for them; the supervisor has a /run of its own
BRIDGE = "lab0"
INTERFACE = "eth0"
ANCHOR = 1  # the process whose network namespace has the bridge


@dataclass(frozen=True, slots=True)
class Link:
    """A host's place on the bridge; `number` is its own within the lab."""

    host: str
    number: int
    addresses: Sequence[str]


def make_bridge() -> None:
    """Make the bridge with the controller's addresses; raises CalledProcessError."""
    NAMESPACES.mkdir(exist_ok=True)
    _no_duplicate_detection()
    _ip_batch(
        [
            "link set lo up",
            f"link add {BRIDGE} type bridge mcast_snooping 0",
            f"link set {BRIDGE} up",
            *_address_lines(BRIDGE, (str(CONTROLLER_4), str(CONTROLLER_6))),
        ]
    )


def attach(links: Sequence[Link]) -> None:
    """Give each host a fresh network namespace on the bridge; raises OSError naming one that could not be made."""
    children = {_fork_namespace(link): link for link in links}
    failed = [link.host for child, link in children.items() if os.waitpid(child, 0)[1] != 0]
    if failed:
        raise OSError(f"no network namespace could be made for {', '.join(failed)}; the lab's log says why")
    _ip_batch([f"link set {_port_name(link.number)} master {BRIDGE} up" for link in links])


def detach(link: Link) -> None:
    """Take the host's network namespace away with all it holds: rules, tracked connections, addresses."""
    subprocess.run(["ip", "link", "del", _port_name(link.number)], check=False, stderr=subprocess.DEVNULL)
    kernel.unmount(NAMESPACES / link.host)
    (NAMESPACES / link.host).unlink()


def _port_name(number: int) -> str:
    return f"port{number}"


def _address_lines(interface: str, addresses: Iterable[str]) -> list[str]:
    """Every address is reached on the link, also one outside the lab's networks, so that any estate can be laid out."""
    lines: list[str] = []
    routes: set[str] = set()
    for text in addresses:
        address = ipaddress.ip_address(text)
        network = NETWORK_4 if address.version == 4 else NETWORK_6
        length = network.prefixlen if address in network else address.max_prefixlen
        lines.append(f"addr add {address}/{length} dev {interface}" + (" nodad" if address.version == 6 else ""))
        routes.add(f"route add {'0.0.0.0/0' if address.version == 4 else '::/0'} dev {interface}")
    return lines + sorted(routes)


def _ip_batch(lines: list[str]) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def _fork_namespace(link: Link) -> int:
    """Start a child that becomes a network namespace, puts it where ip(8) finds it, and fills it; return its id."""
    (NAMESPACES / link.host).touch()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
        kernel.bind(Path("/proc/self/ns/net"), NAMESPACES / link.host)
        _no_duplicate_detection()
        mac = f"02:52:66:{link.number >> 16 & 255:02x}:{link.number >> 8 & 255:02x}:{link.number & 255:02x}"
        _ip_batch(
            [
                "link set lo up",
                f"link add {INTERFACE} address {mac} type veth peer name {_port_name(link.number)} netns {ANCHOR}",
                f"link set {INTERFACE} up",
                *_address_lines(INTERFACE, link.addresses),
            ]
        )
        status = 0
    except (OSError, subprocess.SubprocessError):
        traceback.print_exc()
    finally:
        os._exit(status)


def _no_duplicate_detection() -> None:
    """Addresses shall be usable at once, and nothing on the link advertises routers."""
    for interface in ("default", "all"):
        base = Path(f"/proc/sys/net/ipv6/conf/{interface}")
        (base / "accept_dad").write_text("0")
        (base / "accept_ra").write_text("0")
