"""Old runs are forgotten; one that works or that a host may wait on never is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.forget_runs import forget_runs, runs_to_forget
from ringfence.operations.forgetting import Choice
from ringfence.operations.runs import begun_runs
from ringfence.plan import write
from ringfence.rollout.runs import END_FILE, RunFacts, begin_run, no_run_begins, write_whole

from tests.unit.plan.plan_estates import draft

HOSTS = ("db-1", "web-1", "web-2")


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


def begin(estate: Estate, second: int, number: int = 1, hosts: tuple[str, ...] = HOSTS) -> tuple[int, int]:
    """Begin a run of the plan of a number; return its locks."""
    made = draft(sequence=number)
    write(made, estate.plans)
    started = f"2026-11-24T07:00:{second:02}Z"
    facts = RunFacts("ann", "", made.plan.digest, started, hosts, (hosts,))
    return begin_run(estate.history.state, facts)[1]


def end(estate: Estate, locks: tuple[int, int], *, word: bool = True) -> None:
    """End the newest run, with a word or without."""
    if word:
        write_whole(begun_runs(estate)[0][-1].directory.path / END_FILE, {"status": "successful"})
    for one in locks:
        os.close(one)


def seconds(estate: Estate) -> list[int]:
    return [int(one.directory.id[13:15]) for one in begun_runs(estate)[0]]


def forget(estate: Estate, choice: Choice) -> dict[int, str]:
    done = forget_runs(estate, choice, runs_to_forget(estate, choice))
    return {item.made.second: why for item, why in done.stays}


def test_all_but_the_newest_runs_go(estate: Estate) -> None:
    for second in range(5):
        end(estate, begin(estate, second))

    assert forget(estate, Choice(keep=2)) == {}
    assert seconds(estate) == [3, 4]


def test_a_run_that_works_stays(estate: Estate) -> None:
    end(estate, begin(estate, 0))
    locks = begin(estate, 1)

    assert forget(estate, Choice(keep=0)) == {1: "it is running"}
    assert seconds(estate) == [1]
    end(estate, locks)
    assert forget(estate, Choice(keep=0)) == {}
    assert seconds(estate) == []


def test_the_last_run_of_a_host_that_may_wait_stays_until_something_says_what_became_of_it(estate: Estate) -> None:
    end(estate, begin(estate, 0, hosts=("web-1", "web-2")), word=False)
    end(estate, begin(estate, 1), word=False)
    end(estate, begin(estate, 2, hosts=("web-2",)))
    (plan,) = estate.plans.iterdir()
    journal = plan / "journal.jsonl"
    journal.write_text(line(plan, "web-1", "started") + line(plan, "web-2", "confirmed"))

    assert forget(estate, Choice(keep=0)) == {1: "its plan may wait for its confirmation on web-1"}
    journal.write_text(journal.read_text() + line(plan, "web-1", "rolled back"))
    assert forget(estate, Choice(keep=0)) == {}


def line(plan: Path, host: str, event: str) -> str:
    return json.dumps({"plan": plan.name, "host": host, "event": event, "time": "2026-11-24T07:00:01Z"}) + "\n"


def test_a_damaged_run_is_forgotten_by_its_name(estate: Estate) -> None:
    end(estate, begin(estate, 0))
    damaged = begun_runs(estate)[0][0].directory
    (damaged.path / "run.json").write_text("{")

    forget(estate, Choice(names=(damaged.id,)))

    assert seconds(estate) == []
    assert begun_runs(estate)[1] == []


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{", "run.json is no JSON"),
        ("{}", "run.json does not say 'who'"),
        ("[]", "run.json has another shape"),
        (None, "run.json cannot be read: No such file or directory"),
    ],
)
def test_a_damaged_run_is_named_with_the_reason(estate: Estate, written: str | None, why: str) -> None:
    end(estate, begin(estate, 0))
    facts = begun_runs(estate)[0][0].directory.path / "run.json"
    facts.unlink() if written is None else facts.write_text(written)

    found, (damaged,) = begun_runs(estate)

    assert found == []
    assert damaged.error.message == f"this run is damaged: {why}"
    assert f"runs forget {damaged.id}" in str(damaged.error.remedy)


def test_no_run_begins_while_things_are_forgotten(estate: Estate) -> None:
    with no_run_begins(estate.history.state), pytest.raises(InputError, match="another command holds the runs"):
        begin(estate, 0)
    end(estate, begin(estate, 0))


def test_a_run_that_is_just_beginning_is_named_to_who_comes_second(estate: Estate) -> None:
    locks = begin(estate, 0)
    path = begun_runs(estate)[0][0].directory.path
    (path / "run.json").unlink()  # as long as it is not written
    with pytest.raises(InputError, match=f"a run works on this workspace already: {path.name}"):
        begin(estate, 1)
    for one in locks:
        os.close(one)
