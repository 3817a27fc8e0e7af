"""What a kernel has denied by our own rulesets, as the reader of a watch tells it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.watch_script import watch_script
from ringfence.enforcers import iptables, nftables
from ringfence.model.addresses import point_of
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect
from ringfence.watch.told import DenialTold, FlowTold, Unnamed, parse

from tests.unit.enforcers.iptables_kernel import IptablesKernel
from tests.unit.enforcers.nft_kernel import Kernel
from tests.unit.watch.watch_factory import DB, STRANGER, compiled

WIRES = f"""
ip link set lo up
ip link add d0 type veth peer name d1
ip link set d0 up
ip link set d1 up
ip addr add {DB}/24 dev d0
ip route add default dev d0
"""
SEND = f"""
import socket
for port in (53, 53, 123):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("{STRANGER}", port))
    except OSError:
        pass  # the kernel says that it dropped it
"""
Look = Callable[[], list[object]]


@contextmanager
def reader(kernel: Kernel, enforcer: str) -> Iterator[Look]:
    """Give what asks a reader in a namespace for a look, and returns what it tells."""
    asked = [0]
    with subprocess.Popen(
        [*kernel.entered, "/bin/sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(watch_script(enforcer))
        process.stdin.flush()
        lines = process.stdout
        assert lines.readline().startswith("H 2 ")

        def look() -> list[object]:
            asked[0] += 1
            assert process.stdin
            process.stdin.write(f"{asked[0]}\n")
            process.stdin.flush()
            told = []
            while not (line := lines.readline().rstrip("\n")).startswith("T "):
                told.append(parse(line))
            return told

        yield look
        process.stdin.close()
        assert process.wait(120) == 0


def denials(told: list[object]) -> set[tuple[int, int | None, int]]:
    """Return protocol, port and packets of what db denied the stranger on the way out by no rule."""
    found = [one for one in told if isinstance(one, DenialTold)]
    assert all(
        (one.effect, one.rule, one.direction, one.peer)
        == (Effect.DENY, "default", Direction.OUT, point_of(STRANGER))
        for one in found
    )  # fmt: skip
    return {(one.protocol, one.port, one.packets) for one in found}


def test_nftables_tells_every_peer_and_port_with_its_packets_once(kernel: Kernel) -> None:
    kernel.run("sh", "-ec", WIRES)
    kernel.load(nftables.render(compiled().tables["db"]))
    with reader(kernel, "nftables") as look:
        assert look() == []
        kernel.run("python3", "-c", SEND)
        told = look()
        assert denials(told) == {(17, 53, 2), (17, 123, 1)}
        assert not [one for one in told if isinstance(one, FlowTold)]
        assert look() == []
        kernel.run("python3", "-c", SEND)
        assert denials(look()) == {(17, 53, 4), (17, 123, 2)}
        # another table, whose counters begin anew
        kernel.load(nftables.render(compiled().tables["db"]))
        kernel.run("python3", "-c", SEND)
        assert denials(look()) == {(17, 53, 2), (17, 123, 1)}


def test_packets_that_a_full_set_does_not_remember_are_counted(kernel: Kernel) -> None:
    kernel.run("sh", "-ec", f"ip addr show dev d0 >/dev/null 2>&1 || {{ {WIRES} }}")
    kernel.load(nftables.render(compiled().tables["db"]).replace("size 4096", "size 2"))
    with reader(kernel, "nftables") as look:
        assert look() == []
        kernel.run("python3", "-c", SEND.replace("(53, 53, 123)", "(1, 2, 3, 4)"))
        told = look()
        assert [one for one in told if isinstance(one, Unnamed)] == [Unnamed(Effect.DENY, "default", 2)]


@pytest.mark.parametrize("iptables", ["legacy"], indirect=True)
def test_ipset_tells_every_peer_and_port(iptables: IptablesKernel) -> None:
    iptables.kernel.run("sh", "-ec", WIRES)
    iptables.load(rendered_by_iptables())
    with reader(iptables.kernel, "iptables") as look:
        assert look() == []
        iptables.kernel.run("python3", "-c", SEND)
        assert denials(look()) == {(17, 53, 1), (17, 123, 1)}
        assert look() == []


def rendered_by_iptables() -> str:
    """Return what db loads."""
    return iptables.render(compiled().tables["db"])
