"""Faults on lab machines for the fault matrix: what fails, and the orders that a controller sends meanwhile."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

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
from ringfence.lab import state
from ringfence.lab.session import Lab
from ringfence.lab.supervisor import LIVE
from ringfence.model.errors import OutsideError

from tests.lab.rollouts import PATIENCE, wait_until
from tests.rollout_plans import PlanMaker, Wanted

STATE = "/var/lib/ringfence"
SSH = ("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=3")
# A program that does as /etc/tool-fault says, `HOW PATTERN` (`_` is a blank): where its name and arguments match, it
# fails, or once kills the script that called it, with every shell that is a part of it. /etc/tool-called tells that it
# did. A fault that ends is not written again by a program that runs at that moment.
FAULTY_TOOL = """#!/bin/sh
name=${0##*/}
if [ -s /etc/tool-fault ]; then
    read -r how words </etc/tool-fault
    pattern=$(printf '%s' "$words" | tr _ ' ')
    case "$name $*" in
    $pattern)
        : >/etc/tool-called
        if [ "$how" = kill ]; then
            : >/etc/tool-fault
            above=$PPID shells=
            while [ "$(cat "/proc/$above/comm")" = sh ]; do
                shells="$above $shells"
                above=$(awk '$1 == "PPid:" { print $2 }' "/proc/$above/status")
            done
            kill -9 $shells
        fi
        echo "$name: no luck" >&2
        exit 1
        ;;
    esac
