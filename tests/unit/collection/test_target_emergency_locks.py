"""An emergency waits for the locks that others hold, of Ringfence and of iptables, for as long as their tools can."""

from __future__ import annotations

import fcntl
import os

import pytest
from ringfence.wire.emergency_lines import Emergency, Grant

from tests.emergency_sessions import ALL, PEER, Sessions
from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import CLOSED, CUT, NOW, ask, holds

BUSY = """\
#!/bin/sh
# held by another for the first two who ask
if [ ! -e "$0.2" ]; then
    if [ -e "$0.1" ]; then : >"$0.2"; else : >"$0.1"; fi
    echo 'Another app is currently holding the xtables lock; still 0s 0us time ahead to have a chance' >&2
    exit 4
fi
PATH=${PATH#*:} exec "${0##*/}" "$@"
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")


def test_who_holds_the_lock_of_iptables_is_waited_for_and_named(target: LoneTarget, sessions: Sessions) -> None:
    if target.enforcer != "iptables" or "legacy" not in sessions.target.run("iptables", "--version"):
        pytest.skip("this iptables has no lock that others hold")
    lock = target.place / "xtables.lock"
    before = target.stand_ins + f"export XTABLES_LOCKFILE={lock}\n"
    with lock.open("w") as held_by_another:
        fcntl.flock(held_by_another, fcntl.LOCK_EX)
        target.stand_ins = before + "sleep() { :; }\n"
        reply = ask(target, CUT)
        assert reply.last("refused") == "emergency"
        assert "xtables lock" in " ".join(reply.all("reason") + reply.all("message") + [str(reply.values)])
        assert sessions.open(*sorted(ALL)) == ALL
    target.stand_ins = before
    assert holds(ask(target, CUT)) == {CUT.id: True}


def test_the_flock_of_busybox_which_waits_for_no_time_is_enough(target: LoneTarget, sessions: Sessions) -> None:
    target.stand_ins += 'flock() { case $1 in -[sxnu]) command flock "$@" ;; *) echo usage >&2; return 1 ;; esac; }\n'
    assert holds(ask(target, CUT)) == {CUT.id: True}
    assert sessions.open(*sorted(ALL)) == frozenset()
    assert target.ask("hold")[0] == 0


def test_the_table_of_the_policy_waits_for_that_lock_as_well(target: LoneTarget, sessions: Sessions) -> None:
    if target.enforcer != "iptables":
        pytest.skip("nft takes no lock of iptables")
    target.enforce(CLOSED)
    shims = target.place / "busy"
    shims.mkdir()
    for stem in ("iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"):
        (shims / f"{stem}-restore").write_text(BUSY)
        (shims / f"{stem}-restore").chmod(0o755)
    target.stand_ins += f"PATH={shims}:$PATH\n"
    grants = (Grant("in", 6, PEER, ((7000, 7000),)),)
    allowed = Emergency("p-0123abcd", "permission", NOW, NOW + 600, grants=grants)
    assert holds(ask(target, allowed, now=str(NOW))) == {allowed.id: True}
    assert list(shims.glob("*.1"))
    assert sessions.open("tcp4") == {"tcp4"}
