"""The journal outlives the controller and lets a wave begin only after the one before."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError, load_plan

from tests.hostile_host import HostileHost
from tests.rollout_plans import PlanMaker, Wanted

HOSTS = ("a", "b", "c")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    plan = PlanMaker(tmp_path).write(dict.fromkeys(HOSTS, Wanted()), waves=[["a", "b"], ["c"]])
    return Journal(load_plan(str(plan)))


def test_the_first_wave_is_free_and_the_next_waits_for_every_host_of_it(journal: Journal) -> None:
    journal.guard(0, [])
    journal.append("a", "confirmed")
    journal.append("b", "started")
    with pytest.raises(PlanError, match=r"b \(started\)"):
        journal.guard(1, [])
    journal.append("b", "confirmed")
    journal.guard(1, [])


@pytest.mark.parametrize("event", ["refused", "rolled back", "unreachable", "started"])
def test_a_host_that_did_not_end_well_holds_the_next_wave_until_a_person_excuses_it(
    journal: Journal, event: str
) -> None:
    journal.append("a", "confirmed")
    journal.append("b", "confirmed")
    journal.append("b", event)
    with pytest.raises(PlanError):
        journal.guard(1, ["somebody-else"])
    journal.guard(1, ["b"])
    assert journal.states() == {"a": "confirmed", "b": "excused"}


def test_a_line_that_a_killed_controller_cut_short_counts_as_not_written(journal: Journal) -> None:
    journal.append("a", "confirmed")
    with Path(journal.path).open("a") as file:
        file.write('{"event": "confirmed", "host": "b", "pl')
    journal.append("c", "started")
    assert journal.states() == {"a": "confirmed", "c": "started"}


def test_lines_that_are_no_events_count_as_not_written(journal: Journal) -> None:
    journal.append("a", "confirmed")
    with Path(journal.path).open("a") as file:
        for line in ("[]", "7", "null", "[" * 100_000, '{"plan": 1}', "\x00\xff"):
            file.write(f"{line}\n")
    journal.append("b", "confirmed")
    assert journal.states() == {"a": "confirmed", "b": "confirmed"}


def test_a_journal_that_is_a_pipe_is_named_and_not_waited_for(journal: Journal) -> None:
    os.mkfifo(journal.path)
    for use in (lambda: journal.append("a", "started"), journal.states):
        with pytest.raises(PlanError, match="not a regular file"):
            use()


def test_a_plan_that_is_a_pipe_is_named_and_not_waited_for(journal: Journal) -> None:
    path = Path(journal.plan.directory, "plan.json")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(PlanError, match="not a regular file"):
        load_plan(journal.plan.directory)


def test_a_disk_that_takes_a_part_of_a_line_is_told_and_the_part_counts_as_not_written(journal: Journal) -> None:
    journal.append("a", "confirmed")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(journal.path).stat().st_size + 20, before[1]))
    try:
        with pytest.raises(PlanError, match="cannot write the journal"):
            journal.append("b", "confirmed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append("c", "confirmed")
    assert journal.states() == {"a": "confirmed", "c": "confirmed"}


@pytest.mark.parametrize(
    ("verb", "said", "state"),
    [
        ("", "changed=no state=confirmed", "confirmed"),
        ("", "refused=lockout reason=no", "refused"),
        ("_confirm", "changed=yes state=confirmed", "confirmed"),
        ("_rollback", "changed=yes state=restored", "restored"),
        ("_rollback", "changed=yes state=open reason=nft", "open"),
    ],
)
def test_a_journal_that_is_lost_meanwhile_changes_nothing_of_what_is_told_of_a_host(
    tmp_path: Path, verb: str, said: str, state: str
) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    host = HostileHost(tmp_path / "host")
    lines = "".join(f"echo ringfence:{word}; " for word in said.split(" "))
    lost = f"rm -f {plan}/journal.jsonl; mkdir -p {plan}/journal.jsonl"
    host.runs(f"cat >/dev/null; {lost}; {lines} exit {3 if 'refused' in said else 0}")

    results, told = host.play([{f"ringfence.core.linux_policy{verb}": {"plan": str(plan)}}])

    one = results["web-1"][0]
    assert (one["state"], one["rule"]) == (state, "journal"), told
    assert "fatal: [web-1]: FAILED!" in told
    assert "journal.jsonl" in str(one["msg"])
    assert "ringfence plan --rebase" in str(one["msg"])
