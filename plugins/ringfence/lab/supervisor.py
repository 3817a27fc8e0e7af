"""The lab's first process: it holds the namespaces that everything else is in, starts the hosts and starts them again.

Run by the session inside fresh namespaces, as their process 1: when it ends, the kernel ends every process, mount and
network of the lab. Its order comes as one line of JSON on standard input; until the line `keep` follows, the end of
that input is its own end, so that a session that dies leaves nothing. After that it listens on its control socket.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from ringfence.lab import cgroups, kernel, machine, namespaces, network
from ringfence.lab.spec import HostData, HostSpec, HostState, Kind, from_data

LIVE = Path("/run/ringfence-lab")
CONSOLE = "console.log"  # of a machine, below LIVE and its name
MOST_CRASHES = 5  # starts within CRASH_WINDOW seconds after which a host counts as failed
CRASH_WINDOW = 10.0


class Order(TypedDict):
    """What a session asks of a supervisor; `images` maps what hosts call their image to a root file system."""

    kind: Kind
    name: str
    control: str
    hosts: list[HostData]
    images: dict[str, str]
    keys: dict[str, str]
    python: str


class HostAnswer(TypedDict):
    """What a supervisor knows of one host; `pid` is an id among the lab's own processes."""

    state: HostState
    boots: int
    pid: int | None


@dataclass
class _Host:
    spec: HostSpec
    number: int
    group: Path | None
    state: HostState = "off"
    pid: int | None = None
    boots: int = 0
    laid_out: bool = False
    halting: bool = False
    starts: list[float] = field(default_factory=list)

    @property
    def place(self) -> Path:
        return LIVE / self.spec.name

    @property
    def link(self) -> network.Link:
        return network.Link(self.spec.name, self.number, self.spec.addresses)

    def answer(self) -> HostAnswer:
        return {"state": self.state, "boots": self.boots, "pid": self.pid}


