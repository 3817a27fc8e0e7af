"""How people and Ansible reach a lab: keys, an ssh configuration, an inventory, and commands inside its namespaces."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML

from ringfence.lab import namespaces, proxy_command
from ringfence.lab.spec import CONTROLLER_4, CONTROLLER_6, HostSpec, Kind

CLIENT_KEY = "id_ed25519"
SERVER_KEY = "host_ed25519"
KNOWN_HOSTS = "known_hosts"
SSH_CONFIG = "ssh_config"
INVENTORY = "inventory.yml"
ALIAS = "ringfence-lab"  # all hosts of a lab show the same key
# The usual one, with its post-quantum part, is half of what a connection costs; these connections stay on one machine.
KEY_EXCHANGE = "curve25519-sha256"


def make_keys(directory: Path) -> dict[str, str]:
    """Make the lab's key pairs; return `authorized`, what lets a client in, and `host`, what the servers show."""
    for name in (CLIENT_KEY, SERVER_KEY):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ringfence-lab", "-f", directory / name],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    shown = (directory / f"{SERVER_KEY}.pub").read_text()
    (directory / KNOWN_HOSTS).write_text(f"{ALIAS} {shown}")
    return {
        "authorized": (directory / f"{CLIENT_KEY}.pub").read_text().strip(),
        "host": (directory / SERVER_KEY).read_text(),
    }


def enter_command(pid: int, *, network_only: bool) -> list[str]:
    """Return the beginning of a command that runs inside the namespaces of this process."""
    command = ["nsenter", f"--target={pid}"]
    if os.geteuid() != 0:
        command += ["--user", "--preserve-credentials"]
    if network_only:
        return [*command, "--net"]
    command += ["--mount", "--uts", "--ipc", "--net", "--pid"]
    own, theirs = (Path(f"/proc/{process}/ns/cgroup").stat().st_ino for process in ("self", pid))
    return command if own == theirs else [*command, "--cgroup"]


def environment_command(kind: Kind) -> list[str]:
    """Return the beginning of a command that starts, inside a host, with root's environment and nothing else."""
    home = "/root" if kind == "machines" else namespaces.HOME
    return ["/usr/bin/env", "-i", f"PATH={namespaces.SEARCH_PATH}", f"HOME={home}", "LANG=C.UTF-8"]


def inner_command(supervisor: int, *words: str) -> list[str]:
    """Return a command that runs `proxy_command.py` inside the lab with these words."""
    return [
        *enter_command(supervisor, network_only=True),
        sys.executable,
        "-I",
        "-S",
        str(Path(proxy_command.__file__)),
        *words,
    ]


def write_ssh_config(
    directory: Path, supervisor: int, hosts: Sequence[HostSpec], bastion: HostSpec | None = None
) -> Path:
    """Write a configuration with which ssh reaches every host by its name or its first address.

    With a `bastion` the others are reached through its sshd, each by a connection of its own.
    """
    proxy_words = shlex.join(inner_command(supervisor, "connect", "%h", "%p"))
    way_in = [f"  ProxyCommand {proxy_words}", "  ProxyUseFdpass yes"]
    lines = [
        "Host *",
        "  User root",
        f"  IdentityFile {_quoted(directory / CLIENT_KEY)}",
        "  IdentitiesOnly yes",
        "  IdentityAgent none",
        f"  UserKnownHostsFile {_quoted(directory / KNOWN_HOSTS)}",
        "  GlobalKnownHostsFile /dev/null",
        f"  HostKeyAlias {ALIAS}",
        f"  KexAlgorithms {KEY_EXCHANGE}",
        "  StrictHostKeyChecking yes",
        "  PreferredAuthentications publickey",
        "  LogLevel ERROR",
    ]
    if bastion is None:
        lines += way_in
    else:
        lines += [f"Host {bastion.name} {bastion.addresses[0]}", *way_in]
        lines += [f"Host * !{bastion.name} !{bastion.addresses[0]}", f"  ProxyJump {bastion.name}"]
    for host in hosts:
        lines += [f"Host {host.name}", f"  HostName {host.addresses[0]}"]
    path = directory / SSH_CONFIG
    path.write_text("\n".join(lines) + "\n")
    return path


def write_inventory(directory: Path, hosts: Sequence[HostSpec], bastion: HostSpec | None = None) -> Path:
    """Write an Ansible inventory whose hosts can be used at once; those behind a `bastion` see it as the controller."""
    controller = [str(CONTROLLER_4), str(CONTROLLER_6)]
    seen = controller if bastion is None else list(bastion.addresses)
    entries: dict[str, dict[str, object]] = {}
    for host in hosts:
        entries[host.name] = {"ansible_host": host.addresses[0], "ringfence_addresses": list(host.addresses)}
        if host.labels:
            entries[host.name]["ringfence_labels"] = dict(host.labels)
        if host == bastion:
            entries[host.name]["ringfence_control"] = {"from": controller}
    inventory = {
        "all": {
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_common_args": f"-F {shlex.quote(str(directory / SSH_CONFIG))}",
                "ansible_control_path": f"%(directory)s/{_mark(directory)}-%%h",
                "ansible_python_interpreter": "auto_silent",
            },
            "hosts": entries,
        }
    }
    path = directory / INVENTORY
    with path.open("w") as file:
        file.write(f"# Ansible comes from {' and '.join(seen)}: control.from of ringfence.yml.\n")
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump(inventory, file)
    return path


def _mark(directory: Path) -> str:
    """Return what tells the ssh masters of labs apart, also of one lab before and after it was raised anew.

    Their hosts have the same addresses, and whoever uses a master to a host that is gone waits forever.
    """
    return hashlib.sha256((directory / f"{CLIENT_KEY}.pub").read_bytes()).hexdigest()[:8]


def _quoted(path: Path) -> str:
    return f'"{path}"'
