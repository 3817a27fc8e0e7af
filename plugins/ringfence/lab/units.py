"""A lab host's own services: the command of a unit, its systemd file, and the accounts its users need."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from ringfence.lab.spec import HostSpec, UnitSpec

PROGRAM_DIRECTORY = "/var/lib/ringfence-lab"
PROGRAM = f"{PROGRAM_DIRECTORY}/service.py"
FIRST_UID = 2000


def users_of(hosts: Sequence[HostSpec]) -> dict[str, int]:
    """Return a uid for every user of the lab's units, the same on every host."""
    names = sorted({unit.user for host in hosts for unit in host.units} - {"root"})
    return {name: FIRST_UID + position for position, name in enumerate(names)}


def program_text() -> str:
    """Return the source of the program that every unit of the lab runs."""
    return resources.files("ringfence.lab").joinpath("service.py").read_text()


def command(unit: UnitSpec, python: str, addresses: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the command that listens and talks as the unit says; `addresses` are those of every host by name."""
    task = {
        "name": unit.name,
        "listens": list(unit.listens),
        "talks": [
            {"addresses": list(addresses[talk.host]), "port": talk.port, "every": talk.every} for talk in unit.talks
        ],
    }
    return [python, "-I", "-S", PROGRAM, json.dumps(task, separators=(",", ":"))]


def systemd_unit(unit: UnitSpec, python: str, addresses: Mapping[str, Sequence[str]]) -> str:
    """Return the text of the unit's file."""
    words = command(unit, python, addresses)
    quoted = " ".join([*words[:-1], shlex.quote(words[-1].replace("%", "%%").replace("$", "$$"))])
    return (
        f"[Unit]\nDescription=Ringfence lab: {unit.name}\nAfter=network.target\n\n"
        f"[Service]\nUser={unit.user}\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
        f"ExecStart={quoted}\nRestart=always\nRestartSec=1\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def write_accounts(etc: Path, users: Mapping[str, int]) -> None:
    """Add the users to the account files below `etc`, without a password."""
    for name, line in (
        ("passwd", "{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n"),
        ("group", "{name}:x:{uid}:\n"),
        ("shadow", "{name}:!:19000::::::\n"),
    ):
        with (etc / name).open("a") as file:
            for user, uid in users.items():
                file.write(line.format(name=user, uid=uid))


def write_program(root: Path) -> None:
    """Put the units' program into a host's file system."""
    target = root / PROGRAM.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    target.write_text(program_text())
    target.chmod(0o644)
