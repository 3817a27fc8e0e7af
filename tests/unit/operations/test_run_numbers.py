"""A run in numbers: its plan's flows, the run after it, and what its hosts tell that they denied since."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.model.host_denials import HostDenials
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.plan import PlanRequest, make_plan
from ringfence.operations.run_numbers import FlowsOfPlan, ask_denials, run_numbers
from ringfence.rollout import Event, EventKind, PlaybookResult
from ringfence.rollout.results import collect
from ringfence.rollout.run_events import event_line
from ringfence.rollout.runs import EVENTS_FILE, RunDirectory, RunFacts, begin_run

from tests.unit.cli_shop import NOW, ringfence, shop
from tests.unit.rollout_events import confirmed, failed

EVIL = "\x1b[2Jrule"


def begun(estate: Estate, plan: str, started: str, hosts: Sequence[str]) -> RunDirectory:
    facts = RunFacts("kim", "", plan, started, tuple(hosts), (tuple(hosts),))
    run, locks = begin_run(estate.history.state, facts)
    for descriptor in locks:
        os.close(descriptor)
    return run


def test_a_run_has_the_flows_of_its_plan_and_what_its_hosts_denied_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    directory = shop(tmp_path)
    assert ringfence(directory, "flows", "add", str(directory / "flows.csv"), "--format", "csv").exit_code == 0
    plan = make_plan(Estate(directory), PlanRequest(flows=FlowSelection())).draft.plan
    estate = Estate(directory)
    hosts = ("db-1", "web-1", "web-2", "api-1")
    run = begun(estate, plan.digest, "2026-11-24T07:00:00Z", hosts)
    with pytest.raises(InputError, match="no host confirmed the plan of this run yet"):
        ask_denials(estate, run, Execution())
    told = [confirmed("db-1"), confirmed("web-1"), confirmed("web-2"), failed("api-1")]
    (run.path / EVENTS_FILE).write_text("".join(event_line(one.event, one.time) for one in told))
    counters: list[object] = [
        {"effect": "deny", "rule": "default", "packets": 9},
        {"effect": "deny", "rule": "5f3a9c01", "name": EVIL, "packets": 3},
        {"effect": "watch", "rule": "default", "packets": 2},
        {"effect": "deny", "packets": "many"},
        7,
    ]

    def play(name: str, *_: object, expected: Sequence[str], **__: object) -> PlaybookResult:
        assert (name, sorted(expected)) == ("info", ["db-1", "web-1", "web-2"])
        answers: dict[str, dict[str, object]] = {
            "db-1": {"plan": plan.digest[:12], "counters": counters},
            "web-1": {"plan": "0" * 12, "counters": counters},
        }
        events = [Event(EventKind.DONE, 1, name, host, result) for host, result in answers.items()]
        return PlaybookResult(collect(events, expected), "failed")

    found = ask_denials(estate, run, Execution(runner=play))

    assert found.hosts == (
        HostDenials("db-1", 12, 2, (("no rule allows it", 9), ("\\x1b[2Jrule", 3))),
        HostDenials("web-1", reason="it now holds another plan"),
        HostDenials("web-2", reason="not begun"),
    )
    begun(estate, plan.digest, "2026-11-24T07:00:30Z", ("stranger",))
    begun(estate, plan.digest, "2026-11-24T07:01:00Z", ("web-2",))
    numbers = run_numbers(estate, run)
    assert numbers.denials == found
    assert numbers.until == "2026-11-24T07:01:00Z"
    flows = numbers.flows
    assert isinstance(flows, FlowsOfPlan)
    assert (flows.denied_before, flows.denied_after > 0) == (0, True)
    assert flows.denied_before + flows.allowed_before == flows.denied_after + flows.allowed_after
