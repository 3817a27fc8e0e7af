"""A lab host that is a whole Debian machine: its file system on top of the cached one, and the nspawn that boots it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ringfence.lab import kernel, network, units, variants
from ringfence.lab.spec import HostSpec

REBOOT_STATUS = 133  # systemd-nspawn with --keep-unit, when the machine inside reboots
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",  # process rules need cgroup2, whatever the machine outside has
}


def command(root: Path, host: str) -> list[str]:
    """Return the command that boots what is at `root`; it ends when the machine does."""
    return [
        "systemd-nspawn",
        "--boot",
        "--quiet",
        f"--directory={root}",
        f"--machine={host}",
        "--register=no",
        "--keep-unit",
        f"--network-namespace-path={network.NAMESPACES / host}",
        "--capability=CAP_NET_ADMIN",  # not given by itself with a network namespace of ours
        "--system-call-filter=bpf",  # systemd's NFTSet= loads a program
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
    ]


def forget(host: str) -> None:
    """Unmount what a killed nspawn of this name leaves: one of systemd 254 or newer does not start beside it."""
    left = Path("/run/systemd/nspawn/unix-export") / host
    if left.is_mount():
        kernel.unmount(left)


def lay_out(
    place: Path,
    base: Path,
    lab: str,
    host: HostSpec,
    keys: Mapping[str, str],
    hosts: Sequence[HostSpec],
) -> Path:
    """Mount the host's file system over `base` below `place` and give it its identity; return its root.

    `keys` has `authorized` (a public key for root) and `host` (the host's private key). Raise OSError.
    """
    root = place / "root"
    for path in (root, place / "upper", place / "work"):
        path.mkdir(parents=True)
    data = f"lowerdir={base},upperdir={place / 'upper'},workdir={place / 'work'}"
    kernel.mount("overlay", root, "overlay", data=data)
    machine_id = hashlib.sha256(f"{lab}/{host.name}".encode()).hexdigest()[:32]
    _write(root / "etc/machine-id", machine_id + "\n")
    (root / "var/lib/dbus").mkdir(parents=True, exist_ok=True)
    _write(root / "var/lib/dbus/machine-id", machine_id + "\n")
    _write(root / "etc/hostname", host.name + "\n")
    _write(root / "etc/hosts", hosts_text(hosts))
    _write(root / "etc/ssh/ssh_host_ed25519_key", keys["host"], 0o600)
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    _write(root / "root/.ssh/authorized_keys", keys["authorized"] + "\n", 0o600)
    python = variants.apply(root, host.variant)
    _install_units(root, host, hosts, python)
    return root


def hosts_text(hosts: Sequence[HostSpec]) -> str:
    """Return an /etc/hosts with every host of the lab."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    lines += [f"{address} {host.name}" for host in hosts for address in host.addresses]
    return "\n".join(lines) + "\n"


def _install_units(root: Path, host: HostSpec, hosts: Sequence[HostSpec], python: str) -> None:
    units.write_accounts(root / "etc", units.users_of(hosts))
    units.write_program(root)
    addresses = {other.name: other.addresses for other in hosts}
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for unit in host.units:
        _write(root / "etc/systemd/system" / unit.name, units.systemd_unit(unit, python, addresses))
        (wants / unit.name).symlink_to(f"/etc/systemd/system/{unit.name}")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.unlink(missing_ok=True)  # a link of the image would lead out of this root
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w") as file:
        os.fchmod(handle, mode)
        file.write(text)
