"""Benchmark `inventory_vsphere`: the machines of a vCenter as an inventory, and the bare property collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError

from ..simulated_vcenter import CannotSimulate, Vcenter, build, guest, running
from .measuring import in_turns
from .result import Result, Target

MACHINES, REPEATS = 10_000, 3
LIMIT = 2.0
_ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).parent / "peers"
_BARE, _OURS, _LISTED = "bare property collector", "ringfence.core.vsphere, parsed", "ansible-inventory --list"


def run() -> Result:
    """Ask a simulated vCenter in turns, each time from a new process."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        try:
            program = build(Path(directory))
        except CannotSimulate as missing:
            raise OutsideError(f"there is no vCenter to ask: {missing}") from missing
        # The simulator makes two pools, and as many machines in each.
        names = [f"{pool}_VM{number}" for number in range(MACHINES // 2) for pool in ("DC0_C0_RP0", "DC0_H0")]
        guests = {name: {"Guest": guest(number)} for number, name in enumerate(names, 1)}
        options = (f"-machines={MACHINES // 2}",)
        with running(program, Path(directory) / "vcenter", guests, *options) as vcenter:
            times = in_turns(_works(vcenter, Path(directory)), REPEATS)
    ours, bare, listed = times[_OURS], times[_BARE], times[_LISTED]
    return Result(
        name="inventory_vsphere",
        subject=f"{MACHINES:,} machines with two addresses each from one vCenter (vcsim): CPU of the client.",
        seconds=ours.cpu,
        peer=bare.cpu,
        unit="CPU seconds of the client",
        table=(
            ("way", "CPU seconds", "by the clock"),
            *((f"`{name}`", f"{one.cpu:.2f}", f"{one.wall:.2f}") for name, one in times.items()),
        ),
        targets=(
            Target("parsed, times the bare property collector, CPU", ours.cpu / bare.cpu, LIMIT),
            Target("all of `--list`, times the bare property collector, CPU", listed.cpu / bare.cpu, LIMIT),
        ),
        remarks=(
            "The bare collector retrieves the same properties of the machines with pyvmomi, in one call, and does "
            "nothing with them. Parsed: what every command of Ansible does before its work, with its start, labels, "
            "connection variables, and what holds the machines.",
            "Ours asks with pyvmomi too, but picks what it needs from the XML of the answers.",
            "`--list` is parsed and then printed by Ansible itself, 17 MB of JSON here.",
            f"Median of {REPEATS} runs in turns, a new process and a new session each.",
        ),
        more={"ratio_clock": ours.wall / bare.wall, "ratio_list": listed.cpu / bare.cpu},
    )


def _works(vcenter: Vcenter, directory: Path) -> dict[str, object]:
    inventory = directory / "20-vsphere.yml"
    told = {"hostname": vcenter.host, "port": vcenter.port, "ca_path": str(vcenter.certificate)}
    inventory.write_text(json.dumps({"plugin": "ringfence.core.vsphere", **told}), encoding="utf-8")
    bare = [sys.executable, _PEERS / "bare_collector.py", vcenter.host, str(vcenter.port), vcenter.certificate]
    return {
        _BARE: lambda: _run(bare),
        _OURS: lambda: _run([sys.executable, _PEERS / "inventory_in_memory.py", inventory]),
        _LISTED: lambda: _run([Path(sys.executable).parent / "ansible-inventory", "--list", "-i", inventory]),
    }


def _run(command: list[object]) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(_ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
        "PYTHONPATH": str(_ROOT / "collections"),
        "VMWARE_USER": "reader",
        "VMWARE_PASSWORD": "secret",
    }
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    if done.returncode or (len(done.stdout) < 9 and int(done.stdout) < MACHINES):
        raise OutsideError(f"{command[1]} failed: {done.stdout} {done.stderr[-500:]}")
