"""A lab host that is a bundle of namespaces with an sshd of its own; needs no root on the machine that holds it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.lab import cgroups, kernel, network, units
from ringfence.lab.machine import hosts_text
from ringfence.lab.spec import HostSpec, UnitSpec

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME = "/run/root"  # the machine's /root is another user's, and unreadable
LINKED = ("alternatives", "ssl", "iproute2", "terminfo", "ld.so.conf.d")
COPIED = (
    "ld.so.cache",
    "ld.so.conf",
    "localtime",
    "os-release",
    "debian_version",
    "services",
    "protocols",
    "nftables.conf",
)
# StrictModes wants / to be root's, and without root on the machine it is nobody's.
SSHD_CONFIG = f"""\
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PrintLastLog no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
MaxStartups 100
MaxSessions 100
SetEnv PATH={SEARCH_PATH}
"""


@dataclass(frozen=True)
class Surroundings:
    """What the hosts of one lab share: all specs, the keys (`authorized`, `host`), a Python for their services."""

    hosts: Sequence[HostSpec]
    keys: Mapping[str, str]
    python: str

    def addresses(self) -> dict[str, Sequence[str]]:
        """Return every host's addresses by name."""
        return {host.name: host.addresses for host in self.hosts}


def lay_out(place: Path, host: HostSpec, around: Surroundings) -> None:
    """Write the host's own /etc, /var and /tmp below `place`; raises OSError."""
    etc = place / "etc"
    for path in (etc / "ssh", etc / "systemd/system", place / "var/log", place / "var/lib", place / "tmp"):
        path.mkdir(parents=True)
    (place / "tmp").chmod(0o1777)
    (place / "var/run").symlink_to("/run")
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    for name, text in (
        ("passwd", f"root:x:0:0:root:{HOME}:{shell}\nsshd:x:110:65534::/run/sshd:/usr/sbin/nologin\n"),
        ("group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"),
        ("shadow", "root:*:19000::::::\nsshd:!:19000::::::\n"),
        ("hostname", host.name + "\n"),
        ("hosts", hosts_text(around.hosts)),
        ("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"),
        ("ssh/sshd_config", SSHD_CONFIG),
        ("ssh/authorized_keys", around.keys["authorized"] + "\n"),
    ):
        (etc / name).write_text(text)
    for name in ("lastlog", "wtmp", "btmp"):
        (place / "var/log" / name).touch()
    key = etc / "ssh/ssh_host_ed25519_key"
    key.touch(mode=0o600)
    key.write_text(around.keys["host"])
    for name in COPIED:
        if (Path("/etc") / name).exists():
            shutil.copyfile(Path("/etc") / name, etc / name)
    for name in LINKED:
        (etc / name).mkdir()
    units.write_accounts(etc, units.users_of(around.hosts))
    units.write_program(place)


def start(place: Path, group: Path | None, host: HostSpec, around: Surroundings) -> int:
    """Start what was laid out at `place`; return its first process, whose end is the end of the host."""
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        _start_inside(place, group, host, around, tell)
    os.close(tell)
    with os.fdopen(told) as answer:
        text = answer.read()
    os.waitpid(between, 0)
    if not text:
        raise OSError(f"the namespaces of {host.name} could not be made; the lab's log says why")
    return int(text)


def _start_inside(place: Path, group: Path | None, host: HostSpec, around: Surroundings, tell: int) -> None:
    status = 1
    try:
        if group is not None:
            cgroups.join(group)
        kernel.enter(network.NAMESPACES / host.name)
        kernel.unshare(
            kernel.CLONE_NEWNS
            | kernel.CLONE_NEWUTS
            | kernel.CLONE_NEWIPC
            | kernel.CLONE_NEWPID
            | (kernel.CLONE_NEWCGROUP if group is not None else 0)
        )
        first = os.fork()
        if first == 0:
            _be_host(place, group is not None, host, around)
        os.write(tell, str(first).encode())
        status = 0
    except OSError:
        traceback.print_exc()
    finally:
        os._exit(status)


def _be_host(place: Path, divided: bool, host: HostSpec, around: Surroundings) -> None:
    """Be the host's first process: make its view of the file system, start its services, collect the dead."""
    try:
        _close_inherited()
        kernel.name_process("init")
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        _mount_own(place, divided)
        socket.sethostname(host.name)
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")  # services listen as users of their own
        os.chdir("/")
        os.environ.clear()
        os.environ.update(PATH=SEARCH_PATH, HOME=HOME, LANG="C.UTF-8")
        _spawn([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e"], "sshd.service", divided)
        for unit in host.units:
            _spawn_unit(unit, divided, around)
        while True:
            os.wait()
    except BaseException:  # noqa: BLE001 - nothing is above this process: it says what was wrong and ends
        traceback.print_exc()
    finally:
        os._exit(1)


def _close_inherited() -> None:
    """Let go of what belongs to the supervisor: its pipes, its socket, its way of waiting for children."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.closerange(3, 1024)
    os.setsid()


def _mount_own(place: Path, divided: bool) -> None:
    kernel.mount("none", Path("/"), flags=kernel.MS_REC_PRIVATE)
    for name in LINKED:
        if (Path("/etc") / name).is_dir():
            kernel.bind(Path("/etc") / name, place / "etc" / name)
    kernel.mount(str(place / "etc"), Path("/etc"), flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.bind(place / "var", Path("/var"))
    kernel.mount("proc", Path("/proc"), "proc")
    kernel.mount("sysfs", Path("/sys"), "sysfs")
    if divided:
        kernel.mount("cgroup2", Path("/sys/fs/cgroup"), "cgroup2")
    kernel.mount("devpts", Path("/dev/pts"), "devpts", data="newinstance,ptmxmode=0666,mode=620")
    kernel.bind(Path("/dev/pts/ptmx"), Path("/dev/ptmx"))
    kernel.bind(place / "tmp", Path("/tmp"))  # noqa: S108 - a /tmp of the host's own
    kernel.mount("tmpfs", Path("/run"), "tmpfs", data="mode=755")
    for name in ("sshd", "root", "lock"):
        (Path("/run") / name).mkdir(mode=0o755)


def _spawn_unit(unit: UnitSpec, divided: bool, around: Surroundings) -> None:
    users = units.users_of(around.hosts)
    _spawn(units.command(unit, around.python, around.addresses()), unit.name, divided, users.get(unit.user, 0))


def _spawn(command: list[str], unit: str, divided: bool, uid: int = 0) -> None:
    """Start a service where systemd would put it: in the control group of its unit; its output goes to a file."""
    if os.fork() != 0:
        return
    try:
        if divided:
            cgroups.join(Path("/sys/fs/cgroup/system.slice") / unit)
        log = os.open(f"/var/log/{unit}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if uid:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        os.execv(command[0], command)  # noqa: S606 - an argument list, no shell
    finally:
        traceback.print_exc()
        os._exit(127)
