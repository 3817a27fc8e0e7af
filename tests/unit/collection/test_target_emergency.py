"""A quarantine ends what stands at once and stays whatever happens to the table; a permission ends with its time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.ringfence.core.plugins.action.emergency import ActionModule
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    emergency_order,
    read_emergencies,
    unlike_told,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_status import held
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan
from ringfence.wire.emergency_lines import Emergency, Grant, format  # noqa: A004

from tests.emergency_sessions import ALL, PEER, Sessions
from tests.lone_target import LoneTarget, wait_until
from tests.rollout_plans import CONTROLLER, Wanted
from tests.unit.collection.emergency_target import ALONE, CLOSED, CUT, KEPT, NOW, OPEN, ask, holds
from tests.unit.enforcers.nft_kernel import Kernel

LIES = """
nft() { case $* in -f*) cat >/dev/null ;; *) command nft "$@" ;; esac; }
restore_chains() { :; }
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")


def test_a_quarantine_stops_standing_sessions_and_stands_through_all_that_happens_to_the_table(
    target: LoneTarget, sessions: Sessions
) -> None:
    assert ask(target, CUT, check="1").last("changed") == "yes"
    assert not target.state.exists()
    assert not target.memory.exists()
    target.enforce(OPEN)
    assert sessions.open(*sorted(ALL)) == ALL
    reply = ask(target, CUT)
    assert (reply.last("changed"), reply.last("state"), holds(reply)) == ("yes", "held", {CUT.id: True})
    assert sessions.alive() == frozenset()
    assert ask(target, CUT).last("changed") == "no"
    second = target.plan(Wanted(points=OPEN.points, allow={None: (7000, 9)}))
    target.apply(second)
    assert sessions.alive() == frozenset()
    target.ask("rollback")
    assert sessions.alive() == frozenset()
    target.enforce(Wanted(points=OPEN.points, allow={None: (7000, 10)}))
    target.ask("boot")
    assert sessions.open(*sorted(ALL)) == frozenset()
    assert target.ask("remove")[1].last("refused") == "emergency"
    assert holds(target.ask("status")[1]) == {CUT.id: True}
    # as after a reboot, or a flush of the distribution's own service
    sessions.target.run("sh", "-c", "nft flush ruleset; for f in '' 6; do iptables-legacy -F; done; true")
    assert target.ask("hold")[0] == 0
    assert sessions.alive() == frozenset()
    for changed in ("yes", "no"):
        reply = ask(target, ends=(CUT.id,))
        assert (reply.last("changed"), holds(reply)) == (changed, {})
    assert sessions.open(*sorted(ALL)) == ALL


def test_a_host_that_was_never_enforced_is_isolated_from_all_but_what_it_keeps(
    target: LoneTarget, sessions: Sessions
) -> None:
    assert sessions.open(*sorted(ALL)) == ALL
    assert holds(ask(target, ALONE)) == {ALONE.id: True}
    assert sessions.alive() == frozenset()
    # who is kept may speak, in one family; the neighbours are still found
    assert holds(ask(target, KEPT)) == {KEPT.id: True}
    assert sessions.open(*sorted(ALL)) == {name for name in ALL if name.endswith("4")}
    # nobody cuts off the address that the command came from
    both = Emergency("q-00000002", "quarantine", NOW, remote=("10.203.0.0/24", "fd52::/16"))
    assert ask(target, both).last("refused") == "lockout"
    assert holds(ask(target, CUT, ends=(KEPT.id,))) == {CUT.id: True}
    assert target.ask("remove")[1].last("refused") == "emergency"
    assert target.ask("remove", {"force": "1"})[1].last("state") == "none"
    assert sessions.open(*sorted(ALL)) == ALL


