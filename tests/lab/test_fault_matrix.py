"""Whatever fails on a target, and whenever: it ends with the old or the new table, whole, or open and says so.

Each test is a fault at a moment, for one enforcer on several machines at once: nftables on Debian 11, 12 and 13,
iptables on Debian 11 in both variants. `verify` speaks from the same replies as ever; the kernel is read beside it, so
that nothing is believed that is not so. What befalls a disk or a link meets the same code with every enforcer, so with
iptables only what befalls its programs, in each moment, and what a boot finds on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from ringfence.lab.spec import RELEASES, HostSpec

from tests.lab.faults import (
    BETWEEN,
    CUT_AT_BOOT,
    DISK_FULL,
    LINK_CUT,
    READ_ONLY,
    STATE_DELETED,
    Fault,
    Machine,
    failing,
    killed_by,
)
from tests.lab.rollouts import wait_until
from tests.lab_fixtures import echo_unit, standing
from tests.rollout_plans import OneUnitOut, Wanted

pytestmark = [pytest.mark.lab, pytest.mark.machines]
TOOL_FAILS = failing()
FAULTS: dict[str, Fault | None] = {
    "the disk is full": DISK_FULL,
    "the disk is read-only": READ_ONLY,
    "the tool fails": TOOL_FAILS,
    "it is killed": None,
    "it is rebooted": None,
    "the state is deleted": STATE_DELETED,
    "the link is cut": LINK_CUT,
    "the second family fails": failing(BETWEEN),
    "the sets fail": failing("ipset_*"),
}
HALVES = ("the second family fails", "the sets fail")


def cells(*differ: str) -> pytest.MarkDecorator:
    """Run a test for every fault with nftables, and for those whose code differs with iptables."""
    usual = [("nftables", fault) for fault in FAULTS if fault not in HALVES]
    return pytest.mark.parametrize(("enforcer", "fault"), [*usual, *(("iptables", fault) for fault in differ)])


Estates = Callable[[str], list[Machine]]
UNITS_IN = Wanted(allow={"echo.service": (7000,)}), Wanted(allow={"echo.service": (7001,), None: (1,)})
UNITS_OUT = OneUnitOut(), OneUnitOut(allow={None: (1,)})


@pytest.fixture(scope="module")
def estates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estates]:
    """The machines of an enforcer, with a disk for the state and programs that can fail; raised when first needed."""
    raised: dict[str, list[Machine]] = {}

    def of(enforcer: str) -> list[Machine]:
        if enforcer not in raised:
            raised[enforcer] = raise_machines(enforcer, tmp_path_factory, labs)
            everywhere(raised[enforcer], Machine.prepare)
        return raised[enforcer]

    with ExitStack() as labs:
        yield of


def raise_machines(enforcer: str, directories: pytest.TempPathFactory, labs: ExitStack) -> list[Machine]:
    """Return the machines of a new lab, each with what it shall hold."""
    releases = (
        dict.fromkeys(("legacy", "nft"), "bullseye") if enforcer == "iptables" else {one: one for one in RELEASES}
    )
    hosts = [HostSpec(name, release=release, units=(echo_unit(),)) for name, release in releases.items()]
    lab = labs.enter_context(standing(directories.mktemp(enforcer) / "lab", hosts, "machines"))
    made = []
    for host in hosts:
        wanted = UNITS_OUT if enforcer == "iptables" else UNITS_IN
        if enforcer == "nftables" and host.release == "bullseye":
            # its nft 0.9.8 cannot match units
            wanted = Wanted(), Wanted(allow={None: (1,)})
        variant = host.name if enforcer == "iptables" else ""
        made.append(Machine(lab, host.name, directories.mktemp("plans"), *wanted, enforcer, variant))
    return made


@pytest.fixture
def enforced(estates: Estates, enforcer: str) -> Iterator[list[Machine]]:
    """The machines with the old table confirmed and proven, and the new plan at hand."""
    hosts = estates(enforcer)
    everywhere(hosts, hold_the_old_table)
    yield hosts
    everywhere(hosts, put_right)


def everywhere(machines: list[Machine], act: Callable[[Machine], object]) -> None:
    """Do this on all at once."""
    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(act, machines))


def put_right(machine: Machine) -> None:
    for fault in (TOOL_FAILS, DISK_FULL, READ_ONLY, LINK_CUT):
        fault.end(machine)


def hold_the_old_table(machine: Machine) -> None:
    """Bring a machine to the old plan by plans alone, whatever state the last test left: no state has no way out."""
    reply = machine.status()
    if "old" not in machine.plans or machine.in_kernel() != "old" or machine.proof("old", reply):
        machine.plan("old", reply.last("ruleset"))
        applied = machine.apply("old", 20, renew=True)
        if applied.last("state") != "confirmed":
            assert applied.last("state") == "waiting", applied.values
            confirmed = machine.confirm("old")
            assert confirmed.last("state") == "confirmed", confirmed.values
        reply = machine.status()
        assert machine.proof("old", reply) == []
    machine.plan("new", reply.last("ruleset"))


def ends_well(machine: Machine, *, ends: tuple[str, ...]) -> None:
    """Assert that the kernel has one of these tables whole, or `open`, and that verify says exactly that."""
    reply, has = machine.settled_honestly()
    assert (has or "open") in ends, (machine.name, has, reply.values)
    if has:
        said = machine.proof(has, reply)
        # a state that was deleted cannot tell what the kernel has, and says that
        assert said == [] or any(sentence.startswith("unknown: ") for sentence in said), said
        return
    said = machine.proof("old", reply)
    assert any("open" in sentence for sentence in said), said


def with_fault(fault: str, killed: str) -> Fault:
    """Return a fault by name; what kills or reboots begins where a program is called so."""
    return FAULTS[fault] or killed_by(killed)


@cells("the tool fails", "it is killed", "it is rebooted", *HALVES)
def test_before_the_swap(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        chosen = with_fault(fault, machine.tools.swap)
        chosen.begin(machine)
        assert machine.apply("new", 3).last("state") != "waiting"
        machine.honest()
        if fault == "it is rebooted":
            machine.boot()
        chosen.end(machine)
        ends_well(machine, ends=("old",))

    everywhere(enforced, fails)


@cells("the tool fails", "it is killed", "the state is deleted")
def test_in_the_window(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 120)
        assert applied.last("state") == "waiting", applied.values
        if fault == "it is rebooted":
            machine.boot()
        elif fault == "it is killed":
            machine.sh("systemctl stop 'ringfence-return-*.timer'")
            assert any(
                "its scheduled rollback is gone" in sentence for sentence in machine.proof("old", machine.status())
            )
            assert machine.rollback().last("state") == "restored"
        else:
            chosen = with_fault(fault, "")
            chosen.begin(machine)
            machine.honest()
            if fault != "the tool fails":
                assert any(
                    "is waiting for confirmation" in sentence for sentence in machine.proof("old", machine.status())
                )
            machine.time_out(applied)
            if fault != "the tool fails":
                machine.settled()
            chosen.end(machine)
        ends_well(machine, ends=("old",))

    everywhere(enforced, fails)


@cells("the tool fails", "it is killed")
def test_at_the_confirmation(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 4)
        assert applied.last("state") == "waiting", applied.values
        chosen = with_fault(fault, machine.tools.confirm)
        chosen.begin(machine)
        confirmed = machine.confirm("new").last("state") == "confirmed"
        machine.honest()
        if fault == "it is rebooted":
            machine.boot()
        chosen.end(machine)
        ends_well(machine, ends=("new",) if confirmed else ("old",))

    everywhere(enforced, fails)


@cells("the tool fails", "it is killed", "it is rebooted", *HALVES)
def test_at_the_return(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 120)
        assert applied.last("state") == "waiting", applied.values
        # its timer is not waited for: it would end before the fault begins, or long after
        chosen = TOOL_FAILS if fault == "it is rebooted" else with_fault(fault, machine.tools.load)
        chosen.begin(machine)
        machine.time_out(applied)
        if machine.fault:
            wait_until(machine.called)
        machine.honest()
        if fault in ("the tool fails", "it is rebooted"):
            assert machine.in_kernel() == "new"
            assert any(sentence.startswith("unknown: ") for sentence in machine.proof("old", machine.status()))
        if fault == "it is rebooted":
            chosen.end(machine)
            machine.boot()
        if fault not in ("the tool fails", "it is rebooted", *HALVES):
            machine.settled()
        chosen.end(machine)
        ends_well(machine, ends=("old",))
        assert machine.in_kernel() == "old"

    everywhere(enforced, fails)


@cells("the tool fails", "it is killed", "it is rebooted", "the disk is read-only", "the state is deleted", *HALVES)
def test_at_boot(enforced: list[Machine], fault: str) -> None:
    comes_back = fault not in ("the tool fails", "the state is deleted", *HALVES)

    def fails(machine: Machine) -> None:
        if fault == "the link is cut":
            machine.sh("cat >/etc/systemd/system/cut.service; systemctl enable cut.service", CUT_AT_BOOT)
            machine.boot(answers=False)
            machine.sh("systemctl disable cut.service; rm /etc/systemd/system/cut.service; systemctl daemon-reload")
        elif fault == "it is rebooted":
            machine.boot()
        else:
            chosen = with_fault(fault, machine.tools.load)
            chosen.begin(machine)
            machine.boot()
        active = machine.sh("systemctl is-active ringfence.service").strip()
        assert (active == "active") == comes_back, (machine.name, active)
        machine.honest()
        put_right(machine)
        ends_well(machine, ends=("old",) if comes_back else ("open",))

    everywhere(enforced, fails)
