"""A lab as its user holds it: up, down, status, and commands on its hosts."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Literal, cast

from ringfence.lab import access, cgroups, control, probe, processes, raising, rootfs, state
from ringfence.lab.spec import HostSpec, HostStatus, Kind, addressed, from_data, to_data
from ringfence.lab.supervisor import CONSOLE, LIVE, HostAnswer, Order
from ringfence.model.errors import InputError, OutsideError
from ringfence.user_directories import user_directory

SSH_PORT = "22"
BOOT_PATIENCE = 90.0  # seconds until every host must have greeted

Progress = Callable[[str, float], None]
Completed = subprocess.CompletedProcess[str]


def open_lab(name: str = "demo") -> Lab:
    """Return the lab of this name, up or not; its directory is below XDG_STATE_HOME."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
        raise InputError(f"'{name}' is not a valid name for a lab", remedy="use a-z, 0-9 and '-', at most 31")
    return Lab(name, user_directory("XDG_STATE_HOME") / "ringfence/lab" / name)


class Lab:
    """One lab; all it has on disk is in `directory`, which is its own, and all else ends with its first process."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory.absolute()
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def ssh_config(self) -> Path:
        """The configuration with which ssh reaches every host by its name."""
        return self.directory / access.SSH_CONFIG

    @property
    def inventory_path(self) -> Path:
        """An Ansible inventory of the lab's hosts."""
        return self.directory / access.INVENTORY

    @property
    def group_name(self) -> str:
        """The name of the lab's control group, after the prefix of all labs."""
        return f"{self.name}-{hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:8]}"

    def up(
        self,
        hosts: Sequence[HostSpec],
        kind: Kind | Literal["auto"] = "auto",
        progress: Progress = lambda _text, _share: None,
        *,
        stay: bool = True,
        through: str | None = None,
    ) -> None:
        """Bring the lab up and return when every host answers ssh.

        With `stay` it stands until `down`; without, it ends with this object or this process at the latest. `through`
        names a host that ssh and Ansible reach the others through.
        `progress` gets a line and the share done, from 0 to 1. What an earlier lab of this name left is removed
        first; when this fails or is interrupted (SIGINT, SIGTERM) nothing is left of it. Raise InputError for hosts
        that cannot be, OutsideError for what this machine cannot do.
        """
        wanted = addressed(hosts)
        bastion = _named(wanted, through) if through is not None else None
        abilities = probe.probe()
        chosen = abilities.choose() if kind == "auto" else abilities.require(kind)
        if chosen == "machines":
            probe.require_watches(len(wanted))
        with _termination_raises(), self._locked():
            self._make_room()
            try:
                self._bring_up(wanted, chosen, bastion, progress)
                if stay and self._holder is not None:
                    raising.keep(self._holder)
            except BaseException:
                self._clear()
                raise

    def down(self) -> None:
        """End the lab and remove all of it, also what a crash left; nothing happens where there is none."""
        if state.read(self.directory) is not None:
            with self._locked():
                self._clear()

    def status(self) -> list[HostStatus]:
        """Return what each host is now; empty where the lab is not up."""
        now = state.read(self.directory)
        if now is None or not now.alive():
            return []
        answers = self._answers()
        return [self._status_of(spec, now.kind, answers[spec.name]) for spec in map(from_data, now.hosts)]

    def hosts(self) -> list[HostSpec]:
        """Return the specs of the hosts, with their addresses. Raise OutsideError where the lab is not up."""
        return [from_data(data) for data in self._standing().hosts]

    def run(
        self,
        host: str,
        argv: Sequence[str],
        input: str | None = None,  # noqa: A002 - as subprocess calls it
        timeout: float = 60.0,
        options: Sequence[str] = (),
    ) -> Completed:
        """Run a command on the host over ssh, with more ssh options; the result has its status and output."""
        return _run([*self.ssh_command(host), *options, "--", shlex.join(argv)], input, timeout)

    def exec(self, host: str, argv: Sequence[str], input: str | None = None, timeout: float = 60.0) -> Completed:  # noqa: A002
        """Run a command as root inside the host's namespaces, not over its network."""
        return _run(self.exec_command(host, argv), input, timeout)

    def shell(self, host: str) -> int:
        """Give the user a shell on the host over ssh; return its status."""
        return subprocess.run(self.ssh_command(host), check=False).returncode

    def console(self, host: str) -> str:
        """Return what the machine printed on its console, empty for a namespace host, which has none."""
        supervisor = cast(state.Process, self._standing().supervisor)
        path = Path(f"/proc/{supervisor.pid}/root{LIVE}/{self._known(host).name}/{CONSOLE}")
        return path.read_text(errors="replace") if path.exists() else ""

    def ssh_command(self, host: str) -> list[str]:
        """Return the beginning of an ssh command line to the host."""
        self._known(host)
        return ["ssh", "-F", str(self.ssh_config), host]

    def exec_command(self, host: str, argv: Sequence[str]) -> list[str]:
        """Return the command line that `exec` runs, for those who want the process itself."""
        first = self._first_process(host)
        if first is None:
            raise OutsideError(f"lab host {host} does not run")
        entered = access.enter_command(first, network_only=False)
        return [*entered, *access.environment_command(self._standing().kind), *argv]

    def reboot(self, host: str, timeout: float = 30.0) -> None:
        """Restart the host, a machine by its own systemd; returns when it answers again, raises OutsideError."""
        boots = self._answers()[host]["boots"]
        if self._standing().kind == "machines":
            self.exec(host, ["systemctl", "reboot"])
        else:
            control.ask(self.directory, {"verb": "cut", "host": host})
        self._await_boot(host, boots, timeout)

    def cut_power(self, host: str, timeout: float = 30.0) -> None:
        """Kill all of the host at once; it starts again by itself: returns when it answers, raises OutsideError."""
        boots = self._answers()[host]["boots"]
        control.ask(self.directory, {"verb": "cut", "host": host})
        self._await_boot(host, boots, timeout)

    def switch_off(self, host: str) -> None:
        """Kill all of the host at once; it stays off."""
        control.ask(self.directory, {"verb": "off", "host": host})
        deadline = time.monotonic() + 10
        while self._answers()[host]["state"] == "running":
            _pause(deadline, f"lab host {host} does not go off")

    def switch_on(self, host: str, timeout: float = 30.0) -> None:
        """Start a host that is off; returns when it answers."""
        control.ask(self.directory, {"verb": "on", "host": host})
        self._wait_for([self._known(host)], timeout)

    def _bring_up(self, hosts: list[HostSpec], kind: Kind, bastion: HostSpec | None, progress: Progress) -> None:
        group = None if probe.delegated_scope() else cgroups.make(self.group_name)
        lab = state.State(self.name, kind, [to_data(host) for host in hosts], str(group) if group else None)
        state.write(self.directory, lab)
        wanted = sorted({host.image for host in hosts}) if kind == "machines" else []
        images: dict[str, str] = {}
        for image in wanted:
            begin = 0.8 * len(images) / len(wanted)
            report = _scaled(progress, begin, 0.8 / len(wanted))
            images[image] = str(rootfs.ensure(image, report))
        order = Order(
            kind=kind,
            name=self.name,
            control=str(self.directory / control.NAME),
            hosts=lab.hosts,
            images=images,
            keys=access.make_keys(self.directory),
            python=raising.python_of_hosts(),
        )
        self._holder, lab = raising.start(self.directory, order, lab)
        names = [host.name for host in hosts]
        share = 0.1 / len(hosts)
        raising.follow(
            self.directory, self._holder, lambda name: progress(f"{name} starts", 0.8 + share * names.index(name))
        )
        access.write_ssh_config(self.directory, cast(state.Process, lab.supervisor).pid, hosts, bastion)
        access.write_inventory(self.directory, hosts, bastion)
        self._wait_for(hosts, BOOT_PATIENCE, progress)
        state.write(self.directory, replace(lab, complete=True))
        progress(f"{len(hosts)} hosts answer", 1.0)

    def _make_room(self) -> None:
        """Make the directory ready for a new lab. Raise InputError where one stands or other things lie."""
        left = state.read(self.directory)
        if left is None and any(self.directory.iterdir()):
            raise InputError(f"{self.directory} holds other things", remedy="give the lab a directory of its own")
        if left is not None and left.complete and left.alive():
            raise InputError(f"lab {self.name} is up already", remedy="ringfence lab down")
        self._clear()
        self.directory.mkdir(mode=0o700)

    def _clear(self) -> None:
        """End whatever stands or is left of the lab and remove its directory."""
        left = state.read(self.directory)
        if left is not None:
            state.end(left)
            if left.group is not None:
                cgroups.remove(Path(left.group))
        if self._holder is not None:
            for pipe in (self._holder.stdin, self._holder.stdout):
                if pipe is not None:
                    pipe.close()
            self._holder.wait()
            self._holder = None
        shutil.rmtree(self.directory)

    def _standing(self) -> state.State:
        now = state.read(self.directory)
        if now is None or not now.alive():
            raise OutsideError(f"lab {self.name} is not up", remedy="ringfence lab up")
        return now

    def _known(self, host: str) -> HostSpec:
        return _named(self.hosts(), host)

    def _answers(self) -> dict[str, HostAnswer]:
        self._standing()
        return cast(dict[str, HostAnswer], control.ask(self.directory, {"verb": "status"})["hosts"])

    def _status_of(self, spec: HostSpec, kind: Kind, answer: HostAnswer) -> HostStatus:
        whole = kind == "machines"
        return HostStatus(
            name=spec.name,
            kind=kind,
            release=spec.release if whole else "own",
            variant=spec.variant if whole else "full",
            addresses=spec.addresses,
            state=answer["state"],
            boots=answer["boots"],
            pid=self._first_process(spec.name) if answer["state"] == "running" else None,
        )

    def _first_process(self, host: str) -> int | None:
        return processes.first_of(self._known(host).name, cast(state.Process, self._standing().supervisor).pid)

    def _wait_for(
        self, hosts: Sequence[HostSpec], patience: float, progress: Progress = lambda _text, _share: None
    ) -> None:
        """Return when the sshd of each of these hosts greets. Raise OutsideError naming those that do not."""
        pairs = [f"{host.name}={host.addresses[0]}" for host in hosts]
        supervisor = cast(state.Process, self._standing().supervisor)
        command = access.inner_command(supervisor.pid, "wait", str(patience), SSH_PORT, *pairs)
        waiting = [host.name for host in hosts]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                waiting.remove(line.strip())
                progress(f"{line.strip()} answers", 1.0 - 0.1 * len(waiting) / len(hosts))
        if waiting:
            raise OutsideError(
                f"lab hosts that do not answer ssh after {patience:.0f} s: {', '.join(waiting)}",
                remedy=f"the console of {waiting[0]} ends with: {self.console(waiting[0])[-300:].strip() or 'nothing'}",
            )

    def _await_boot(self, host: str, boots_before: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self._answers()[host]["boots"] == boots_before:
            _pause(deadline, f"lab host {host} did not restart in {timeout:.0f} s")
        self._wait_for([self._known(host)], max(1.0, deadline - time.monotonic()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep two commands from working on the same lab; the lock lies beside the directory, which may go."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        path = self.directory.with_name(f".{self.directory.name}.lock")
        while True:
            with path.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _same_file(path, file.fileno()):
                    continue  # the one who held it removed it
                self.directory.mkdir(exist_ok=True, mode=0o700)
                try:
                    yield
                finally:
                    path.unlink()
                return


def _named(hosts: Sequence[HostSpec], name: str) -> HostSpec:
    specs = {spec.name: spec for spec in hosts}
    if name not in specs:
        raise InputError(f"the lab has no host '{name}'", remedy=f"one of {', '.join(specs)}")
    return specs[name]


def _scaled(progress: Progress, begin: float, width: float) -> Progress:
    return lambda text, share: progress(text, begin + width * share)


def _same_file(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _pause(deadline: float, otherwise: str) -> None:
    if time.monotonic() > deadline:
        raise OutsideError(otherwise)
    time.sleep(0.02)


def _run(command: list[str], given: str | None, timeout: float) -> Completed:
    return subprocess.run(command, input=given or "", capture_output=True, text=True, check=False, timeout=timeout)


@contextmanager
def _termination_raises() -> Iterator[None]:
    """Make SIGTERM unwind the stack as SIGINT does, so that what was begun is taken back."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