def test_a_plan_with_another_control_path_opens_it_beside_what_is_cut_off(target: LoneTarget) -> None:
    ask(target, CUT)
    before = target.ask("status")[1].sections["emergency_kernel"]
    target.apply(target.plan(OPEN))
    after = target.ask("status")[1].sections["emergency_kernel"]
    assert (CONTROLLER[1] in before, CONTROLLER[1] in after) == (False, True)


def test_networks_of_the_link_itself_are_cut_off_and_neighbours_are_still_found(
    target: LoneTarget, sessions: Sessions
) -> None:
    # the target looks for its neighbour, by an address of all
    link = Emergency("q-00000003", "quarantine", NOW, remote=("fe80::/10", "ff00::/8", "169.254.0.0/16"))
    address = link_local(sessions)
    # whose address of the link is still looked at for a twin talks by another one, which nothing cuts here
    for kernel in (sessions.target, sessions.peer):
        wait_until(lambda kernel=kernel: kernel.run("ip", "-6", "addr", "show", "dev", "link0", "tentative") == "", 10)
    assert holds(ask(target, link)) == {link.id: True}
    assert answers(sessions.target, PEER[1])
    assert not answers(sessions.peer, f"{address}%link0")
    assert holds(ask(target, ends=(link.id,))) == {}
    assert answers(sessions.peer, f"{address}%link0")


def link_local(sessions: Sessions) -> str:
    """Return the target's address of the link."""
    shown = json.loads(sessions.target.run("ip", "-6", "-j", "addr", "show", "dev", "link0", "scope", "link"))
    return next(one["local"] for link in shown for one in link.get("addr_info", ()) if "local" in one)


def answers(kernel: Kernel, address: str) -> bool:
    """Whether an address answers a TCP connection, be it by a refusal, to a kernel that knows no neighbour yet."""
    kernel.run("ip", "-6", "neigh", "flush", "dev", "link0")
    knock = f"import socket; socket.create_connection(('{address}', 7000), 2)"
    done = subprocess.run(
        [*kernel.entered, sys.executable, "-I", "-c", knock], capture_output=True, text=True, check=False
    )
    return done.returncode == 0 or "Refused" in done.stderr


def test_check_mode_changes_nothing_and_reports_what_would(target: LoneTarget, sessions: Sessions) -> None:
    def run(state: str, *, check: bool) -> dict:
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(check_mode=check, diff=True)
        action._ask = lambda values, lines: target.ask("emergency", values, lines.encode())[1]
        given = format([CUT]) if state == "present" else CUT.id
        arguments = {"emergency": given, "state": state, "control": {}, "approval": {}}
        return action.carry_out(arguments, {"inventory_hostname": "h"})

    def there() -> tuple[list[Path], list[str]]:
        files = [one for one in target.place.rglob("*") if one.parent.name != "work"]
        # without counters: neighbours look for each other whenever they like
        return sorted(files), sessions.target.run("nft", "--stateless", "list", "ruleset").splitlines()

    for state, before, after in (("present", "", format([CUT])), ("absent", format([CUT]), "")):
        stood = there()
        result = run(state, check=True)
        assert (result["changed"], result["diff"]) == (True, {"before": before, "after": after})
        assert there() == stood
        assert run(state, check=False)["changed"]
        for check in (True, False):
            result = run(state, check=check)
            assert (result["changed"], result["diff"]) == (False, {"before": after, "after": after})
        if state == "present":
            # as after somebody flushed all
            sessions.target.run("nft", "flush", "ruleset")
            assert run(state, check=True)["changed"]
            result = run(state, check=False)
            assert (result["changed"], result.get("failed")) == (True, None)


def test_of_two_quarantines_over_one_host_the_other_stands_when_one_is_released(
    target: LoneTarget, sessions: Sessions
) -> None:
    assert sessions.open(*sorted(ALL)) == ALL
    ask(target, CUT)
    assert holds(ask(target, ALONE)) == {CUT.id: True, ALONE.id: True}
    for _ in range(2):  # a release that is repeated changes nothing
        assert holds(ask(target, ends=(CUT.id,))) == {ALONE.id: True}
        assert sessions.alive() == frozenset()
    assert holds(ask(target, ends=(ALONE.id,))) == {}
    assert sessions.open(*sorted(ALL)) == ALL


