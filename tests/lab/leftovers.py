"""What a lab could leave on the machine: the things to compare before and after, and the processes it consists of."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ringfence.lab import cgroups, state
from ringfence.lab.session import Lab
from ringfence.lab.state import Process


@dataclass(frozen=True)
class Machine:
    """What this machine shows of itself to those who do not look into the lab."""

    links: str
    addresses: str
    ruleset: str
    mounts: frozenset[str]
    names: frozenset[str]


def seen_from_outside() -> Machine:
    """Return links, addresses, rules, mounts, and what lies where network namespaces and machines are kept."""
    places = (Path("/run/netns"), Path("/run/systemd/nspawn"), Path("/var/lib/machines"), Path("/var/lib/ringfence"))
    return Machine(
        links=_said("ip", "-brief", "link"),
        addresses=_said("ip", "-brief", "address"),
        ruleset=_said("nft", "--stateless", "list", "ruleset") if os.geteuid() == 0 else "",
        mounts=frozenset(line.split(" - ")[0].split()[4] for line in _lines("/proc/self/mountinfo")),
        names=frozenset(str(path) for place in places if place.is_dir() for path in place.rglob("*")),
    )


def processes_of(lab: Lab) -> list[Process]:
    """Return all processes of a lab that stands: its holder and every descendant."""
    held = state.read(lab.directory)
    assert held is not None
    assert held.holder is not None
    parents = {
        pid: _parent(pid) for pid in map(int, filter(str.isdecimal, (path.name for path in Path("/proc").iterdir())))
    }
    family = {held.holder.pid}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return [process for pid in family if (process := state.identify(pid)) is not None]


def groups_of(lab: Lab) -> list[Path]:
    """Return the control groups that bear the lab's name, in every hierarchy."""
    own = f"{cgroups.PREFIX}{lab.group_name}"
    # other labs come and go while this looks, which os.walk passes over
    return [
        Path(where) / name
        for mount in ("cgroup", "cgroup2")
        for top in cgroups.mount_points(mount)
        for where, names, _ in os.walk(top)
        for name in names
        if name.startswith(own)
    ]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
