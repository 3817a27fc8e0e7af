"""Rollouts in waves on hosts without systemd: the journal guards, a killed controller leaves whole states."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from ringfence.lab.session import Lab

from tests.lab.rollouts import ECHO, Rollouts, Wanted, wait_until

pytestmark = pytest.mark.lab
HOSTS = ("n1", "n2", "n3", "n4")
OPEN = Wanted()
CLOSED = Wanted(allow={None: (1,)})
ELSEWHERE = Wanted(control=("192.0.2.0/24",))
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def rollouts(namespaces: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    one = Rollouts(namespaces, tmp_path)
    yield one
    one.clear()
    for host in HOSTS:
        assert one.remains(host) == ""


def states(rollouts: Rollouts, plan: Path, **options: object) -> dict[str, str]:
    return {name: host.state for name, host in rollouts.roll_out(plan, **options).hosts.items()}  # type: ignore[arg-type]


def test_a_refused_canary_stops_the_rest(rollouts: Rollouts) -> None:
    hosts = {"n1": ELSEWHERE, "n2": CLOSED, "n3": CLOSED}
    plan = rollouts.plan(hosts, waves=[["n1"], ["n2", "n3"]])
    assert states(rollouts, plan) == {"n1": "refused"}
    assert rollouts.remains("n2") == rollouts.remains("n3") == ""


def test_an_unreachable_canary_stops_the_rest(rollouts: Rollouts) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=[["n1"], ["n2", "n3"]])
    rollouts.lab.switch_off("n1")
    try:
        assert states(rollouts, plan) == {"n1": "unreachable"}
    finally:
        rollouts.lab.switch_on("n1")
    assert rollouts.remains("n2") == rollouts.remains("n3") == ""


def test_an_excused_host_that_fails_holds_nobody_up(rollouts: Rollouts) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=[["n1"], ["n2"], ["n3"]])
    rollouts.lab.switch_off("n1")
    try:
        done = rollouts.roll_out(plan, excused=["n1"])
    finally:
        rollouts.lab.switch_on("n1")

    assert {name: host.state for name, host in done.hosts.items()} == {
        "n1": "unreachable",
        "n2": "confirmed",
        "n3": "confirmed",
    }
    assert not done.ok
    assert not done.hosts["n1"].ok
    assert states(rollouts, plan) == dict.fromkeys(HOSTS[:3], "confirmed")


def test_a_later_wave_is_refused_by_the_journal_until_the_one_before_is_confirmed_or_excused(
    rollouts: Rollouts,
) -> None:
    plan = rollouts.plan(dict.fromkeys(HOSTS[:3], CLOSED), waves=[["n1"], ["n2", "n3"]])
    alone = rollouts.play("rollout", plan, limit=["n2"])
    assert alone.hosts["n2"].result["rule"] == "wave"
    assert "n1 (not begun)" in alone.hosts["n2"].reason
    excused = rollouts.play("rollout", plan, limit=["n2"], excused=["n1"])
    assert excused.hosts["n2"].state == "confirmed"
    assert states(rollouts, plan) == dict.fromkeys(HOSTS[:3], "confirmed")
    journal = (plan / "journal.jsonl").read_text()
    assert '"event": "excused", "host": "n1"' in journal


def test_a_lockout_is_undone_by_a_detached_process_where_there_is_no_systemd(rollouts: Rollouts) -> None:
    first = rollouts.hold({"n1": OPEN})
    assert states(rollouts, rollouts.plan({"n1": ELSEWHERE}), force_lockout_test=True, confirm_within=4) == {
        "n1": "rolled back"
    }
    rollouts.answers("n1", 22)
    assert rollouts.playbook_drift(first) == {}


# What a run has come to when its controller is killed, told by the plan's journal and by the hosts; the first at once.
STEPS: dict[str, Callable[[Rollouts, Path], bool]] = {
    "nothing has begun": lambda _rollouts, _plan: True,
    "a host has begun": lambda _rollouts, plan: "started" in events(plan),
    "a host waits": lambda rollouts, _plan: any(waits(rollouts, host) for host in HOSTS),
    "a host has confirmed": lambda _rollouts, plan: "confirmed" in events(plan),
}


def events(plan: Path) -> list[str]:
    """Return the events of the plan's journal whose lines are written."""
    path = plan / "journal.jsonl"
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    return [json.loads(line)["event"] for line in lines]