def test_a_permission_lets_through_until_it_ends_and_its_sessions_end_with_it(
    target: LoneTarget, sessions: Sessions
) -> None:
    plan = target.enforce(CLOSED)
    assert sessions.open(*sorted(ALL)) == frozenset()
    grants = (Grant("in", 6, PEER, ((7000, 7000),)), Grant("in", 17, PEER), Grant("in", 1, PEER, ((8, 8),)))
    now = int(time.time())
    allowed = Emergency("p-0123abcd", "permission", now, now + 600, "ann", "to look", grants=grants)
    reply = ask(target, allowed)
    assert holds(reply) == {allowed.id: True}
    four = ALL - {"icmp6"}
    assert sessions.open(*sorted(ALL)) == four
    told = verify(plan, plan.host("h"), target.ask("status", {"listing": "1"})[1])
    assert told["drift"] == []
    assert [(one["id"], one["why"], one["held"]) for one in told["held"]["emergency"]] == [
        (allowed.id, "to look", True)
    ]
    # a table that is swapped in lets the same through
    target.enforce(Wanted(allow={None: (2,)}))
    assert sessions.alive() == four
    assert ask(target, CUT).last("state") == "held"
    assert sessions.alive() == frozenset()
    ask(target, ends=(CUT.id,))
    assert sessions.open(*sorted(ALL)) == four
    soon = int(time.time()) + 6
    short = Emergency("p-0123abcd", "permission", soon - 100, soon, grants=grants)
    ask(target, short)
    assert sessions.alive() == four
    # nobody does anything: the kernel does, which counts from when it was told
    wait_until(lambda: sessions.alive() == frozenset(), 20)
    assert time.time() >= soon - 1
    assert sessions.open(*sorted(ALL)) == frozenset()
    assert held(target.ask("status")[1])["emergency"] == []


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_hours_off_ends_nothing_early_and_keeps_nothing(
    target: LoneTarget, sessions: Sessions, hours: int
) -> None:
    before = target.stand_ins

    def clock(off: int) -> None:
        off_by = f'if [ "$*" = +%s ]; then echo $(($(command date +%s) + {off})); else command date "$@"; fi'
        target.stand_ins = before + f"date() {{ {off_by}; }}\n"

    clock(hours * 3600)
    target.enforce(CLOSED)
    grants = (Grant("in", 6, PEER, ((7000, 7000),)),)
    now = int(time.time())
    allowed = Emergency("p-0123abcd", "permission", now, now + 600, grants=grants)
    reply = ask(target, allowed, now=str(now))
    assert holds(reply) == {allowed.id: True}
    side = "ahead of" if hours > 0 else "behind"
    assert f"this host's clock is 5 hours {side} the controller" in " ".join(reply.all("warning"))
    if target.enforcer == "iptables":
        # the kernel's own clock is not off here: what it is told is in the words of one that is
        (stop, *_) = re.findall(r"--datestop (\S+)", sessions.target.run("iptables-save", "-t", "mangle"))
        off = datetime.fromisoformat(f"{stop}+00:00").timestamp() - allowed.ends - hours * 3600
        assert -1 <= off <= 60  # the order was on its way for a while
        clock(-hours * 3600)
        assert "was set since" in " ".join(target.ask("status")[1].all("warning"))
        return
    assert sessions.open("tcp4") == {"tcp4"}
    # whoever loads it again knows what time it is, also where the clock is set in the middle
    for off in (hours * 3600, -hours * 3600, 0):
        clock(off)
        assert target.ask("hold")[0] == 0
        assert holds(target.ask("status")[1]) == {allowed.id: True}
        assert sessions.alive() == {"tcp4"}
    soon = int(time.time()) + 6
    clock(hours * 3600)
    ask(target, Emergency("p-0123abcd", "permission", soon - 100, soon, grants=grants), now=str(int(time.time())))
    clock(-86400)
    wait_until(lambda: sessions.alive() == frozenset(), 20)
    assert time.time() >= soon - 1
    assert target.ask("hold")[0] == 0
    assert sessions.open("tcp4") == frozenset()
    # a host that has signers of its own goes by its own clock: nobody tells it that an approval has not ended
    (target.place / "allowed_signers").write_text("")
    assert ask(target, CUT, now=str(now)).all("warning") == []


