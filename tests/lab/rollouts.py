"""Rollouts on lab hosts for tests: plans by hand, the real playbooks, and what the hosts hold afterwards."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    COMMAND,
    Reply,
    application,
    confirmation,
    order,
    parse_reply,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan
from ringfence.lab.session import Lab
from ringfence.rollout import PlaybookResult, run_playbook

from tests.rollout_plans import PlanMaker, Wanted, digest_for

ECHO = 7000
# What a test waits for comes at once on an idle machine; where it has not come after so many seconds it never does.
PATIENCE = 60.0
# So long it listens for an answer that must not come.
SILENCE = 1.0
REMAINS = (
    "ls -d /var/lib/ringfence /run/ringfence /run/ringfence.* /etc/systemd/system/ringfence* "
    "/etc/systemd/system/*/ringfence* /etc/systemd/system/*/*ringfence* 2>/dev/null; nft list tables | grep ringfence; "
    "for name in iptables-legacy iptables-nft; do $name-save 2>/dev/null | grep -E 'rfe?_'; done; "
    "ipset list -n 2>/dev/null | grep ^rf_; "
    "systemctl list-units --all --plain --no-legend 'ringfence*' 2>/dev/null; "
    "ps ax -o args 2>/dev/null | grep 'ringfence[.]sh'; true"
)


class Talk(Protocol):
    """A connection to a host: bytes to send, if any, and what came back within so many seconds, b"" for nothing."""

    def __call__(self, sent: bytes, seconds: float = PATIENCE) -> bytes: ...


@dataclass
class Rollouts:
    """Runs playbooks against a lab and counts plans, so that each is newer than the one before."""

    lab: Lab
    directory: Path
    sequence: int = 0
    held: dict[str, str] = field(default_factory=dict)
    enforcer: str = "nftables"

    def plan(self, hosts: Mapping[str, Wanted], **options: object) -> Path:
        """Write a plan that follows from what the hosts hold."""
        self.sequence += 1
        options.setdefault("sequence", self.sequence)
        options.setdefault("expects", dict(self.held))
        return PlanMaker(self.directory, self.enforcer).write(hosts, **options)  # type: ignore[arg-type]

    def roll_out(
        self, plan: Path, *, check: bool = False, more: dict[str, object] | None = None, **variables: object
    ) -> PlaybookResult:
        """Roll a plan out and remember what confirmed hosts hold."""
        result = self.play("rollout", plan, check=check, more=more, **variables)
        for name, host in result.hosts.items():
            if host.state == "confirmed":
                self.held[name] = str(host.result["ruleset"])
        return result

    def apply(self, hosts: Mapping[str, Wanted], **variables: object) -> Path:
        """Plan and roll out, which must succeed."""
        plan = self.plan(hosts)
        result = self.roll_out(plan, **variables)
        assert result.ok, (result.data(), result.complaint)
        return plan

    def hold(self, hosts: Mapping[str, Wanted]) -> Path:
        """Plan, and have the hosts hold it, by the orders of a rollout and without a start of Ansible."""
        made = self.plan(hosts)
        plan = load_plan(str(made))
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda name: self._hold(plan, name), hosts))
        return made

    def _hold(self, plan: Plan, name: str) -> None:
        host = plan.host(name)
        ruleset = plan.ruleset(host.ruleset, enforcement(self.enforcer).SUFFIX)
        values = {**application(plan, host), "seconds": "120", "renew": ""}
        reply = self._order(name, order("apply", values, ruleset, self.enforcer))
        if reply.last("state") == "waiting":
            reply = self._order(name, order("confirm", confirmation(plan, host), b"", self.enforcer))
        assert reply.last("state") == "confirmed", (name, reply.values)
        self.held[name] = host.ruleset

    def _order(self, name: str, sent: bytes) -> Reply:
        """Return the reply to an order over an ssh connection of its own."""
        command = [*self.lab.ssh_command(name), "-o", "ControlMaster=no", "-o", "ControlPath=none", COMMAND]
        done = subprocess.run(command, input=sent, capture_output=True, timeout=PATIENCE, check=False)
        return parse_reply(done.stdout.decode())

    def play(
        self,
        name: str,
        plan: Path | None = None,
        *,
        check: bool = False,
        limit: Sequence[str] = (),
        more: dict[str, object] | None = None,
        **variables: object,
    ) -> PlaybookResult:
        """Run a playbook; `variables` are named `ringfence_…`, `more` as they are."""
        given = {f"ringfence_{key}": value for key, value in variables.items()} | (more or {})
        if plan:
            given["ringfence_plan"] = str(plan)
        return run_playbook(
            name, [self.lab.inventory_path], given, directory=self.directory, check=check, limit=limit, forks=10
        )

    def drift(self, plan: Path) -> dict[str, list[str]]:
        """Return what differs from a plan, by host; nothing where all is proven.

        The target's script and the comparison are those of the playbook `verify`; Ansible need not start for them.
        """
        wanted = load_plan(str(plan))

        def told(name: str) -> list[str]:
            host = wanted.host(name)
            try:
                reply = self.ask(name, "status", host.enforcer, listing="1")
            except AssertionError as error:
                return [str(error)]
            return verify(wanted, host, reply)["drift"]  # type: ignore[no-any-return]

        hosts = sorted(wanted.data["hosts"])
        with ThreadPoolExecutor() as threads:
            found = dict(zip(hosts, threads.map(told, hosts), strict=True))
        return {name: drift for name, drift in found.items() if drift}

    def playbook_drift(self, plan: Path) -> dict[str, list[str]]:
        """Return what the playbook `verify` says that differs from a plan, by host."""
        found = self.play("verify", plan)
        assert found.hosts, found.complaint
        return {name: host.result.get("drift", [host.reason]) for name, host in found.hosts.items() if not host.ok}

    def ask(self, host: str, verb: str, enforcer: str, **values: str) -> Reply:
        """Return the reply of a host's script to an order, which comes not over its network; it must end well."""
        sent = order(verb, values, enforcer=enforcer).decode()
        done = self.lab.exec(host, ["sh", "-s"], input=sent)
        assert done.returncode == 0, (host, verb, done.stdout[-2000:], done.stderr[-2000:])
        return parse_reply(done.stdout)

    def reaches(self, host: str, port: int = ECHO, timeout: float = 1.0) -> bool:
        """Return whether a new connection from the controller's side of the lab is answered."""
        with self.connection(host, port, timeout) as talk:
            return talk(b"hello") != b""

    def answers(self, host: str, port: int = ECHO) -> None:
        """Return when a new connection is answered; fail where none is."""
        wait_until(lambda: self.reaches(host, port))

    @contextmanager
    def connection(self, host: str, port: int = ECHO, timeout: float = 1.0) -> Iterator[Talk]:
        """Hold a TCP connection to a host, with no more than so many seconds to make it."""
        address = next(spec.addresses[0] for spec in self.lab.hosts() if spec.name == host)
        held = connect_in_lab(self.lab, address, port, timeout)

        def talk(sent: bytes, seconds: float = PATIENCE) -> bytes:
            if held is None:
                return b""
            try:
                held.settimeout(seconds)
                if sent:
                    held.sendall(sent)
                return held.recv(4096)
            except OSError:
                return b""

        try:
            yield talk
        finally:
            if held is not None:
                held.close()

    def reboot(self, hosts: Sequence[str]) -> None:
        """Restart hosts beside each other; returns when all answer again."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(self.lab.reboot, hosts))

    def sh(self, host: str, command: str, timeout: float = 60.0) -> str:
        """Run a shell command inside a host, not over its network, and return its output."""
        done = self.lab.exec(host, ["sh", "-c", command], timeout=timeout)
        return done.stdout + done.stderr

    def remains(self, host: str) -> str:
        """Return whatever of ours is left on a host; empty for nothing."""
        return self.sh(host, REMAINS).strip()

    def remove(self) -> None:
        """Run the playbook that removes everything from every host."""
        self.play("remove", enforcer=self.enforcer)
        self.held.clear()

    def clear(self) -> None:
        """Remove everything from every host, as that playbook does, without a start of Ansible."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda host: self.ask(host.name, "remove", self.enforcer), self.lab.hosts()))
        self.held.clear()