def waits(rollouts: Rollouts, host: str) -> bool:
    """Return whether a table waits for its confirmation."""
    return rollouts.sh(host, "test -s /run/ringfence/pending || test -s /var/lib/ringfence/pending; echo $?") == "0\n"


def settled(rollouts: Rollouts) -> None:
    """Return when no host carries out an order any more, and none waits, in six looks one after the other.

    What was under way on a host goes on without its controller, and goes back; what was only sent begins late.
    """
    quiet = 0

    def still() -> bool:
        nonlocal quiet
        busy = any(rollouts.sh(host, "pgrep -fx '/bin/sh -s'") or waits(rollouts, host) for host in HOSTS)
        quiet = 0 if busy else quiet + 1
        return quiet == 6

    wait_until(still, every=0.4)


def drifts_when_settled(rollouts: Rollouts, *plans: Path) -> list[dict[str, list[str]]]:
    """Return what differs from some plans, read while nothing went on: no order began before the last was read."""
    while True:
        settled(rollouts)
        found = [rollouts.drift(plan) for plan in plans]
        if not any(waits(rollouts, host) for host in HOSTS) and "waiting for confirmation" not in str(found):
            return found


def test_a_controller_killed_at_any_step_leaves_every_host_in_the_old_or_the_new_state_whole(
    rollouts: Rollouts,
) -> None:
    plan = rollouts.hold(dict.fromkeys(HOSTS, OPEN))
    wanted = CLOSED
    for step, come in STEPS.items():
        before, plan = plan, rollouts.plan(dict.fromkeys(HOSTS, wanted))
        killed(rollouts, plan, come)
        new, old = drifts_when_settled(rollouts, plan, before)
        assert {host for host in HOSTS if host in new} == {host for host in HOSTS if host not in old}, (step, new, old)
        assert set(new) != set(HOSTS) or "confirmed" not in events(plan), (step, new)
        # what did go through is what the next plan follows from
        for host in HOSTS:
            rollouts.held[host] = rollouts.ask(host, "status", rollouts.enforcer).last("ruleset")
        if new:
            plan = rollouts.hold(dict.fromkeys(HOSTS, wanted))
        wanted = OPEN if wanted is CLOSED else CLOSED


def killed(rollouts: Rollouts, plan: Path, come: Callable[[Rollouts, Path], bool]) -> None:
    """Roll a plan out, and kill the controller when it has come to a step."""
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(rollouts.lab.inventory_path)]
    variables = [f"ringfence_plan={plan}", "ringfence_confirm_within=15"]
    command += ["ringfence.core.rollout", *(word for variable in variables for word in ("-e", variable))]
    run = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY, start_new_session=True
    )
    wait_until(lambda: come(rollouts, plan) or run.poll() is not None, every=0.02)
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def test_of_two_controllers_at_once_one_wins_each_host_whole_and_the_other_says_why(
    rollouts: Rollouts, tmp_path: Path
) -> None:
    rollouts.hold(dict.fromkeys(HOSTS, OPEN))
    other = Rollouts(rollouts.lab, tmp_path / "other", rollouts.sequence, dict(rollouts.held))
    other.directory.mkdir()
    plans = [(rollouts, rollouts.plan(dict.fromkeys(HOSTS, CLOSED)))]
    plans.append((other, other.plan(dict.fromkeys(HOSTS, Wanted(allow={None: (ECHO,)})))))

    with ThreadPoolExecutor() as at_once:
        results = list(at_once.map(lambda one: one[0].roll_out(one[1]).hosts, plans))

    proven = [{host for host in HOSTS if host not in mine.drift(plan)} for mine, plan in plans]
    for host in HOSTS:
        winners = [number for number in (0, 1) if host in proven[number]]
        assert len(winners) == 1, f"{host} holds neither plan, or a mixture: {results}"
        lost = results[1 - winners[0]].get(host)  # none where an earlier wave had lost
        assert lost is None or lost.state == "refused", lost
        assert lost is None or lost.result["rule"] in ("busy", "sequence", "expects", "wave"), lost
        assert lost is None or lost.reason