fi
exec "REAL/$name" "$@"
"""
REAL = "/opt/real"
# Some are links to others: all links are read before anything is replaced.
REPLACE = f"""
mkdir -p {REAL}; cat >{REAL}/faulty; chmod 755 {REAL}/faulty; cd /usr/sbin
for name in NAMES; do if [ -L $name ]; then ln -s "$(readlink -f $name)" {REAL}/$name; fi; done
for name in NAMES; do if [ -L $name ]; then rm $name; else mv $name {REAL}/; fi; ln -s {REAL}/faulty $name; done
"""
IPTABLES = tuple(
    f"{family}{variant}{what}"
    for family in ("iptables", "ip6tables")
    for variant in ("", "-legacy", "-nft")
    for what in ("", "-save", "-restore")
)

# IPv6 has the other rules, IPv4 is to get them.
BETWEEN = "iptables-*-restore_--noflush"


@dataclass(frozen=True)
class Tools:
    """The programs of an enforcer on a target, and the calls of them (`NAME_ARGUMENTS`) at which a script is killed."""

    names: tuple[str, ...]
    swap: str
    confirm: str
    load: str


TOOLS = {
    "nftables": Tools(("nft",), swap="nft_-f_*swap.nft", confirm="nft_list_chain_*", load="nft_-f_*"),
    # between the two families, and when the script reads the kernel
    "iptables": Tools((*IPTABLES, "ipset"), swap=BETWEEN, confirm="iptables-*-save_*", load=BETWEEN),
}
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
    """One machine of a lab, the plans it was given, and how to hurt it.

    `old` and `new` are what its two plans want; `variant` is the one of iptables that it uses.
    """

    lab: Lab
    name: str
    directory: Path
    old: Wanted
    new: Wanted
    enforcer: str = "nftables"
    variant: str = ""
    sequence: int = 0
    plans: dict[str, Plan] = field(default_factory=dict)
    fault: str = ""

    def prepare(self) -> None:
        """Put a small file system under the state that outlives a reboot, and programs that can fail."""
        supervisor = state.read(self.lab.directory).supervisor.pid  # type: ignore[union-attr]
        place = f"{LIVE}/{self.name}/root{STATE}"
        inside = f"mkdir -p {place} && mount -t tmpfs -o size=2m,mode=700 none {place}"
        subprocess.run(
            ["nsenter", f"--target={supervisor}", "--mount", "sh", "-c", inside], check=True, timeout=PATIENCE
        )
        if self.variant:
            for family in ("iptables", "ip6tables"):
                self.sh(f"update-alternatives --set {family} /usr/sbin/{family}-{self.variant}")
        self.sh(REPLACE.replace("NAMES", " ".join(self.tools.names)), FAULTY_TOOL.replace("REAL", REAL))
        self.lab.reboot(self.name)
        assert STATE in self.sh("cat /proc/mounts")

    @property
    def tools(self) -> Tools:
        """The programs that its scripts call."""
        return TOOLS[self.enforcer]

    def sh(self, command: str, given: str = "") -> str:
        """Run a command inside, not over the network, and return its output."""
        done = self.lab.exec(self.name, ["sh", "-c", command], input=given)
        return done.stdout + done.stderr

    def plan(self, word: str, expects: str) -> Plan:
        """Make the plan that is `word` from now on, `old` or `new`."""
        self.sequence += 1
        maker = PlanMaker(self.directory / self.name, self.enforcer)
        made = maker.write(
            {self.name: {"old": self.old, "new": self.new}[word]}, sequence=self.sequence, expects={self.name: expects}
        )
        self.plans[word] = load_plan(str(made))
        return self.plans[word]

    def apply(self, word: str, seconds: int, renew: bool = False) -> Reply:
        """Send the plan as the controller does; without a connection the reply is empty."""
        plan = self.plans[word]
        host = plan.host(self.name)
        values = {**application(plan, host), "seconds": str(seconds), "renew": "1" if renew else ""}
        return self._order("apply", values, plan.ruleset(host.ruleset, enforcement(self.enforcer).SUFFIX))

    def confirm(self, word: str) -> Reply:
        """Confirm over a new connection."""
        return self._order("confirm", confirmation(self.plans[word], self.plans[word].host(self.name)))

    def rollback(self) -> Reply:
        """Take back what waits."""
        return self._order("rollback", {})

    def _order(self, verb: str, values: dict[str, str], ruleset: bytes = b"") -> Reply:
        command = [*self.lab.ssh_command(self.name), *SSH, COMMAND]
        sent = order(verb, values, ruleset, self.enforcer)
        done = subprocess.run(command, input=sent, capture_output=True, timeout=PATIENCE, check=False)
        return parse_reply(done.stdout.decode())

    def status(self) -> Reply:
        """Ask for the state, not over the network."""
        sent = order("status", {"listing": "1"}, enforcer=self.enforcer).decode()
        return parse_reply(self.lab.exec(self.name, ["sh", "-s"], input=sent).stdout)

    def time_out(self, applied: Reply) -> None:
        """Have the time to confirm end now, as its timer does: the way back begins."""
        back = f"ringfence-return-{applied.last('token')}"
        self.sh(f"systemctl start --no-block {back}.service; systemctl stop {back}.timer")

    def proof(self, word: str, reply: Reply) -> list[str]:
        """Return what verify says of a plan from this status, nothing where it is proven."""
        return verify(self.plans[word], self.plans[word].host(self.name), reply)["drift"]  # type: ignore[no-any-return]

    def in_kernel(self) -> str:
        """Return the word of the plan whose table the kernel has, `` for none; read without our script."""
        found = self._chains_of_plans()
        if found <= {""}:
            return ""
        words = {plan.host(self.name).table[:16]: word for word, plan in self.plans.items()}
        return words.get(" ".join(found), "no whole table")

    def _chains_of_plans(self) -> set[str]:
        """Return the beginnings of the tables whose chains the kernel has, `` for a family that has none of them."""
        if self.enforcer == "nftables":
            listed = self.sh(f"{REAL}/nft list chains inet")
            found = set(re.findall("chain plan_([0-9a-f]+)", listed))
            assert found or "table inet ringfence" not in listed
            return found
        found = set()
        for family in ("iptables", "ip6tables"):
            listed = self.sh(f"for variant in legacy nft; do {REAL}/{family}-$variant-save; done")
            # a chain that only tracks decides nothing
            chains = set(re.findall("^:(rf_[a-z0-9_]+)", listed, re.MULTILINE)) - {"rf_track"}
            plans = {chain.removeprefix("rf_plan_") for chain in chains if chain.startswith("rf_plan_")}
            found |= plans or {"rf_" if chains else ""}
        return found

    def waits(self) -> bool:
        """Return whether a table waits for its confirmation."""
        return self.status().last("pending") != ""

    def settled(self) -> None:
        """Return when nothing waits any more."""
        wait_until(lambda: not self.waits(), every=0.5)  # each look is a run of the whole script

    def settled_honestly(self) -> tuple[Reply, str]:
        """Return the status and the kernel's table when nothing waits any more; every status on the way is honest."""
        seen: list[tuple[Reply, str]] = []

        def settled() -> bool:
            seen[:] = [found] if (found := self.honest()) else []
            return bool(seen) and seen[0][0].last("pending") == ""

        wait_until(settled, every=0.5)
        return seen[0]

    def honest(self) -> tuple[Reply, str] | None:
        """Assert that what status and verify say now is so, and return it; the kernel is read before and after.

        None where the table changed in between: nothing is known of it then.
        """
        before = self.in_kernel()
        reply = self.status()
        if before != self.in_kernel():
            return None
        for word in self.plans:
            proven = self.proof(word, reply) == []
            assert not proven or before == word, f"{self.name}: {word} is proven, and the kernel has {before or 'none'}"
        if reply.last("table") != "unknown":
            assert (reply.last("table") == "absent") == (before == ""), f"{self.name}: {reply.values}"
        return reply, before

    def boot(self, answers: bool = True) -> None:
        """Restart the machine by its own systemd; `answers`: and wait until it can be reached."""
        if answers:
            self.lab.reboot(self.name)
            return
        boots = self._boots()
        self.sh("systemctl reboot")
        wait_until(lambda: self._boots() > boots and self._runs())

    def _runs(self) -> bool:
        try:
            return self.sh("systemctl is-system-running 2>/dev/null").strip() in ("running", "degraded")
        except OutsideError:
            return False

    def _boots(self) -> int:
        return next(host.boots for host in self.lab.status() if host.name == self.name)

    def tool(self, fault: str) -> None:
        """Have the programs do what `HOW PATTERN` says (`_` is a blank), nothing for an empty text."""
        self.fault = fault
        self.sh("rm -f /etc/tool-called; cat >/etc/tool-fault", f"{fault}\n" if fault else "")

    def called(self) -> bool:
        """Return whether a program was called that fails, or kills, since `tool` said so."""
        return self.sh("ls /etc/tool-called 2>/dev/null") != ""

    def link(self, how: str) -> None:
        """Take the machine's link `down` or `up`."""
        self.sh(LINKS.replace("HOW", how))

    def put_right(self) -> None:
        """End whatever fails, all in one go."""
        self.fault = ""
        disk = f"mount -o remount,rw {STATE}; rm -f {STATE}/filler"
        self.sh(f"{disk}; rm -f /etc/tool-called; : >/etc/tool-fault; {LINKS.replace('HOW', 'up')}")


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
LINK_CUT = Fault(lambda machine: machine.link("down"), lambda machine: machine.link("up"))


def failing(pattern: str = "*") -> Fault:
    """Return the fault that every program fails that is called so."""
    return Fault(lambda machine: machine.tool(f"fail {pattern}"), lambda machine: machine.tool(""))


def killed_by(pattern: str) -> Fault:
    """Return the fault that kills the script once, where it calls a program so."""
    return Fault(lambda machine: machine.tool(f"kill {pattern}"), lambda machine: machine.tool(""))