class Supervisor:
    """All hosts of one lab and what may be asked about them."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.specs = [from_data(data) for data in order["hosts"]]
        own = cgroups.own()
        top = own if own is not None and cgroups.may_divide(own) else None
        self.hosts = {
            spec.name: _Host(spec, number, top / spec.name if top else None) for number, spec in enumerate(self.specs)
        }
        self.around = namespaces.Surroundings(self.specs, order["keys"], order["python"])

    def start_all(self) -> None:
        """Make the network and start every host, telling each on standard output."""
        kernel.mount("tmpfs", Path("/run"), "tmpfs", data="mode=755")
        LIVE.mkdir()
        network.make_bridge()
        network.attach([host.link for host in self.hosts.values()])
        for host in self.hosts.values():
            self._boot(host)
            _tell({"started": host.spec.name})
        _tell({"started": None})

    def start(self, host: _Host) -> None:
        """Give the host a fresh network namespace and boot it; its files are those of its last boot."""
        network.attach([host.link])
        self._boot(host)

    def _boot(self, host: _Host) -> None:
        if self.order["kind"] == "machines":
            host.pid = self._start_machine(host)
        else:
            if not host.laid_out:
                namespaces.lay_out(host.place, host.spec, self.around)
            host.pid = namespaces.start(host.place, host.group, host.spec, self.around)
        host.laid_out = True
        host.state = "running"
        host.boots += 1
        host.starts = [*host.starts[-MOST_CRASHES:], time.monotonic()]

    def _start_machine(self, host: _Host) -> int:
        root = host.place / "root"
        if not host.laid_out:
            image = Path(self.order["images"][host.spec.image])
            machine.lay_out(host.place, image, self.order["name"], host.spec, self.order["keys"], self.specs)
        machine.forget(host.spec.name)
        child = os.fork()
        if child:
            return child
        try:
            if host.group is not None:
                cgroups.join(host.group)  # before exec: nspawn builds the machine's tree where it finds itself
            kernel.enter(network.NAMESPACES / host.spec.name)  # before exec: its /sys shows the network it starts in
            console = os.open(host.place / CONSOLE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(console, 1)
            os.dup2(console, 2)
            os.closerange(3, 1024)
            command = machine.command(root, host.spec.name)
            os.execvpe(command[0], command, machine.ENVIRONMENT)  # noqa: S606 - an argument list, no shell
        finally:
            traceback.print_exc()
            os._exit(127)

    def ended(self, pid: int, status: int) -> None:
        """Act on the end of a process: a host that rebooted or crashed starts again, one that was shut down is off."""
        host = next((host for host in self.hosts.values() if host.pid == pid), None)
        if host is None:
            return
        network.detach(host.link)
        host.pid, host.state = None, "failed"  # until it is known to be otherwise
        code = os.waitstatus_to_exitcode(status)
        recent = [start for start in host.starts if start > time.monotonic() - CRASH_WINDOW]
        if host.halting or (code == 0 and self.order["kind"] == "machines"):
            host.state = "off"
        elif code == machine.REBOOT_STATUS or len(recent) < MOST_CRASHES:
            self.start(host)
        host.halting = False

    def answer(self, request: dict[str, str]) -> dict[str, object]:
        """Return what the control socket answers to a request of `ask`."""
        host = self.hosts.get(request.get("host", ""))
        verb = request.get("verb")
        if verb == "status":
            return {"hosts": {name: each.answer() for name, each in self.hosts.items()}}
        if host is None:
            return {"error": f"no host {request.get('host')!r} in this lab"}
        if verb in ("cut", "off") and host.pid is not None:
            host.halting = verb == "off"
            self._kill(host)
        elif verb == "on" and host.pid is None:
            host.starts = []
            self.start(host)
        else:
            return {"error": f"{host.spec.name} is {host.state}: no {verb}"}
        return {}

    def _kill(self, host: _Host) -> None:
        if self.order["kind"] == "machines" and host.group is not None:
            cgroups.kill(host.group)
        elif host.pid is not None:
            os.kill(host.pid, signal.SIGKILL)


def main() -> None:
    """Carry out the order on standard input, for as long as the lab stands."""
    os.umask(0o022)  # sshd wants its files writable by their owner alone
    order: Order = json.loads(_read_line())
    server = _control_socket(Path(order["control"]))
    supervisor = Supervisor(order)
    try:
        supervisor.start_all()
    except (OSError, subprocess.SubprocessError) as error:
        traceback.print_exc()
        _tell({"error": str(error)})
        sys.exit(1)
    _serve(supervisor, server)


def _serve(supervisor: Supervisor, server: socket.socket) -> None:
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ready = selectors.DefaultSelector()
    for source in (0, woken, server.fileno()):
        ready.register(source, selectors.EVENT_READ)
    while True:
        _collect(supervisor)
        for key, _ in ready.select():
            if key.fd == 0:
                if _read_line() != "keep":
                    sys.exit(1)
                ready.unregister(0)
                _let_go()
            elif key.fd == woken:
                os.read(woken, 4096)
            else:
                _converse(supervisor, server)


def _collect(supervisor: Supervisor) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        try:
            supervisor.ended(pid, status)
        except (OSError, subprocess.SubprocessError):
            traceback.print_exc()  # this host stays down; the others go on


def _converse(supervisor: Supervisor, server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rw") as stream:
        connection.settimeout(5)
        try:
            line = stream.readline()
            if line:  # else somebody only asked who listens
                json.dump(supervisor.answer(json.loads(line)), stream)
        except (OSError, ValueError, subprocess.SubprocessError):
            traceback.print_exc()


def _control_socket(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    os.chdir(path.parent)  # the name of a socket is at most 107 bytes long
    server.bind(path.name)
    os.chdir("/")
    server.listen(16)
    return server


def _read_line() -> str:
    """Return one line of standard input, read byte by byte so that nothing is held back from select."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def _tell(event: dict[str, str | None]) -> None:
    os.write(1, json.dumps(event).encode() + b"\n")


def _let_go() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


if __name__ == "__main__":
    main()
