"""Fifty machines of the lab for benchmarks, reached over connections that are cold each time."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ringfence.lab import cgroups
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.model.addresses import address_text

from ..rollout_plans import PlanMaker, Wanted
from .measuring import timed

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HOSTS, PEERS = 50, 500
# Nothing of one way may stay for the next.
CLEAN = """
systemctl stop 'ringfence-return-*' 'peer-return*' 2>/dev/null
nft flush ruleset
rm -rf /var/lib/ringfence /var/lib/peer /etc/nftables-peer.nft /etc/systemd/system/peer* /etc/systemd/system/ringfence*
rm -rf /run/ringfence
rm -rf /etc/systemd/system/*.wants/peer* /etc/systemd/system/*.wants/ringfence* /etc/systemd/system/nftables.service.d
systemctl daemon-reload
"""


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, of the controller's processors, and of the machines'."""

    wall: float
    controller: float
    machines: float

    @property
    def cpu(self) -> float:
        """Return the processor seconds of both ends."""
        return self.controller + self.machines


@dataclass(frozen=True)
class Fleet:
    """Machines that stand, and a directory for what is needed to reach them."""

    lab: Lab
    directory: Path
    group: Path
    inside: tuple[str, ...]
    inventory: Path

    @property
    def names(self) -> list[str]:
        """Return the machines' names."""
        return [host.name for host in self.lab.hosts()]

    def plan(self) -> Path:
        """Return a plan that gives every machine 500 peers of its own, in one wave."""
        wanted = {name: Wanted(peers=peers(number)) for number, name in enumerate(self.names)}
        return PlanMaker(self.directory).write(wanted)

    def spent(self, work: Callable[[], T]) -> Spent:
        """Return what a piece of work took on both ends."""
        before = self._machine_seconds()
        times, _ = timed(work)
        return Spent(times.wall, times.cpu, self._machine_seconds() - before)

    def ansible(self, *words: str) -> str:
        """Return the output of an Ansible command over cold connections; raises where a host failed."""
        with tempfile.TemporaryDirectory(prefix="rf-cp-") as sockets:
            environment = {
                **os.environ,
                "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
                "ANSIBLE_NOCOWS": "1",
            }
            command = [*self.inside, words[0], "-i", str(self.inventory), "--forks", str(HOSTS), *words[1:]]
            try:
                done = subprocess.run(
                    command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False
                )
            finally:
                for socket in Path(sockets).iterdir():
                    leave = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "nobody"]
                    subprocess.run(leave, capture_output=True, check=False)
        if done.returncode:
            failures = [line for line in done.stdout.splitlines() if line.startswith(("fatal", "[ERROR]", "failed"))]
            said = "\n".join([*failures[:2], done.stderr[-1000:]])
            raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}:\n{said}")
        return done.stdout

    def ssh_command(self, name: str) -> list[str]:
        """Return the beginning of a bare ssh command to a machine."""
        return [*self.inside, "ssh", "-F", str(self.inventory.with_name("ssh_config")), name]

    def clean(self) -> None:
        """Remove from every machine whatever a way left there."""
        self.each(lambda name: self.lab.exec(name, ["sh", "-c", CLEAN]))

    def each(self, work: Callable[[str], object]) -> None:
        """Do something for every machine, all at once; what one raises is raised."""
        with ThreadPoolExecutor(HOSTS) as threads:
            list(threads.map(work, self.names))

    def _machine_seconds(self) -> float:
        for line in (self.group / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e6
        raise RuntimeError(f"{self.group} tells no processor time")


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Hold the machines; needs root."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as directory:
        lab = Lab("bench", Path(directory) / "lab")
        lab.up([HostSpec(f"host-{number:02}") for number in range(HOSTS)], "machines", stay=False)
        try:
            own = cgroups.own()
            assert own is not None
            group = own / f"{cgroups.PREFIX}{lab.group_name}"
            yield Fleet(lab, Path(directory), group, *beside(lab, Path(directory)))
        finally:
            lab.down()


def beside(lab: Lab, directory: Path) -> tuple[tuple[str, ...], Path]:
    """Return the beginning of a command that runs in the machines' own network, and an inventory for it.

    There ssh needs no ProxyCommand, which would cost more than ssh itself.
    """
    lines = lab.ssh_config.read_text().splitlines()
    proxy = next(line for line in lines if line.strip().startswith("ProxyCommand"))
    words = proxy.split()[1:]
    direct = directory / "ssh_config"
    direct.write_text("\n".join(line for line in lines if not line.strip().startswith("Proxy")) + "\n")
    inventory = directory / "inventory.yml"
    inventory.write_text(lab.inventory_path.read_text().replace(str(lab.ssh_config), str(direct)))
    return tuple(words[: words.index("--net") + 1]), inventory


def peers(number: int) -> Sequence[str]:
    """Return 500 addresses, none beside another, for the machine of a number."""
    drawn = random.Random(number).sample(range(1 << 18), PEERS)
    return [address_text((172 << 24) + (16 << 16) + 2 * one) for one in drawn]
