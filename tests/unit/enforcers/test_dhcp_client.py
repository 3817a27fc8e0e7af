"""A real DHCP client behind a table in mode full: it gets a lease, renews it where a rule allows, and rebinds."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.compiler import compile_policy
from ringfence.enforcers.nftables import render
from ringfence.model.rules import Rule, Settings
from ringfence.model.selectors import ANY

from tests.unit.enforcers.nft_kernel import Kernel
from tests.unit.enforcers.test_built_in_packets import counted, denied_out, fresh, pair
from tests.unit.estate_factory import asset, policy, rule, snapshot

__all__ = ["pair"]
LEASED, SERVER = "10.9.0.10", "10.9.0.2"
# The lease of 20 s is renewed after 10, which is sooner than the client waits for an answer to a renewal.
SERVED = f"""start {LEASED}
end {LEASED}
interface v0
max_leases 1
min_lease 20
option subnet 255.255.255.0
option lease 20
"""
TAKE = """#!/bin/sh
case $1 in
    bound|renew) ip address replace "$ip/24" dev v0 ;;
    deconfig) ip address del "$ip/24" dev v0 2>/dev/null ;;
esac
echo "$1 $ip" >>"$(dirname "$0")/events"
"""


@pytest.fixture
def hosts(pair: tuple[Kernel, Kernel], tmp_path: Path) -> Iterator[tuple[Kernel, Path]]:
    """The host without an address of IPv4, and the directory of a DHCP server that its neighbour runs."""
    busybox = shutil.which("busybox")
    known = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split() if busybox else []
    if not {"udhcpc", "udhcpd"} <= set(known):
        pytest.skip("needs busybox with udhcpc and udhcpd")
    host, peer = fresh(pair)
    host.run("ip", "address", "flush", "dev", "v0", "scope", "global")
    (tmp_path / "leases").touch()
    (tmp_path / "events").touch()
    files = f"lease_file {tmp_path}/leases\npidfile {tmp_path}/server.pid\n"
    (tmp_path / "server.conf").write_text(SERVED + files)
    (tmp_path / "take").write_text(TAKE)
    (tmp_path / "take").chmod(0o755)
    server = [*peer.entered, "busybox", "udhcpd", "-f", str(tmp_path / "server.conf")]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield host, tmp_path
        process.terminate()
    host.run("ip", "address", "flush", "dev", "v0", "scope", "global")


def leased(host: Kernel, directory: Path, events: int, *rules: Rule, ask: bool = False) -> list[str]:
    """Return the first events of a client behind a table of these rules; `ask` makes it renew once it has a lease."""
    made = compile_policy(snapshot(asset("host", LEASED)), policy(*rules), Settings())
    host.load(render(made.tables["host"]))
    client = [*host.entered, "busybox", "udhcpc", "-f", "-i", "v0", "-T", "1", "-s", str(directory / "take")]
    with subprocess.Popen(client, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        seen: list[str] = []
        end = time.monotonic() + 40
        while len(seen) < events and time.monotonic() < end:
            time.sleep(0.1)
            seen = (directory / "events").read_text().splitlines()
            if ask and len(seen) == 2:
                process.send_signal(signal.SIGUSR1)
                ask = False
        process.terminate()
    return seen


def test_a_client_gets_a_lease_and_renews_it_at_its_server_where_a_rule_allows(hosts: tuple[Kernel, Path]) -> None:
    host, directory = hosts
    seen = leased(host, directory, 3, rule("renew", ANY, ANY, "udp/67"), ask=True)
    assert [one.strip() for one in seen[:3]] == ["deconfig", f"bound {LEASED}", f"renew {LEASED}"]
    assert counted(host, "allow_renew000") >= 1
    assert denied_out(host) == 0


def test_a_client_whose_renewal_is_denied_rebinds_by_broadcast(hosts: tuple[Kernel, Path]) -> None:
    host, directory = hosts
    seen = leased(host, directory, 3, ask=True)
    assert [one.strip() for one in seen[:3]] == ["deconfig", f"bound {LEASED}", f"renew {LEASED}"]
    assert denied_out(host) >= 1
