"""apply, confirm, rollback, verify, info and remove against a runner that answers what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ringfence.estate import Estate, Listener, Several
from ringfence.estate.held_tables import known_records
from ringfence.model.errors import InputError
from ringfence.operations.apply import ApplyRequest, apply
from ringfence.operations.confirm import confirm
from ringfence.operations.execution import Cancellation, Execution
from ringfence.operations.info import info
from ringfence.operations.plan import MadePlan, PlanRequest, make_plan
from ringfence.operations.remove import remove
from ringfence.operations.rollback import roll_back
from ringfence.operations.verify import verify
from ringfence.rollout import Event, EventKind, Interrupted, PlaybookResult
from ringfence.rollout.results import INTERRUPTED, collect

from tests.unit.cli_shop import NOW, shop

HOSTS = ["api-1", "db-1", "web-1", "web-2"]


@dataclass
class FakeRunner:
    """Ends every expected host with its answer, else as done; with `waits`, it works until it is cancelled."""

    answers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    waits: bool = False
    calls: list[tuple[str, dict[str, object], list[str], bool]] = field(default_factory=list)

    def __call__(
        self,
        name: str,
        inventory: Sequence[Path | str],
        extravars: Mapping[str, object],
        on_event: Callable[[Event], None],
        *,
        directory: Path,
        limit: Sequence[str],
        expected: Sequence[str],
        check: bool,
        cancel: Cancellation,
    ) -> PlaybookResult:
        self.calls.append((name, dict(extravars), list(expected), check))
        events: list[Event] = []

        def tell(event: Event) -> None:
            events.append(event)
            on_event(event)

        for host in expected:
            tell(Event(EventKind.STARTED, 1, "apply", host))
            if self.waits and cancel.wait(120):
                raise Interrupted(PlaybookResult(collect(events, expected), INTERRUPTED))
            answer = self.answers.get(host, {"state": "confirmed", "changed": True})
            kind = EventKind.FAILED if answer.get("failed") else EventKind.DONE
            tell(Event(kind, 1, "apply", host, answer))
        return PlaybookResult(collect(events, expected), "successful")


class Hearing(Listener):
    """Keeps what it hears, in order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.begun = threading.Event()

    def playbook_started(self, playbook: str, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        self.heard.append(f"{playbook} {[list(wave) for wave in waves]} {rollout}")

    def event(self, event: Event) -> None:
        self.heard.append(f"{event.host} {event.kind}")
        self.begun.set()

    def playbook_ended(self, result: PlaybookResult | None) -> None:
        self.heard.append(f"ended {result.status if result else None}")


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return Estate(shop(tmp_path))


@pytest.fixture
def made(estate: Estate) -> MadePlan:
    return make_plan(estate, PlanRequest())


def test_apply_gives_the_plan_its_waves_and_the_options_of_the_request(estate: Estate, made: MadePlan) -> None:
    runner, hearing = FakeRunner(), Hearing()
    request = ApplyRequest("latest", excuse=("web-2",), renew=True, confirm_within=9)

    done = apply(estate, request, Execution(hearing, runner=runner))

    ((name, variables, expected, check),) = runner.calls
    assert (name, expected, check) == ("rollout", HOSTS, False)
    assert variables == {
        "ringfence_plan": str(made.directory),
        "ringfence_confirm_within": 9,
        "ringfence_excused": ["web-2"],
        "ringfence_renew": True,
    }
    assert hearing.heard[0] == f"rollout {made.draft.plan.waves} True"
    assert (done.exit_status, done.interrupted, done.left_in_between) == (0, False, False)


def test_apply_with_a_limit_has_the_waves_of_these_hosts_alone(estate: Estate, made: MadePlan) -> None:
    runner, hearing = FakeRunner(), Hearing()

    done = apply(estate, ApplyRequest("latest", limit=("db-1",), check=True), Execution(hearing, runner=runner))

    assert [expected for _, _, expected, _ in runner.calls] == [["db-1"]]
    assert "'db-1'" in hearing.heard[0]
    assert "'web-1'" not in hearing.heard[0]
    assert list(done.result.hosts) == ["db-1"]


def test_hosts_that_refuse_are_an_answer_and_hosts_that_fail_are_not(estate: Estate, made: MadePlan) -> None:
    refused = FakeRunner({"web-1": {"failed": True, "state": "refused", "msg": "it holds another plan"}})
    broken = FakeRunner({"web-1": {"failed": True, "state": "failed", "msg": "no nft"}})

    assert apply(estate, ApplyRequest("latest"), Execution(runner=refused)).exit_status == 1
    assert apply(estate, ApplyRequest("latest"), Execution(runner=broken)).exit_status == 3


def test_a_plan_that_is_not_valid_any_more_and_unknown_hosts_reach_no_runner(
    estate: Estate, made: MadePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = FakeRunner()

    with pytest.raises(InputError, match="has no entry for web-9"):
        apply(estate, ApplyRequest("latest", excuse=("web-9",)), Execution(runner=runner))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(NOW) + 365 * 86400))
    with pytest.raises(InputError, match="was valid until"):
        apply(Estate(estate.directory), ApplyRequest("latest"), Execution(runner=runner))

    assert runner.calls == []