@pytest.mark.parametrize(
    "at", ["keep_emergency", "load_emergency_by", "keep_clock", "persist_emergency", "tell_emergency"]
)
@pytest.mark.parametrize("ending", [False, True])
def test_wherever_a_command_is_killed_the_state_tells_the_truth_and_the_next_brings_what_is_asked(
    target: LoneTarget, sessions: Sessions, at: str, ending: bool
) -> None:
    target.enforce(OPEN)
    if ending:
        ask(target, CUT)
    before = target.stand_ins
    target.stand_ins = before + f"{at}() {{ kill -9 $$; }}\n"
    given = ([], [CUT.id]) if ending else ([CUT], [])
    assert target.ask("emergency", {}, emergency_order(format(given[0]), given[1]).encode())[0] == -9
    target.stand_ins = before
    # what is told is what the kernel does
    found = read_emergencies(target.ask("status")[1])
    said = {entry.id for entry, is_held in zip(found.entries, found.held, strict=True) if is_held}
    cut = sessions.open(*sorted(ALL)) == frozenset()
    assert cut == (said == {CUT.id} or (not found.entries and found.drift != ()))
    for _ in range(2):
        assert holds(ask(target, *given[0], ends=tuple(given[1]))) == ({} if ending else {CUT.id: True})
    assert sessions.open(*sorted(ALL)) == (ALL if ending else frozenset())


@pytest.mark.parametrize("words", ["089 089 089 x", f"{'9' * 30} 1 1 x"])
def test_what_is_kept_is_cut_off_whatever_stands_in_the_file_of_the_clock(
    target: LoneTarget, sessions: Sessions, words: str
) -> None:
    assert holds(ask(target, CUT, now=str(NOW))) == {CUT.id: True}
    (target.state / "emergency.clock").write_text(f"{words}\n")
    (target.memory / "emergency.skew").write_text(f"{words}\n")
    sessions.target.run("sh", "-c", "nft flush ruleset; for f in '' 6; do iptables-legacy -F; done; true")
    status, _, errors = target.ask("hold")
    assert (status, errors) == (0, "")
    assert holds(target.ask("status")[1]) == {CUT.id: True}
    assert sessions.open(*sorted(ALL)) == frozenset()


def test_what_somebody_changes_by_hand_is_told_with_the_id(target: LoneTarget, sessions: Sessions) -> None:
    ask(target, CUT, ALONE)
    if target.enforcer == "nftables":
        sessions.target.nft("delete", "element", "inet", "ringfence_emergency", "q_0123abcd_4", f"{{ {PEER[0]} }}")
        sessions.target.nft("add", "rule", "inet", "ringfence_emergency", "input", "accept")
    else:
        sessions.target.run("iptables", "-t", "mangle", "-D", "rfe_in", "-s", PEER[0], "-j", "DROP")
        sessions.target.run("iptables", "-t", "mangle", "-I", "rfe_in", "-j", "ACCEPT")
    found = read_emergencies(target.ask("status")[1])
    assert dict(zip((one.id for one in found.entries), found.held, strict=True)) == {CUT.id: False, ALONE.id: True}
    assert any(one.startswith(f"{CUT.id}: ") for one in found.drift)
    assert any("accept" in one.lower() for one in found.drift)
    # what is put again is all there again, and the state tells the truth
    assert holds(ask(target, CUT)) == {CUT.id: True, ALONE.id: True}


