"""A target without a host: the script in a directory of the test, with the kernel of a network namespace."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    Reply,
    application,
    parse_reply,
    script,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan

from tests.rollout_plans import PlanMaker, Wanted
from tests.unit.enforcers.nft_kernel import Kernel

# The connection is said to be one from the controller's address, new enough; nft fails with what `nft-fails` matches.
STAND_INS = """
systemd_runs() {{ false; }}
have() {{ [ "$1" != systemd-run ] && [ "$1" != timeout ] && [ "$1" != ss ] && command -v "$1" >/dev/null 2>&1; }}
find_connection() {{
    connection_started=99999999999 connection_family=4 connection_hex={peer} connection_port=22
    connection_peer=10.203.0.1
    if [ -n "${{2-}}" ]; then socket_text >"$2"; fi
}}
nft() {{
    nft_fails=
    if [ -s {place}/nft-fails ]; then read -r nft_fails <{place}/nft-fails; fi
    case $* in $nft_fails) echo 'nft: no luck' >&2; return 1 ;; esac
    command nft "$@"
}}
units={place}/units
boot_unit=$units/ringfence.service
signers={place}/allowed_signers
"""
PEER = "0ACB0001"  # 10.203.0.1, the first of rollout_plans.CONTROLLER


@dataclass
class LoneTarget:
    """A script with its state below `place`; `ask` sends an order as a controller does."""

    place: Path
    kernel: Kernel
    shell: list[str]
    stand_ins: str = ""
    peer: str = PEER
    sequence: int = 0
    held: str = ""
    words: dict[str, str] = field(default_factory=dict)
    enforcer: str = "nftables"
    seconds: str = "30"  # many steps take their time on a busy machine; `time_out` ends it

    @property
    def state(self) -> Path:
        """The directory on the disk."""
        return self.place / "lib"

    @property
    def memory(self) -> Path:
        """The directory in memory."""
        return self.place / "run"

    def ask(self, verb: str, values: dict[str, str] | None = None, ruleset: bytes = b"") -> tuple[int, Reply, str]:
        """Return the exit status, the reply and the errors of an order."""
        whole, _, end = self._placed(script(self.enforcer)).rpartition("if [ $# -gt 0 ]")
        text = f"{whole}{STAND_INS.format(place=self.place, peer=self.peer)}{self.stand_ins}\nif [ $# -gt 0 ]{end}"
        lines = [f"rf_{name}={shlex.quote(value)}" for name, value in (values or {}).items()]
        order = f'ringfence_script={shlex.quote(text)}\neval "$ringfence_script"\n' + "\n".join(lines)
        given = f"{order}\nringfence_main {verb} <<'ENDS'\n".encode() + ruleset + b"ENDS\n"
        done = subprocess.run(
            [*self.kernel.entered, *self.shell], input=given, capture_output=True, timeout=60, check=False
        )
        return done.returncode, parse_reply(done.stdout.decode()), done.stderr.decode()

    def _placed(self, text: str) -> str:
        for before, after in (("/var/lib/ringfence", self.state), ("/run/ringfence", self.memory)):
            text = text.replace(f"={before}\n", f"={after}\n")
        return text

    def plan(self, wanted: Wanted, **options: object) -> Plan:
        """Return a plan for this target alone that follows from what it holds."""
        self.sequence += 1
        options.setdefault("sequence", self.sequence)
        made = PlanMaker(self.place, self.enforcer).write({"h": wanted}, expects={"h": self.held}, **options)  # type: ignore[arg-type]
        plan = load_plan(str(made))
        self.words[plan.host("h").table[:16]] = plan.digest
        return plan

    def apply(self, plan: Plan, **more: str) -> Reply:
        """Return the reply to an apply."""
        text = plan.ruleset(plan.host("h").ruleset, enforcement(self.enforcer).SUFFIX)
        return self.ask("apply", {**self.values(plan), **more}, text)[1]

    def values(self, plan: Plan) -> dict[str, str]:
        """Return what a controller sends of a plan."""
        return {**application(plan, plan.host("h")), "seconds": self.seconds}

    def confirm(self, plan: Plan, **more: str) -> Reply:
        """Return the reply to a confirmation, and remember what is held then."""
        reply = self.ask("confirm", {"plan": plan.digest, "port": "22", **more})[1]
        if reply.last("state") == "confirmed":
            self.held = plan.host("h").ruleset
        return reply

    def enforce(self, wanted: Wanted) -> Plan:
        """Apply and confirm, which must succeed."""
        plan = self.plan(wanted)
        self.apply(plan, seconds="30")
        assert self.confirm(plan).last("state") == "confirmed"
        return plan

    def in_kernel(self) -> str:
        """Return the digest of the plan whose table the kernel has, empty for none."""
        words = self.kernel.nft("list", "chains", "inet").split()
        found = [word.removeprefix("plan_") for word in words if word.startswith("plan_")]
        return self.words[found[0]] if found else ""

    def way_back(self) -> int:
        """Return the process that puts the confirmed table back when the time to confirm has ended."""
        lines = (self.memory / "pending").read_text().splitlines()
        return int([line.removeprefix("way=") for line in lines if line.startswith("way=")][-1])

    def time_out(self, way: int | None = None) -> None:
        """Have the way back try now, whatever time is left; return when it has: it has ended, or waits to try again."""
        way = way or self.way_back()
        wait_until(lambda: sleep_of(way) != 0, 60)
        slept = sleep_of(way)
        if slept > 0:
            os.kill(slept, signal.SIGTERM)
            wait_until(lambda: sleep_of(way) not in (0, slept), 60)

    def fails(self, pattern: str) -> None:
        """Have nft fail where its arguments match; never for an empty pattern."""
        (self.place / "nft-fails").write_text(f"{pattern}\n" if pattern else "")

    def goes_back_to(self, plan: str, within: float = 60.0) -> None:
        """Return when the kernel has this plan's table (empty: none) and nothing waits; fail after some seconds.

        The time to confirm is not waited for.
        """
        with suppress(FileNotFoundError, IndexError):
            # no wait is left where it went back at once
            self.time_out()
        wait_until(lambda: self.in_kernel() == plan and not self.ask("status")[1].last("pending"), within)


def sleep_of(shell: int) -> int:
    """Return the `sleep` that a shell waits for, 0 where it does something else, -1 where it has ended."""
    found = -1
    for process in Path("/proc").glob("[0-9]*"):
        try:
            before, _, after = (process / "stat").read_text(errors="replace").rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        number, _, name = before.partition(" (")
        state, parent, *_ = after.split()
        if state != "Z" and int(parent) == shell and name == "sleep":
            return int(number)
        if state != "Z" and int(number) == shell:
            found = 0
    return found


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Return when something holds; fail where it does not in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"did not come true in {seconds} s"
        time.sleep(0.1)


def mount(directory: Path, size: str = "1m") -> None:
    """Put a small file system of its own under a directory."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Write until nothing more fits."""
    handle = os.open(directory / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, b"x" * 512)
    except OSError:
        os.close(handle)


def remount(directory: Path, how: str) -> None:
    """Make a file system read-only (`ro`) or writable (`rw`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(directory)], check=True)
