"""Old plans are forgotten; those that hosts or runs need never are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ringfence import file_heads
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations import forgetting
from ringfence.operations.forget_plans import forget_plans, plans_to_forget
from ringfence.operations.forgetting import Choice
from ringfence.operations.plans import list_plans
from ringfence.plan import Held, find, next_sequence, read, store, write
from ringfence.plan.host_records import write_state
from ringfence.plan.journals import known
from ringfence.rollout.runs import END_FILE, RunFacts, begin_run, write_whole

from tests.unit.plan.plan_estates import draft

SEEN = "2026-11-24T06:00:00Z"


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """Six plans, which no host holds."""
    for number in range(1, 7):
        write(draft(sequence=number), tmp_path / "plans")
    return Estate(tmp_path)


def plan(estate: Estate, number: int) -> Path:
    """Return the directory of the plan of a number."""
    return next(path for path in estate.plans.iterdir() if read(path).sequence == number)


def numbers(estate: Estate) -> list[int]:
    """Return the numbers of the plans that are there."""
    return sorted(read(path).sequence for path in estate.plans.iterdir())


def journal(directory: Path, *events: tuple[str, str]) -> None:
    """Write what became of hosts into the journal of a plan."""
    lines = [json.dumps({"plan": directory.name, "host": host, "event": event, "time": SEEN}) for host, event in events]
    (directory / "journal.jsonl").write_text("\n".join([*lines, ""]))


def held_plan(directory: Path, **changed: str) -> Held:
    """Return the record of a host that holds a plan."""
    host = read(directory).hosts["web-1"]
    data = {"ruleset": host.ruleset, "table": host.table, "plan": read(directory).digest, **changed}
    return Held(seen=SEEN, **data)


def forget(estate: Estate, choice: Choice) -> dict[int, str]:
    """Forget plans; return why plans stay, by number."""
    shown = plans_to_forget(estate, choice)
    return {read(item.path).sequence: why for item, why in forget_plans(estate, choice, shown).stays}


def test_the_newest_plans_that_are_asked_for_stay(estate: Estate) -> None:
    assert forget(estate, Choice(keep=2)) == {}

    assert numbers(estate) == [5, 6]
    assert next_sequence(estate.plans) == 7


def test_the_newest_plan_stays_whatever_is_asked(estate: Estate) -> None:
    assert forget(estate, Choice(keep=0)) == {6: "it is the newest"}
    assert numbers(estate) == [6]


def test_with_an_age_only_what_is_older_goes(estate: Estate) -> None:
    assert forget(estate, Choice(before="2026-11-01")) == {}
    assert numbers(estate) == [1, 2, 3, 4, 5, 6]

    forget(estate, Choice(keep=3, before="2026-11-25"))
    assert numbers(estate) == [4, 5, 6]


def test_only_named_plans_go_and_a_named_one_that_is_needed_makes_the_answer_no(estate: Estate) -> None:
    choice = Choice(names=(plan(estate, 2).name[:8], plan(estate, 6).name))

    done = forget_plans(estate, choice, plans_to_forget(estate, choice))

    assert done.exit_status == 1
    assert numbers(estate) == [1, 3, 4, 5, 6]


def test_a_choice_that_says_nothing_and_a_name_of_no_plan_are_refused(estate: Estate) -> None:
    with pytest.raises(InputError, match="nothing says which plans"):
        plans_to_forget(estate, Choice())
    with pytest.raises(InputError, match="no plan begins with 'zz'"):
        plans_to_forget(estate, Choice(names=("zz",)))
    with pytest.raises(InputError, match="no plan begins with ''"):
        plans_to_forget(estate, Choice(names=("",)))


def test_what_hosts_hold_by_a_record_or_by_a_journal_stays(estate: Estate) -> None:
    write_state(estate.directory, {"web-1": held_plan(plan(estate, 1))}, {})
    journal(plan(estate, 2), ("web-2", "confirmed"))
    journal(plan(estate, 3), ("web-2", "started"), ("web-2", "confirmed"))

    assert forget(estate, Choice(keep=1)) == {1: "web-1 holds it", 3: "web-2 holds it"}
    assert numbers(estate) == [1, 3, 6]
    assert {name: one.sequence for name, one in known(estate.directory, estate.plans).items()} == {
        "web-1": 0,
        "web-2": 3,
    }


def test_the_table_of_a_host_whose_plan_is_not_here_stays_in_one_plan(estate: Estate) -> None:
    write_state(estate.directory, {"web-1": held_plan(plan(estate, 1), plan="0" * 64)})
    other = write(draft(), estate.directory / "elsewhere")
    table = read(other).hosts["web-1"].table
    for number in (4, 5, 6):
        (plan(estate, number) / "tables" / f"{table}.json").unlink()

    assert forget(estate, Choice(keep=1)) == {3: "web-1 holds its table"}


def test_a_plan_that_may_wait_on_a_host_stays_until_something_says_what_became_of_it(estate: Estate) -> None:
    journal(plan(estate, 2), ("web-1", "started"), ("web-2", "started"), ("web-2", "rolled back"))
    journal(plan(estate, 3), ("web-1", "started"), ("web-1", "refused"))
    journal(plan(estate, 4), ("db-1", "unconfirmed"))
    journal(plan(estate, 5), ("db-1", "started"), ("db-1", "rolled back"))

    assert forget(estate, Choice(keep=1)) == {2: "it may wait for its confirmation on web-1"}
    write_state(estate.directory, {"web-1": Held(seen=SEEN)}, {plan(estate, 2).name: 3})
    assert forget(estate, Choice(keep=1)) == {}


def run_of(estate: Estate, number: int, end: dict[str, object] | None, second: int) -> tuple[int, int]:
    """Begin a run of a plan, with an end or without; return the locks that let it live."""
    digest = read(plan(estate, number)).digest
    facts = RunFacts("ann", "", digest, f"2026-11-24T07:00:{second:02}Z", ("web-1",), (("web-1",),))
    run, locks = begin_run(estate.history.state, facts)
    if end is not None:
        write_whole(run.path / END_FILE, end)
    return locks


def closed(locks: tuple[int, int]) -> None:
    """End a run."""
    for one in locks:
        os.close(one)


def test_a_plan_of_a_run_that_works_or_was_cut_short_stays(estate: Estate) -> None:
    closed(run_of(estate, 1, None, 0))
    closed(run_of(estate, 2, {"status": "successful"}, 1))
    closed(run_of(estate, 3, {"status": "interrupted", "interrupted": True}, 2))
    locks = run_of(estate, 4, None, 3)

    why = forget(estate, Choice(keep=1))
    closed(locks)

    assert numbers(estate) == [3, 4, 6]
    assert [words.split(" of it ")[1] for words in why.values()] == ["is not finished"] * 2


def test_a_deletion_that_is_cut_short_leaves_no_half_plan_and_the_next_ends_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(path: Path) -> None:
        (path / "plan.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(forgetting.shutil, "rmtree", dies)
        with pytest.raises(KeyboardInterrupt):
            forget(estate, Choice(keep=3))

    assert len(plans_to_forget(estate, Choice(keep=3)).goes) == 2
    assert find(estate.plans, "latest") == plan_directory(estate, 6)
    forget(estate, Choice(keep=3))
    assert numbers(estate) == [4, 5, 6]


def plan_directory(estate: Estate, number: int) -> Path:
    """Return the directory of a plan, among directories that are being deleted."""
    return next(
        path for path in estate.plans.iterdir() if not path.name.startswith(".") and read(path).sequence == number
    )


def test_what_became_needed_after_it_was_shown_stays(estate: Estate) -> None:
    choice = Choice(keep=1)
    shown = plans_to_forget(estate, choice)
    journal(plan(estate, 2), ("web-2", "confirmed"))
    write(draft(sequence=7), estate.plans)

    done = forget_plans(estate, choice, shown)

    assert numbers(estate) == [2, 6, 7]
    assert len(done.goes) == 4


def test_plans_are_listed_without_reading_one_that_is_as_it_was(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.history.state.mkdir()
    monkeypatch.setattr(file_heads, "SETTLED", -(10**12))
    first = list_plans(estate)

    def read_no_plan(path: Path) -> bytes:
        pytest.fail(f"{path} was read")

    monkeypatch.setattr(store, "regular_file", read_no_plan)
    assert list_plans(estate) == first
    assert [one.head.sequence for one in first] == [1, 2, 3, 4, 5, 6]
    assert {one.head.hosts for one in first} == {3}
