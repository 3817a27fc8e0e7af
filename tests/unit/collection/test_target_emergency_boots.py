"""Emergencies over reboots with a clock that is wrong: no permission lives longer, and no quarantine is dropped."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from ringfence.wire.emergency_lines import Emergency, Grant

from tests.emergency_sessions import PEER, Sessions
from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import CUT, OPEN, ask, holds

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
YEARS = 10 * 365 * 86400


class Boots:
    """A host that boots with other clocks: what a boot is told by, and how long it is up, are stand-ins."""

    def __init__(self, target: LoneTarget, sessions: Sessions) -> None:
        self.target, self.sessions, self.before = target, sessions, target.stand_ins
        self.number = 0

    def boot(self, clock: int) -> None:
        """Lose the kernel and the memory, and load what is kept with a clock that stands at some seconds since 1970."""
        self.number += 1
        flush = "nft flush ruleset; for f in '' 6; do ip${f}tables-legacy -t mangle -F; done; true"
        self.sessions.target.run("sh", "-c", flush)
        subprocess.run(["rm", "-rf", str(self.target.memory)], check=True)
        date = f'if [ "$*" = +%s ]; then echo {clock}; else command date "$@"; fi'
        self.target.stand_ins = f"{self.before}date() {{ {date}; }}\nread_boot() {{ boot_id=boot-{self.number}; }}\n"
        assert self.target.ask("hold")[0] == 0

    def kernel(self) -> str:
        """Return what the kernel has of emergencies, whichever tool holds it."""
        tool = "nft list ruleset" if self.target.enforcer == "nftables" else "iptables-legacy-save -t mangle"
        return self.sessions.target.run("sh", "-c", f"{tool}; iptables-nft-save -t mangle 2>/dev/null; true")


@pytest.mark.parametrize("own", [False, True])
def test_whatever_the_clock_says_after_a_boot_nothing_that_cuts_off_is_dropped_and_no_permission_lives_longer(
    target: LoneTarget, sessions: Sessions, own: bool
) -> None:
    target.enforce(OPEN)
    now = int(time.time())
    timed = Emergency("q-0000000a", "quarantine", now, now + 14400, remote=PEER)
    granted = Emergency("p-0000000b", "permission", now, now + 7200, grants=(Grant("in", 6, ("192.0.2.7",)),))
    boots = Boots(target, sessions)
    boots.boot(now)
    assert holds(ask(target, CUT, timed, granted, now=str(now))) == dict.fromkeys((CUT.id, timed.id, granted.id), True)
    if own:
        # a host that goes by its own time since signers were installed on it
        (target.place / "allowed_signers").write_text("")
        assert set(holds(ask(target, CUT, now=str(now)))) == {CUT.id, timed.id, granted.id}

    def held(permission: bool) -> None:
        kernel = boots.kernel()
        names = ("0000000a", "0123abcd") if target.enforcer == "nftables" else (PEER[0],)
        assert all(name in kernel for name in names)
        assert ("192.0.2.7" in kernel) == permission

    held(True)
    boots.boot(now + 3600)
    held(True)
    for _ in range(3):
        # each time it counts on from what was known last, and not from its beginning
        boots.boot(86400)
        held(True)
        left = [line for line in boots.kernel().splitlines() if "192.0.2.7" in line and "timeout" in line]
        assert all("timeout 1h" in line for line in left), left
    boots.boot(now + YEARS)
    held(False)
    target.ask("hold")
    held(False)
    # the right clock again: all that has not ended stands, and what has ended does not
    boots.boot(now + 5000)
    held(True)
    boots.boot(now + 7300)
    held(False)
    reply = ask(target, CUT, now=str(now + 7300))
    assert CUT.id in reply.sections["emergency"]
    held(False)