def test_who_is_killed_in_the_middle_leaves_a_state_that_tells_the_truth(
    target: LoneTarget, sessions: Sessions
) -> None:
    target.enforce(OPEN)
    assert sessions.open(*sorted(ALL)) == ALL
    before = target.stand_ins
    target.stand_ins = before + "load_emergency_by() { kill -9 $$; }\n"
    target.ask("emergency", {}, emergency_order(format([CUT]), []).encode())
    target.stand_ins = before
    found = read_emergencies(target.ask("status")[1])
    assert [(one.id, it) for one, it in zip(found.entries, found.held, strict=True)] == [(CUT.id, False)]
    assert sessions.alive() == ALL
    assert ask(target, CUT).last("state") == "held"
    # an apply that is killed behind its swap, and goes back
    target.stand_ins = before + "destroy_cut() { kill -9 $$; }\n"
    target.ask("apply", {**target.values(plan := target.plan(CLOSED)), "seconds": "60"}, ruleset_of(target, plan))
    target.stand_ins = before
    assert target.ask("status")[1].last("pending")
    assert sessions.alive() == frozenset()
    assert target.ask("rollback")[1].last("state") == "restored"
    assert sessions.alive() == frozenset()
    assert holds(ask(target, ends=(CUT.id,))) == {}
    assert sessions.open(*sorted(ALL)) == ALL


def ruleset_of(target: LoneTarget, plan: Plan) -> bytes:
    return plan.ruleset(plan.host("h").ruleset, enforcement(target.enforcer).SUFFIX)


def test_a_tool_that_says_yes_and_does_nothing_has_released_nothing(target: LoneTarget, sessions: Sessions) -> None:
    truthful = target.stand_ins

    def told(*put: Emergency, ends: tuple[str, ...] = (), lies: bool = False) -> list[str]:
        target.stand_ins = f"{truthful}{LIES if lies else ''}"
        return unlike_told(read_emergencies(ask(target, *put, ends=ends)), format(put), list(ends))

    assert told(CUT, lies=True)[0].startswith(f"{CUT.id}: the kernel does not hold it")
    assert told(CUT) == []
    (first, *_) = told(ends=(CUT.id,), lies=True)
    assert f"{CUT.id}: the kernel has the set" in first or "which is not kept" in first
    assert told(ends=(CUT.id,)) == []
    assert sessions.open(*sorted(ALL)) == ALL


def test_an_order_for_another_name_of_the_host_does_not_end_its_isolation(
    target: LoneTarget, sessions: Sessions
) -> None:
    as_peer = Emergency(ALONE.id, "quarantine", NOW, remote=PEER)
    assert holds(ask(target, as_peer)) == {ALONE.id: True}
    for again in (ALONE, KEPT, ALONE):  # what isolates may keep others than before
        assert holds(ask(target, again)) == {ALONE.id: True}
    refused = ask(target, as_peer)
    assert refused.last("refused") == "emergency"
    assert "under another name of the inventory" in refused.last("reason")
    target_status = target.ask("status", {"listing": "1"})[1]
    assert [entry.isolates for entry in read_emergencies(target_status).entries] == [True]
    assert holds(ask(target, ends=(ALONE.id,))) == {}


def test_what_was_cut_short_or_is_none_of_ours_changes_nothing(target: LoneTarget) -> None:
    ask(target, CUT)
    whole = emergency_order(format([ALONE]), []).encode()
    for broken in (whole[:-8], whole.replace(b"all", b"$(reboot)"), whole.replace(b"element", b"elements"), b""):
        assert target.ask("emergency", {}, broken)[1].last("refused") == "input"
    assert holds(target.ask("status")[1]) == {CUT.id: True}
