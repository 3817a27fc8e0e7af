"""A target whose disk, nft or memory fails says what its kernel has, and comes back to what was confirmed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lone_target import LoneTarget, fill, mount, remount
from tests.rollout_plans import Wanted
from tests.unit.enforcers.nft_kernel import open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root, and a full disk be mounted")
OLD = Wanted()
NEW = Wanted(allow={None: (1,)})
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"]]


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LoneTarget]:
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} here")
    kernel = open_kernel()
    one = LoneTarget(tmp_path, kernel, request.param)
    mount(one.state)
    yield one
    one.fails("")
    one.ask("remove")
    subprocess.run(["umount", "--lazy", str(one.state)], check=True)
    kernel.close()


def full(target: LoneTarget) -> None:
    fill(target.state)


def read_only(target: LoneTarget) -> None:
    remount(target.state, "ro")


def emptied(target: LoneTarget) -> None:
    for path in target.state.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@pytest.mark.parametrize(
    ("spoil", "reason"), [(full, "no space left on device"), (read_only, "read-only file system")], ids=lambda one: ""
)
def test_a_disk_that_takes_nothing_refuses_a_plan_with_its_reason_and_nothing_changes(
    target: LoneTarget, spoil: Callable[[LoneTarget], None], reason: str
) -> None:
    old = target.enforce(OLD)
    spoil(target)
    reply = target.apply(target.plan(NEW))
    assert reply.last("refused") == "state"
    assert reply.last("reason").endswith(reason)
    assert target.in_kernel() == old.digest
    status = target.ask("status")[1]
    assert (status.last("stands"), status.last("pending"), status.all("damaged")) == ("confirmed", "", [])


@pytest.mark.parametrize("spoil", [full, read_only, emptied])
def test_whatever_befalls_the_disk_while_a_table_waits_the_confirmed_one_comes_back(
    target: LoneTarget, spoil: Callable[[LoneTarget], None]
) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    assert target.apply(new).last("state") == "waiting"
    spoil(target)
    status = target.ask("status")[1]
    assert (status.last("pending_plan"), status.last("stands"), status.last("pending")) == (
        new.digest,
        "candidate",
        "armed",
    )
    target.goes_back_to(old.digest)
    status = target.ask("status")[1]
    assert (status.last("plan"), status.last("stands"), status.all("damaged")) == (old.digest, "confirmed", [])
    if spoil is read_only:
        remount(target.state, "rw")
    (target.state / "filler").unlink(missing_ok=True)
    assert target.apply(new, seconds="120").last("state") == "waiting"
    assert target.confirm(new).last("state") == "confirmed"


def test_a_confirmation_that_cannot_be_written_goes_back_and_says_so(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    target.apply(new, seconds="120")
    read_only(target)
    reply = target.confirm(new)
    assert reply.last("refused") == "state"
    assert f"went back to plan {old.digest}" in reply.last("reason")
    assert target.in_kernel() == old.digest


def test_a_confirmation_finds_that_the_disk_has_lost_the_candidate(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    target.apply(new, seconds="120")
    emptied(target)
    assert target.confirm(new).last("refused") == "nothing"
    assert target.in_kernel() == old.digest
    assert target.ask("status")[1].last("stands") == "confirmed"


def test_a_wait_that_memory_has_lost_is_named_by_status_and_ended_by_the_next_command(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    target.apply(target.plan(NEW), seconds="60")
    shutil.rmtree(target.memory)
    status = target.ask("status")[1]
    assert (status.last("stands"), status.last("pending")) == ("candidate", "abandoned")
    assert target.ask("rollback")[1].last("state") == "restored"
    assert target.in_kernel() == old.digest


def test_where_disk_and_memory_have_lost_all_the_kernel_is_open_and_never_locked(target: LoneTarget) -> None:
    target.enforce(OLD)
    target.apply(target.plan(NEW))
    way = target.way_back()
    emptied(target)
    shutil.rmtree(target.memory)
    (unknown,) = target.ask("status")[1].all("unknown")
    assert "no state tells of it" in unknown
    target.time_out(way)
    assert target.in_kernel() == ""
    assert target.ask("status")[1].last("table") == "absent"


@pytest.mark.parametrize("failing", ["*", "-f *", "list *"])
def test_going_back_tries_again_until_the_kernel_has_what_was_confirmed(target: LoneTarget, failing: str) -> None:
    old = target.enforce(OLD)
    target.apply(target.plan(NEW))
    target.fails(failing)
    target.time_out()
    assert "timed-out" not in (target.state / "history").read_text()
    if failing == "list *":
        # it is there, and only not told: nothing of it is taken out again
        assert target.in_kernel() == old.digest
    target.fails("")
    target.goes_back_to(old.digest)
    assert "timed-out" in (target.state / "history").read_text()


def test_a_host_whose_confirmed_table_no_longer_loads_is_open_tries_on_and_takes_the_next_plan(
    target: LoneTarget,
) -> None:
    target.enforce(OLD)
    new = target.plan(NEW)
    target.apply(new)
    target.fails("-f *")
    target.time_out()
    assert target.in_kernel() == ""
    assert " open " in (target.state / "history").read_text()
    status = target.ask("status")[1]
    assert (status.last("table"), status.last("pending")) == ("absent", "armed")
    target.fails("")
    newer = target.plan(NEW)
    assert target.apply(newer).last("state") == "waiting"
    assert target.confirm(newer).last("state") == "confirmed"


def test_a_rollback_that_nft_does_not_carry_out_is_not_said_to_have_happened(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    target.apply(new, seconds="60")
    target.fails("*")
    reply = target.ask("rollback")[1]
    assert (reply.last("refused"), reply.last("changed")) == ("unknown", "")
    status = target.ask("status")[1]
    assert status.last("table") == "unknown"
    assert "nft cannot read the kernel" in status.last("unknown")
    target.fails("")
    assert target.in_kernel() == new.digest
    assert target.ask("status")[1].last("pending_plan") == new.digest
    assert target.ask("rollback")[1].last("state") == "restored"
    assert target.in_kernel() == old.digest


def test_a_table_that_nft_does_not_list_is_unknown(target: LoneTarget) -> None:
    target.enforce(OLD)
    target.fails("-nn *")
    status = target.ask("status", {"listing": "1"})[1]
    assert (status.all("table"), status.last("unknown")) == (["present", "unknown"], "nft does not list our table")


def test_what_a_login_prints_before_the_script_takes_no_line_of_the_reply(target: LoneTarget) -> None:
    target.shell = ["sh", "-c", 'printf "Welcome "; exec "$@"', "sh", *target.shell]
    plan = target.plan(OLD)
    reply = target.apply(plan)
    assert (reply.all("held"), reply.last("changed"), reply.last("state")) == ([""], "yes", "waiting")
    assert target.confirm(plan).all("changed") == ["yes"]
    assert target.ask("status")[1].all("table") == ["present"]
    assert target.ask("remove")[1].all("changed") == ["yes"]


def test_other_tables_that_nft_does_not_list_are_not_said_to_be_none(target: LoneTarget) -> None:
    target.enforce(OLD)
    assert "not list them all" not in target.ask("status", {"listing": "1"})[1].sections["foreign"]
    target.fails("-t *")
    reply = target.ask("status", {"listing": "1"})[1]
    assert "other tables: nft does not list them all" in reply.sections["foreign"]
    assert reply.last("stands") == "confirmed"


def test_a_swap_that_the_kernel_does_not_show_is_taken_back(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    target.fails("list *")
    reply = target.apply(target.plan(NEW))
    assert reply.last("refused") == "unknown"
    assert "went back" not in reply.last("reason")
    target.fails("")
    target.goes_back_to(old.digest)


def spoilt(kind: str, text: str) -> bytes:
    """Return the confirmed file as a fault of this kind leaves it."""
    return {
        "empty": b"",
        "cut": text[: len(text) // 2].encode(),
        "cut head": text[:90].encode(),
        "more": text.encode() + b"nonsense\n",
        "head": text.replace("sequence=1", "sequence=9").encode(),
        "zeroes": b"\0" * len(text),
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "cut", "cut head", "more", "head", "zeroes"])
def test_a_damaged_state_is_open_at_boot_said_so_and_replaced_by_the_next_plan(target: LoneTarget, kind: str) -> None:
    target.enforce(OLD)
    confirmed = target.state / "confirmed.nft"
    damaged = spoilt(kind, confirmed.read_text())
    confirmed.write_bytes(damaged)
    assert target.ask("status")[1].all("damaged") != []
    target.kernel.nft("flush", "ruleset")
    ended, _, said = target.ask("boot")
    assert ended == 1
    assert "this host is open" in said
    status = target.ask("status")[1]
    assert (status.last("table"), status.last("stands")) == ("absent", "")
    new = target.plan(NEW)
    assert target.apply(new, seconds="120").last("state") == "waiting"
    reply = target.confirm(new)
    assert reply.last("state") == "confirmed"
    assert "confirmed.nft.damaged" in reply.last("warning")
    assert (target.state / "confirmed.nft.damaged").read_bytes() == damaged
    assert target.ask("status")[1].all("damaged") == []


@pytest.mark.parametrize("kind", ["empty", "head"])
def test_a_damaged_state_still_takes_no_older_plan_and_can_be_removed(target: LoneTarget, kind: str) -> None:
    old = target.plan(OLD)
    target.enforce(NEW)
    confirmed = target.state / "confirmed.nft"
    confirmed.write_bytes(spoilt(kind, confirmed.read_text()))
    assert target.apply(old).last("refused") == "sequence"
    assert target.ask("remove")[1].last("state") == "none"
    assert target.in_kernel() == ""
    assert not target.memory.exists()


def test_answers_to_names_are_enforced_where_the_disk_takes_them_no_more(target: LoneTarget) -> None:
    target.stand_ins = 'getent() { echo "192.0.2.7 STREAM x"; }'
    plan = target.plan(Wanted(names={"pay.example": 443}))
    target.apply(plan)
    target.confirm(plan)
    fill(target.state)
    target.stand_ins = 'getent() { echo "192.0.2.8 STREAM x"; }'
    reply = target.ask("refresh")[1]
    assert "cannot be kept" in reply.last("answers")
    assert "192.0.2.8" in target.kernel.listing()


def test_a_boot_needs_to_write_nothing_on_the_disk(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    for spoil in (full, read_only):
        spoil(target)
        target.kernel.nft("flush", "ruleset")
        assert target.ask("boot")[0] == 0
        assert target.in_kernel() == old.digest


def test_a_boot_whose_table_nft_does_not_load_fails_and_is_not_taken_for_one_that_did(target: LoneTarget) -> None:
    target.enforce(OLD)
    target.kernel.nft("flush", "ruleset")
    target.fails("-f *")
    ended, _, said = target.ask("boot")
    assert ended == 1
    assert "does not load" in said
    assert "this host is open" in said
    target.fails("")
    reply = target.ask("rollback")[1]
    assert (reply.last("state"), "apply it again" in reply.last("reason")) == ("open", True)


def test_a_confirmation_counts_through_the_control_path_alone(target: LoneTarget) -> None:
    new = target.plan(OLD)
    target.apply(new, seconds="60")
    target.peer = "0A000001"
    assert target.confirm(new).last("refused") == "lockout"
    target.peer = "0ACB0001"
    assert target.confirm(new, control="4-C0000200-C00002FF").last("refused") == "lockout"
    assert target.confirm(new).last("state") == "confirmed"


def test_a_rollback_of_one_plan_does_not_take_another_back(target: LoneTarget) -> None:
    old = target.enforce(OLD)
    new = target.plan(NEW)
    target.apply(new, seconds="60")
    reply = target.ask("rollback", {"plan": old.digest})[1]
    assert reply.last("refused") == "plan"
    assert new.digest in reply.last("reason")
    assert target.in_kernel() == new.digest
    assert target.ask("rollback")[1].last("state") == "restored"


@pytest.mark.parametrize("number", ["1" + "0" * 26, "-1", "", "7x", "0" * 16])
def test_a_sequence_that_a_shell_cannot_count_with_is_refused(target: LoneTarget, number: str) -> None:
    assert target.apply(target.plan(OLD), sequence=number).last("refused") == "input"
    assert target.in_kernel() == ""


def test_units_that_systemd_does_not_tell_of_are_unknown_and_lose_no_dropin(target: LoneTarget) -> None:
    target.stand_ins = """
