"""A run that is rolled back while it goes on: one driver at a time, and its directory says what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations import run_rollback
from ringfence.operations.apply import ApplyRequest, Rollout
from ringfence.operations.confirm import confirm
from ringfence.operations.execution import Execution
from ringfence.operations.passwords import NO_PASSWORDS
from ringfence.operations.plan import PlanRequest, make_plan
from ringfence.operations.plans import chosen_plan
from ringfence.operations.remove import remove
from ringfence.operations.rollback import roll_back
from ringfence.operations.run_rollback import TAKEN_BACK, go_back, roll_back_run
from ringfence.rollout import Event, EventKind, HostResult, PlaybookResult
from ringfence.rollout.results import collect
from ringfence.rollout.runs import RunBack, RunControl, RunDirectory, RunFacts, begin_run
from ringfence.wire.journal_lines import CONFIRMED, journal_line
from ringfence.wire.plan_format import JOURNAL_FILE

from tests.unit.cli_shop import shop


class Shop:
    """A shop that confirmed a first plan, and rolls a second one out."""

    def __init__(self, directory: Path) -> None:
        """Make both plans."""
        self.directory = shop(directory)
        self.asked: list[tuple[str, Sequence[str]]] = []
        self.refuses: tuple[str, ...] = ()
        self.first = self._plan()
        journal = self.estate.plans / self.first[:12] / JOURNAL_FILE
        journal.write_bytes(b"".join(journal_line(self.first[:12], host, CONFIRMED) for host in ("db-1", "web-1")))
        policy = self.directory / "policy/shop.yml"
        policy.write_text(policy.read_text().replace("tcp/8443", "tcp/8444"))
        (self.directory / "policy/tests/shop.yml").unlink()
        self.second = self._plan()

    def copied(self, directory: Path) -> Shop:
        """Return another one, in another directory."""
        other = copy(self)
        other.directory, other.asked = Path(copytree(self.directory, directory)), []
        return other

    @property
    def estate(self) -> Estate:
        """The estate as it is now."""
        return Estate(self.directory)

    def _plan(self) -> str:
        return make_plan(self.estate, PlanRequest()).draft.plan.digest

    @contextmanager
    def begun(self, plan: str | None = None) -> Iterator[RunDirectory]:
        """Give a run that lives: this process holds its locks."""
        hosts = ("db-1", "web-1")
        facts = RunFacts("kim", "", plan or self.second, "2026-11-24T07:00:00Z", hosts, (("db-1",), ("web-1",)))
        run, locks = begin_run(self.estate.history.state, facts)
        try:
            yield run
        finally:
            for descriptor in locks:
                os.close(descriptor)

    def play(self, name: str, *_: object, limit: Sequence[str], expected: Sequence[str], **__: object) -> Any:
        """Be the playbook that takes hosts back."""
        self.asked.append((name, limit))
        told = [
            Event(EventKind.FAILED if host in self.refuses else EventKind.DONE, 1, name, host, {}) for host in expected
        ]
        return PlaybookResult(collect(told, expected), "successful")

    def ended(self, *hosts: HostResult) -> Rollout:
        """Return what became of the second plan until somebody aborted it."""
        result = PlaybookResult({host.host: host for host in hosts}, "interrupted")
        return Rollout(chosen_plan(self.estate, self.second).plan, ApplyRequest(self.second), result, interrupted=True)

    def go_back(self, run: RunDirectory, done: Rollout, released: list[str]) -> Rollout:
        """Take the run back."""
        execution = Execution(runner=self.play)
        return go_back(self.estate, run, done, execution, NO_PASSWORDS, lambda: released.append("released"))


CONFIRMED_HOST = HostResult("db-1", "confirmed", ok=True, changed=True)
CUT_SHORT = HostResult("web-1", "interrupted", ok=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOURCE_DATE_EPOCH", raising=False)
        yield Shop(tmp_path_factory.mktemp("made") / "shop")


@pytest.fixture
def two_plans(made: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return made.copied(tmp_path / "shop")


def test_who_rolls_a_run_back_is_written_into_it_and_ends_it_unless_nothing_was_before(two_plans: Shop) -> None:
    with two_plans.begun() as run:
        assert roll_back_run(two_plans.estate, run).plan == two_plans.first[:12]
        wanted = run.control()
        assert wanted.abort
        assert wanted.back
    with pytest.raises(InputError, match="has ended"):
        roll_back_run(two_plans.estate, run)
    with two_plans.begun(two_plans.first) as run:
        with pytest.raises(InputError, match="nothing to go back to"):
            roll_back_run(two_plans.estate, run)
        assert run.control() == RunControl()


def test_what_waits_is_taken_back_then_another_run_brings_back_what_was_confirmed(
    two_plans: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def begin(_estate: Estate, request: ApplyRequest, _passwords: object) -> tuple[RunDirectory, None]:
        happened.append(chosen_plan(two_plans.estate, request.plan).plan.restores)
        return RunDirectory(Path("/runs/another")), None

    monkeypatch.setattr(run_rollback, "begin", begin)
    with two_plans.begun() as run:
        done = two_plans.go_back(run, two_plans.ended(CONFIRMED_HOST, CUT_SHORT), happened)

    assert two_plans.asked == [("rollback", ["web-1"])]
    assert happened == ["released", two_plans.first]
    assert done.result.hosts["web-1"].reason == TAKEN_BACK
    back = run.back()
    assert back is not None
    assert (back.run, back.error) == ("another", "")


def test_where_nothing_was_confirmed_no_other_run_begins_and_a_host_that_refuses_is_named(two_plans: Shop) -> None:
    two_plans.refuses = ("web-1",)
    with two_plans.begun() as run:
        done = two_plans.go_back(run, two_plans.ended(CUT_SHORT), released := [])

    assert released == []
    assert done.result.hosts["web-1"] == CUT_SHORT
    back = run.back()
    assert back is not None
    assert (back.run, back.error) == ("", "not taken back at once: web-1")


def test_what_goes_wrong_on_the_way_back_is_written_down(two_plans: Shop) -> None:
    (two_plans.directory / "plans" / two_plans.first[:12] / "plan.json").write_text("{")
    with two_plans.begun() as run:
        two_plans.go_back(run, two_plans.ended(CONFIRMED_HOST), [])

    back = run.back()
    assert back is not None
    assert back.error
    assert back != RunBack()


def test_nothing_else_drives_hosts_while_a_run_works(two_plans: Shop) -> None:
    execution = Execution(runner=two_plans.play)
    with two_plans.begun() as run:
        for drives in (
            lambda: roll_back(two_plans.estate, two_plans.second, execution=execution),
            lambda: confirm(two_plans.estate, two_plans.second, execution=execution),
            lambda: remove(two_plans.estate, ["web-1"], execution),
        ):
            with pytest.raises(InputError, match=f"a run works on this workspace already: {run.id}"):
                drives()
    assert two_plans.asked == []
    roll_back(two_plans.estate, two_plans.second, execution=execution)
    assert [name for name, _ in two_plans.asked] == ["rollback"]
