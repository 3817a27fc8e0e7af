"""The journal outlives the controller and lets a wave begin only after the one before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError, load_plan
from rollout_plans import PlanMaker, Wanted

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
        with pytest.raises(PlanError, match="no regular file"):
            use()


def test_a_plan_that_is_a_pipe_is_named_and_not_waited_for(journal: Journal) -> None:
    path = Path(journal.plan.directory, "plan.json")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(PlanError, match="no regular file"):
        load_plan(journal.plan.directory)
