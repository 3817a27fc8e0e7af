"""Faults on lab machines for the fault matrix: what fails, and the orders that a controller sends meanwhile."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    Reply,
    control_ranges,
    order,
    parse_reply,
    process_lines,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan
from ringfence.lab import state
from ringfence.lab.session import Lab
from ringfence.lab.supervisor import LIVE
from ringfence.model.errors import OutsideError

from tests.lab.rollouts import wait_until
from tests.rollout_plans import PlanMaker, Wanted

STATE = "/var/lib/ringfence"
SSH = ("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=1")
# An nft that does as /etc/nft-fault says, `HOW PATTERN TIMES` (`_` is a blank): where its arguments match, so many
# times, it fails, or kills the shell that called it.
FAULTY_NFT = """#!/bin/sh
if [ -s /etc/nft-fault ]; then
    read -r how words times </etc/nft-fault
    pattern=$(printf '%s' "$words" | tr _ ' ')
    case $* in
    $pattern)
        if [ "$times" -gt 0 ]; then
            echo "$how $words $((times - 1))" >/etc/nft-fault
            if [ "$how" = kill ]; then kill -9 "$PPID"; fi
            echo 'nft: no luck' >&2
            exit 1
        fi
        ;;
    esac
fi
exec /usr/sbin/nft.real "$@"
"""
LINKS = "for link in /sys/class/net/*; do case $link in */lo) ;; *) ip link set ${link##*/} HOW ;; esac; done"
CUT_AT_BOOT = f"""[Unit]
DefaultDependencies=no
Before=network-pre.target ringfence.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c '{LINKS.replace("HOW", "down").replace("$", "$$")}'
[Install]
WantedBy=sysinit.target
"""


@dataclass
class Machine:
    """One machine of a lab, the plans it was given, and how to hurt it."""

    lab: Lab
    name: str
    directory: Path
    units: bool
    sequence: int = 0
    plans: dict[str, Plan] = field(default_factory=dict)

    def prepare(self) -> None:
        """Put a small file system under the state that outlives a reboot, and an nft that can fail."""
        supervisor = state.read(self.lab.directory).supervisor.pid  # type: ignore[union-attr]
        place = f"{LIVE}/{self.name}/root{STATE}"
        inside = f"mkdir -p {place} && mount -t tmpfs -o size=2m,mode=700 none {place}"
        subprocess.run(["nsenter", f"--target={supervisor}", "--mount", "sh", "-c", inside], check=True, timeout=20)
        self.sh("mv /usr/sbin/nft /usr/sbin/nft.real; cat >/usr/sbin/nft; chmod 755 /usr/sbin/nft", FAULTY_NFT)
        self.lab.reboot(self.name)
        assert STATE in self.sh("cat /proc/mounts")

    def sh(self, command: str, given: str = "") -> str:
        """Run a command inside, not over the network, and return its output."""
        done = self.lab.exec(self.name, ["sh", "-c", command], input=given)
        return done.stdout + done.stderr

    def plan(self, word: str, wanted: Wanted, expects: str) -> Plan:
        """Make the plan that is `word` from now on."""
        self.sequence += 1
        maker = PlanMaker(self.directory / self.name)
        made = maker.write({self.name: wanted}, sequence=self.sequence, expects={self.name: expects})
        self.plans[word] = load_plan(str(made))
        return self.plans[word]

    def apply(self, word: str, seconds: int, renew: bool = False) -> Reply:
        """Send the plan as the controller does; without a connection the reply is empty."""
        plan = self.plans[word]
        host = plan.host(self.name)
        values = {
            "plan": plan.digest,
            "sequence": str(plan.sequence),
            "expects": host.expects,
            "ruleset": host.ruleset,
            "table": host.table,
            "control": control_ranges(host.control["from"]),
            "port": str(host.control["port"]),
            "processes": process_lines(host.runtime),
            "token": secrets.token_hex(8),
            "host": self.name,
            "seconds": str(seconds),
            "renew": "1" if renew else "",
        }
        return self._order(order("apply", values, plan.ruleset(host.ruleset, "nft")))

    def confirm(self, word: str) -> Reply:
        """Confirm over a new connection."""
        return self._order(order("confirm", {"plan": self.plans[word].digest, "port": "22"}))

    def rollback(self) -> Reply:
        """Take back what waits."""
        return self._order(order("rollback", {}))

    def _order(self, text: bytes) -> Reply:
        command = [*self.lab.ssh_command(self.name), *SSH, "exec /bin/sh -s"]
        done = subprocess.run(command, input=text, capture_output=True, timeout=40, check=False)
        return parse_reply(done.stdout.decode())

    def status(self) -> Reply:
        """Ask for the state, not over the network."""
        done = self.lab.exec(self.name, ["sh", "-s"], input=order("status", {"listing": "1"}).decode())
        return parse_reply(done.stdout)

    def proof(self, word: str, reply: Reply) -> list[str]:
        """Return what verify says of a plan from this status, nothing where it is proven."""
        return verify(self.plans[word], self.plans[word].host(self.name), reply)["drift"]  # type: ignore[no-any-return]

    def in_kernel(self) -> str:
        """Return the word of the plan whose table the kernel has, or `` for none; read without our script."""
        listed = self.sh("/usr/sbin/nft.real list chains inet")
        found = [line.split("plan_")[1][:16] for line in listed.splitlines() if "chain plan_" in line]
        if not found:
            assert "table inet ringfence" not in listed
            return ""
        return next(word for word, plan in self.plans.items() if plan.host(self.name).table[:16] == found[0])

    def waits(self) -> bool:
        """Return whether a table waits for its confirmation."""
        return self.status().last("pending") != ""

    def settled(self, seconds: float = 12) -> None:
        """Return when nothing waits any more."""
        wait_until(lambda: not self.waits(), seconds)

    def honest(self) -> None:
        """Assert that what status and verify say now is so; the kernel is read before and after."""
        before = self.in_kernel()
        reply = self.status()
        if before != self.in_kernel():
            return
        for word in self.plans:
            proven = self.proof(word, reply) == []
            assert not proven or before == word, f"{self.name}: {word} is proven, and the kernel has {before or 'none'}"
        if reply.last("table") != "unknown":
            assert (reply.last("table") == "absent") == (before == ""), f"{self.name}: {reply.values}"

    def boot(self, answers: bool = True) -> None:
        """Restart the machine by its own systemd; `answers`: and wait until it can be reached."""
        if answers:
            self.lab.reboot(self.name)
            return
        boots = self._boots()
        self.sh("systemctl reboot")
        wait_until(lambda: self._boots() > boots and self._runs(), 30)

    def _runs(self) -> bool:
        try:
            return self.sh("systemctl is-system-running 2>/dev/null").strip() in ("running", "degraded")
        except OutsideError:
            return False

    def _boots(self) -> int:
        return next(host.boots for host in self.lab.status() if host.name == self.name)

    def nft(self, fault: str) -> None:
        """Have nft do what `HOW PATTERN TIMES` says (`_` is a blank), nothing for an empty text."""
        self.sh("cat >/etc/nft-fault", f"{fault}\n" if fault else "")

    def link(self, how: str) -> None:
        """Take the machine's link `down` or `up`."""
        self.sh(LINKS.replace("HOW", how))


@dataclass(frozen=True)
class Fault:
    """Something that fails on a machine from `begin` until `end`."""

    begin: Callable[[Machine], object]
    end: Callable[[Machine], object]


def shell(begin: str, end: str = "true") -> Fault:
    """Return a fault that a shell command begins and another ends."""
    return Fault(lambda machine: machine.sh(begin), lambda machine: machine.sh(end))


DISK_FULL = shell(f"cat /dev/zero >{STATE}/filler 2>/dev/null; true", f"rm -f {STATE}/filler")
READ_ONLY = shell(f"mount -o remount,ro {STATE}", f"mount -o remount,rw {STATE}")
STATE_DELETED = shell(f"rm -rf {STATE}/*")
NFT_FAILS = Fault(lambda machine: machine.nft("fail * 1000000"), lambda machine: machine.nft(""))
LINK_CUT = Fault(lambda machine: machine.link("down"), lambda machine: machine.link("up"))


def killed_by(pattern: str) -> Fault:
    """Return the fault that kills the script once, where it calls nft so."""
    return Fault(lambda machine: machine.nft(f"kill {pattern} 1"), lambda machine: machine.nft(""))


def pause(seconds: float) -> None:
    """Let time pass that a target measures."""
    time.sleep(seconds)