def test_a_rollout_in_a_thread_is_watched_by_two_listeners_and_cancelled_from_another(
    estate: Estate, made: MadePlan
) -> None:
    one, other, cancel = Hearing(), Hearing(), Cancellation()
    found: list[object] = []
    execution = Execution(Several(one, other), cancel, FakeRunner(waits=True))
    thread = threading.Thread(target=lambda: found.append(apply(estate, ApplyRequest("latest"), execution)))
    thread.start()
    assert other.begun.wait(120)

    cancel.cancel()
    thread.join(60)

    assert not thread.is_alive()
    assert one.heard == other.heard
    assert one.heard[1:] == ["api-1 started", "ended None"]
    (done,) = found
    assert (done.interrupted, done.left_in_between) == (True, True)  # type: ignore[attr-defined]  # a Rollout
    states = {name: host.state for name, host in done.result.hosts.items()}  # type: ignore[attr-defined]
    assert states == {"api-1": "interrupted", "db-1": "not begun", "web-1": "not begun", "web-2": "not begun"}


def test_confirm_and_rollback_run_the_plan_on_the_hosts_of_the_limit(estate: Estate, made: MadePlan) -> None:
    runner = FakeRunner({"web-1": {"state": "confirmed", "changed": False}})

    confirmed = confirm(estate, "latest", ["web-1"], Execution(runner=runner))
    back = roll_back(estate, "latest", ["db-1"], Execution(runner=runner))

    assert [(name, expected) for name, _, expected, _ in runner.calls] == [
        ("confirm", ["web-1"]),
        ("rollback", ["db-1"]),
    ]
    assert (confirmed.well, confirmed.changed) == (1, [])
    assert back.changed == ["db-1"]


def test_verify_keeps_what_hosts_hold_for_the_next_plan(estate: Estate, made: MadePlan) -> None:
    plan = made.draft.plan
    held = {
        "plan": plan.digest,
        "sequence": plan.sequence,
        "ruleset": plan.hosts["web-1"].ruleset,
        "table": plan.hosts["web-1"].table,
    }
    answers = {"web-1": {"state": "proven", "held": held}, "db-1": {"failed": True, "state": "drifted", "held": {}}}

    done = verify(estate, "latest", (), Execution(runner=FakeRunner(answers)))

    assert done.exit_status == 1
    assert known_records(estate)["web-1"].ruleset == plan.hosts["web-1"].ruleset
    assert known_records(estate)["db-1"].ruleset == ""
    assert "api-1" not in known_records(estate)


def test_verify_without_a_confirmed_plan_says_that_there_is_none(estate: Estate, made: MadePlan) -> None:
    with pytest.raises(InputError, match="no host has confirmed a plan yet"):
        verify(estate, execution=Execution(runner=FakeRunner()))


def test_info_keeps_what_hosts_hold_and_remove_that_they_hold_nothing(estate: Estate, made: MadePlan) -> None:
    told = {"state": "confirmed", "plan": "a" * 64, "sequence": 3, "ruleset": "b" * 64, "table": "c" * 64}
    runner = FakeRunner({"web-1": told})

    info(estate, ["role=web"], Execution(runner=runner))
    assert runner.calls[0][1]["ringfence_hosts"] == "web-1:web-2"
    assert known_records(estate)["web-1"].sequence == 3

    remove(estate, ["web-1"], Execution(runner=FakeRunner({"web-1": {"state": "none", "changed": True}})))
    assert known_records(estate)["web-1"].ruleset == ""