def wait_until(holds: Callable[[], bool], seconds: float = PATIENCE, every: float = 0.1) -> float:
    """Return the seconds until something held, looking `every` so many; fail where it did not."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"did not come true in {seconds} s"
        time.sleep(every)
    return time.monotonic() - began


def connect_in_lab(lab: Lab, address: str, port: int, timeout: float) -> socket.socket | None:
    """Return a connection made in the lab's controller namespace, or None where it is not answered in time.

    The time begins when the process that connects does, however long that takes to start.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        command = [*_door(lab, address, port), str(timeout)]
        process = subprocess.Popen(command, stdout=theirs.fileno(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    with ours:
        ours.settimeout(SILENCE)
        try:
            _data, descriptors, _flags, _address = socket.recv_fds(ours, 1, 1)
        except OSError:
            return None
    if not descriptors:
        return None
    return socket.socket(fileno=descriptors[0])


def _door(lab: Lab, address: str, port: int) -> list[str]:
    """Return the lab's ProxyCommand, which passes a connected descriptor (ProxyUseFdpass of ssh_config(5))."""
    line = next(line for line in lab.ssh_config.read_text().splitlines() if line.strip().startswith("ProxyCommand"))
    words = line.split()[1:]
    return [{"%h": address, "%p": str(port)}.get(word, word) for word in words]


__all__ = ["ECHO", "PATIENCE", "SILENCE", "Rollouts", "Wanted", "connect_in_lab", "digest_for", "wait_until"]