systemd_runs() { true; }
systemctl() {
    if [ -e "$units/../mute" ]; then return 1; fi
    if [ "$1" != show ]; then return 0; fi
    shift 3
    for one; do
        printf 'ControlGroup=/system.slice/%s\\nSlice=system.slice\\nTriggeredBy=\\n\\n' "$one"
    done
}
"""
    plan = target.plan(Wanted(allow={"a.service": (7000,), "b.service": (7000,)}))
    target.apply(plan)
    assert target.confirm(plan).last("state") == "confirmed"
    dropins = sorted(target.place.glob("units/*.service.d/90-ringfence.conf"))
    assert [path.parent.name for path in dropins] == ["a.service.d", "b.service.d", "nftables.service.d"]
    (target.place / "mute").touch()
    assert target.ask("rollback")[1].last("state") == "confirmed"
    new = target.plan(NEW)
    target.apply(new)
    target.goes_back_to(plan.digest)
    assert sorted(target.place.glob("units/*.service.d/90-ringfence.conf")) == dropins
    assert "systemd does not answer" in target.ask("status")[1].last("unknown")
    (target.place / "mute").unlink()
    assert target.ask("status")[1].all("unknown") == []
    dropins[0].write_text("")
    assert any("a.service.d" in said for said in target.ask("status")[1].all("damaged"))
    # what another release wrote, as its script on the disk tells, has other words and is no damage
    script = target.state / "ringfence.sh"
    script.write_text(f": of another release\n{script.read_text()}")
    status = target.ask("status")[1]
    assert any("a.service.d" in said for said in status.all("older"))
    assert status.all("damaged") == []


def test_a_unit_on_its_way_is_waited_for_and_then_told_as_changing(target: LoneTarget) -> None:
    target.stand_ins = """
systemd_runs() { true; }
sleep() { if [ -e "$units/../arrives" ]; then rm "$units/../arrives" "$units/../starts"; fi; }
systemctl() {
    if [ "$1" != show ]; then return 0; fi
    if [ -e "$units/../starts" ]; then echo SubState=start-pre; else echo SubState=running; fi
    printf 'ControlGroup=/system.slice/a.service\\nSlice=system.slice\\nInvocationID=1\\n\\n'
}
"""
    plan = target.plan(Wanted(allow={"a.service": (7000,)}))
    target.apply(plan)
    assert target.confirm(plan).last("state") == "confirmed"
    for starts, arrives, word in ((True, False, "changing"), (True, True, "stopped"), (False, False, "stopped")):
        for name, there in (("starts", starts), ("arrives", arrives)):
            if there:
                (target.place / name).touch()
        assert target.ask("status")[1].last("unit").partition(" ")[0] == word
        (target.place / "starts").unlink(missing_ok=True)
