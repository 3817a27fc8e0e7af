"""Whatever fails on a target, and whenever: it ends with the old or the new table, whole, or open and says so.

Each test is a fault at a moment, on Debian 11, 12 and 13 at once. `verify` speaks from the same replies as ever; the
kernel is read beside it, so that nothing is believed that is not so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ringfence.lab.session import Lab

from tests.lab.faults import (
    CUT_AT_BOOT,
    DISK_FULL,
    LINK_CUT,
    NFT_FAILS,
    READ_ONLY,
    STATE_DELETED,
    Fault,
    Machine,
    killed_by,
    pause,
)
from tests.rollout_plans import Wanted

pytestmark = [pytest.mark.lab, pytest.mark.machines]
# nft 0.9.8 of bullseye cannot match units.
UNITS = {"bullseye": False, "bookworm": True, "trixie": True}
# How the boot unit has ended: ssh may answer while it still reads the kernel back.
SETTLED = """
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    state=$(systemctl is-active ringfence.service)
    [ "$state" = activating ] || break
    sleep 0.5
done
echo "$state"
"""
FAULTS: dict[str, Fault | None] = {
    "the disk is full": DISK_FULL,
    "the disk is read-only": READ_ONLY,
    "nft fails": NFT_FAILS,
    "it is killed": None,
    "it is rebooted": None,
    "the state is deleted": STATE_DELETED,
    "the link is cut": LINK_CUT,
}


def old(machine: Machine) -> Wanted:
    return Wanted(allow={"echo.service": (7000,)}) if machine.units else Wanted()


def new(machine: Machine) -> Wanted:
    return Wanted(allow={"echo.service": (7001,), None: (1,)}) if machine.units else Wanted(allow={None: (1,)})


@pytest.fixture(scope="module")
def hosts(machines: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[Machine]:
    """The three machines, with a disk for the state and an nft that can fail."""
    made = [Machine(machines, name, tmp_path_factory.mktemp("plans"), units) for name, units in UNITS.items()]
    everywhere(made, Machine.prepare)
    return made


@pytest.fixture
def enforced(hosts: list[Machine]) -> Iterator[list[Machine]]:
    """The machines with the old table confirmed and proven, and the new plan at hand."""
    everywhere(hosts, hold_the_old_table)
    yield hosts
    everywhere(hosts, put_right)


def everywhere(machines: list[Machine], act: Callable[[Machine], object]) -> None:
    """Do this on all at once."""
    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(act, machines))


def put_right(machine: Machine) -> None:
    for fault in (NFT_FAILS, DISK_FULL, READ_ONLY, LINK_CUT):
        fault.end(machine)


def hold_the_old_table(machine: Machine) -> None:
    """Bring a machine to the old plan by plans alone, whatever state the last test left: no state has no way out."""
    if "old" not in machine.plans or machine.in_kernel() != "old" or machine.proof("old", machine.status()):
        machine.plan("old", old(machine), machine.status().last("ruleset"))
        applied = machine.apply("old", 20, renew=True)
        if applied.last("state") != "confirmed":
            assert applied.last("state") == "waiting", applied.values
            confirmed = machine.confirm("old")
            assert confirmed.last("state") == "confirmed", confirmed.values
        assert machine.proof("old", machine.status()) == []
    machine.plan("new", new(machine), machine.status().last("ruleset"))


def ends_well(machine: Machine, *, ends: tuple[str, ...]) -> None:
    """Assert that the kernel has one of these tables whole, or `open`, and that verify says exactly that."""
    machine.settled()
    reply, has = machine.status(), machine.in_kernel()
    assert (has or "open") in ends, (machine.name, has, reply.values)
    machine.honest()
    if has:
        said = machine.proof(has, reply)
        # a state that was deleted cannot tell what the kernel has, and says that
        assert said == [] or any(sentence.startswith("unknown: ") for sentence in said), said
        return
    said = machine.proof("old", reply)
    assert any("open" in sentence for sentence in said), said


def with_fault(fault: str, killed: str) -> Fault:
    """Return a fault by name; what kills or reboots begins where nft is called so."""
    return FAULTS[fault] or killed_by(killed)


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_swap(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        chosen = with_fault(fault, "-f_*swap.nft")
        chosen.begin(machine)
        assert machine.apply("new", 3).last("state") != "waiting"
        machine.honest()
        if fault == "it is rebooted":
            machine.boot()
        chosen.end(machine)
        ends_well(machine, ends=("old",))

    everywhere(enforced, fails)


@pytest.mark.parametrize("fault", FAULTS)
def test_in_the_window(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 4)
        assert applied.last("state") == "waiting", applied.values
        if fault == "it is rebooted":
            machine.boot()
        elif fault == "it is killed":
            machine.sh("systemctl stop 'ringfence-return-*.timer'")
            assert any("its way back is gone" in sentence for sentence in machine.proof("old", machine.status()))
            assert machine.rollback().last("state") == "restored"
        else:
            chosen = with_fault(fault, "")
            chosen.begin(machine)
            machine.honest()
            if fault != "nft fails":
                assert any("waits" in sentence for sentence in machine.proof("old", machine.status()))
                machine.settled()
            chosen.end(machine)
        ends_well(machine, ends=("old",))

    everywhere(enforced, fails)


@pytest.mark.parametrize("fault", FAULTS)
def test_at_the_confirmation(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 4)
        assert applied.last("state") == "waiting", applied.values
        chosen = with_fault(fault, "list_chain_*")
        chosen.begin(machine)
        confirmed = machine.confirm("new").last("state") == "confirmed"
        machine.honest()
        if fault == "it is rebooted":
            machine.boot()
        chosen.end(machine)
        ends_well(machine, ends=("new",) if confirmed else ("old",))

    everywhere(enforced, fails)


@pytest.mark.parametrize("fault", FAULTS)
def test_at_the_return(enforced: list[Machine], fault: str) -> None:
    def fails(machine: Machine) -> None:
        applied = machine.apply("new", 2)
        assert applied.last("state") == "waiting", applied.values
        chosen = NFT_FAILS if fault == "it is rebooted" else with_fault(fault, "-f_*")
        chosen.begin(machine)
        pause(2)
        machine.honest()
        if fault in ("nft fails", "it is rebooted"):
            assert machine.in_kernel() == "new"
            assert any(sentence.startswith("unknown: ") for sentence in machine.proof("old", machine.status()))
        if fault == "it is rebooted":
            chosen.end(machine)
            machine.boot()
        if fault not in ("nft fails", "it is rebooted"):
            machine.settled()
        chosen.end(machine)
        ends_well(machine, ends=("old",))
        assert machine.in_kernel() == "old"

    everywhere(enforced, fails)


@pytest.mark.parametrize("fault", FAULTS)
def test_at_boot(enforced: list[Machine], fault: str) -> None:
    comes_back = fault in ("the disk is full", "the disk is read-only", "it is rebooted", "the link is cut")

    def fails(machine: Machine) -> None:
        if fault == "the link is cut":
            machine.sh("cat >/etc/systemd/system/cut.service; systemctl enable cut.service", CUT_AT_BOOT)
            machine.boot(answers=False)
            machine.sh("systemctl disable cut.service; rm /etc/systemd/system/cut.service; systemctl daemon-reload")
        elif fault == "it is rebooted":
            machine.boot()
        else:
            chosen = with_fault(fault, "-f_*")
            chosen.begin(machine)
            machine.boot()
        active = machine.sh(SETTLED).strip()
        assert (active == "active") == comes_back, (machine.name, active)
        machine.honest()
        put_right(machine)
        ends_well(machine, ends=("old",) if comes_back else ("open",))

    everywhere(enforced, fails)
