"""What this machine can do for a lab: tools, mounts, namespaces, control groups; each lack with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.lab import cgroups, kernel, rootfs
from ringfence.lab.spec import Kind
from ringfence.model.errors import OutsideError

TOOLS = {
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
}
MACHINE_TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container"}
NAMESPACE_TOOLS = {"sshd": "openssh-server"}
WATCHES_OF_MACHINE = 4  # systemd 3, dbus 1: counted on Debian 11, 12 and 13
SYSTEM_PATHS = ":/usr/local/sbin:/usr/sbin:/sbin"

_TRY_MOUNTS = (
    "mount -t tmpfs tmpfs /run && mkdir /run/upper /run/work /run/root && "
    "mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /run/root"
)
_TRY_NETWORK = (
    "ip link add lab0 type bridge && ip link add port0 type veth peer name port1 && nft add table inet ringfence"
)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something this machine cannot do, and the way out."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} ({self.remedy})"


@dataclass(frozen=True, slots=True)
class LabAbilities:
    """What stands in the way of each kind of host, and of process rules on namespaces (empty: nothing)."""

    machines: tuple[Lack, ...]
    namespaces: tuple[Lack, ...]
    processes: tuple[Lack, ...]

    def lacks(self, kind: Kind) -> tuple[Lack, ...]:
        """Return what stands in the way of this kind."""
        return self.machines if kind == "machines" else self.namespaces

    def choose(self) -> Kind:
        """Return the fullest kind that can be had. Raise OutsideError naming what both lack."""
        if not self.machines:
            return "machines"
        if not self.namespaces:
            return "namespaces"
        raise _impossible("a lab", (*self.machines, *self.namespaces))

    def require(self, kind: Kind) -> Kind:
        """Return the kind, or raise OutsideError naming everything that stands in its way."""
        if self.lacks(kind):
            raise _impossible(f"a lab of {kind}", self.lacks(kind))
        return kind


def _impossible(what: str, lacks: Sequence[Lack]) -> OutsideError:
    return OutsideError(
        f"this machine cannot hold {what}: " + "; ".join(dict.fromkeys(lack.what for lack in lacks)),
        remedy="; ".join(dict.fromkeys(lack.remedy for lack in lacks)),
    )


def probe() -> LabAbilities:
    """Try what a lab needs, in namespaces that end with the trial, and return what failed."""
    widen_path()
    shared = _missing(TOOLS)
    machines = [*shared, *_missing(MACHINE_TOOLS)]
    namespaces = [*shared, *_missing(NAMESPACE_TOOLS)]
    if not shared:
        machines += _machine_lacks()
        namespaces += _namespace_lacks()
    return LabAbilities(tuple(machines), tuple(namespaces), _process_lacks())


def require_watches(machines: int) -> None:
    """Raise OutsideError where the kernel's limit of inotify instances leaves no room for so many machines."""
    needed = machines * WATCHES_OF_MACHINE
    had = kernel.watches_to_be_had(needed)
    if had < needed:
        raise OutsideError(
            f"{machines} machines need {needed} inotify instances, and only {had} can be had",
            remedy=f"sysctl fs.inotify.max_user_instances={max(1024, 2 * needed)}",
        )


def widen_path() -> None:
    """Make the system's own commands findable for this process, as they are not for most users."""
    if not os.environ.get("PATH", "").endswith(SYSTEM_PATHS):
        os.environ["PATH"] = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin") + SYSTEM_PATHS


def isolate_command(*, root: bool) -> list[str]:
    """Return the beginning of a command that gets namespaces of its own and takes all in them along when it ends."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return command if root else [*command, "--map-root-user", "--map-auto"]


def delegated_scope() -> list[str]:
    """Return the beginning of a command that asks systemd for a control group of our own; empty where it cannot."""
    if not shutil.which("systemd-run"):
        return []
    if os.geteuid() == 0:
        return _scope() if Path("/run/systemd/private").exists() else []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and (Path(runtime) / "systemd/private").exists():
        return _scope("--user")
    return []


def _scope(*more: str) -> list[str]:
    return ["systemd-run", *more, "--scope", "--quiet", "--collect", "--property=Delegate=yes"]


def _missing(tools: dict[str, str]) -> list[Lack]:
    return [
        Lack(f"no command '{tool}'", f"install {package}") for tool, package in tools.items() if not shutil.which(tool)
    ]


def _machine_lacks() -> list[Lack]:
    if os.geteuid() != 0:
        return [Lack("machines boot as root only", "run as root, or take namespaces")]
    found: list[Lack] = []
    if not rootfs.KEYRING.exists():
        found.append(Lack("no keys to check Debian's packages with", "install debian-archive-keyring"))
    if said := _fails(isolate_command(root=True), _TRY_MOUNTS):
        found.append(Lack(f"no overlay mounts: {said}", "run outside a container, or in one with CAP_SYS_ADMIN"))
    if said := _fails(isolate_command(root=True), _TRY_NETWORK):
        found.append(Lack(f"no bridge, veth or nftables: {said}", "load the modules bridge, veth and nf_tables"))
    group = cgroups.own()
    if not delegated_scope() and (group is None or not cgroups.may_divide(group)):
        found.append(Lack("no writable cgroup2", "mount cgroup2 writable, or start through systemd-run --scope"))
    return found


def _namespace_lacks() -> list[Lack]:
    root = os.geteuid() == 0
    if not root:
        if said := _fails(["unshare", "--user", "--map-root-user"], "true"):
            return [Lack(f"no user namespaces: {said}", _user_namespace_remedy())]
        if not shutil.which("newuidmap"):
            return [Lack("no command 'newuidmap': sshd cannot drop its privileges", "install uidmap")]
        if said := _fails(["unshare", "--user", "--map-root-user", "--map-auto"], "true"):
            return [
                Lack(
                    f"no subordinate ids, so sshd cannot drop its privileges: {said}",
                    "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER (uidmap; util-linux 2.38)",
                )
            ]
    if said := _fails(isolate_command(root=root), _TRY_NETWORK):
        return [Lack(f"no bridge, veth or nftables: {said}", "load the modules bridge, veth and nf_tables")]
    return []


def _process_lacks() -> tuple[Lack, ...]:
    group = cgroups.own()
    if (group is not None and cgroups.may_divide(group)) or delegated_scope():
        return ()
    remedy = "start in a delegated control group: systemd-run --user --scope -p Delegate=yes COMMAND"
    return (Lack("no delegated cgroup2, so no process rules on namespaces", remedy),)


def _user_namespace_remedy() -> str:
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        return (
            "AppArmor forbids them: sysctl kernel.apparmor_restrict_unprivileged_userns=0, "
            "or an AppArmor profile for /usr/bin/unshare with 'userns,'"
        )
    if Path("/proc/sys/kernel/unprivileged_userns_clone").exists():
        return "sysctl kernel.unprivileged_userns_clone=1"
    return "sysctl user.max_user_namespaces=10000"


def _fails(command: list[str], script: str) -> str:
    """Return the last line that this script said when it failed, or an empty text when it did not fail."""
    done = subprocess.run([*command, "sh", "-c", script], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
