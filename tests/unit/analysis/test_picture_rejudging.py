"""A changed policy judged again: the worst first, told in parts, given up in the middle without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from ringfence.analysis.picture import JudgedPicture, PolicyTables
from ringfence.analysis.picture_rejudging import Difference
from ringfence.compiler import compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.model.judging import SoFar
from ringfence.model.picture import PolicyState, Sign, SignCount
from ringfence.model.rules import Action, Policy, Settings
from ringfence.rollout.cancellation import Cancelled

from tests.unit import estate_factory as factory
from tests.unit.flows.flow_factory import flow

DRAFT = PolicyState.DRAFT
CONNECTIONS = {1: 3, 2: 50, 3: 7, 4: 400, 5: 20}  # of each client with the database
ESTATE = factory.snapshot(
    *(factory.asset(f"web-{one}", f"10.0.0.{one}", role=f"web{one}", kind="web") for one in CONNECTIONS),
    factory.asset("idle", "10.0.0.8", role="idle", kind="web"),
    factory.asset("db", "10.0.0.9", role="db", kind="db"),
)
DB = factory.labelled(role="db")
BEFORE = factory.policy(
    # a port of its own for each, so that no two clients are of one class
    *(factory.rule(f"r{one}", factory.labelled(role=f"web{one}"), DB, f"tcp/{5000 + one}") for one in CONNECTIONS)
)
AFTER = replace(
    BEFORE,
    rules=(
        *BEFORE.rules,
        factory.rule("no", factory.labelled(kind="web"), DB, "tcp", action=Action.DENY, tier="guardrail"),
        factory.rule("yes", factory.labelled(role="idle"), DB, "udp/53", tier="guardrail"),
    ),
)
FLOWS = [
    *(flow(f"10.0.0.{one}", "10.0.0.9", 5000 + one, connections=count) for one, count in CONNECTIONS.items()),
    flow("10.0.0.8", "10.0.0.9", 53, protocol=17, connections=1000),  # denied before, and allowed after
    flow("10.0.0.8", "10.0.0.9", 23, connections=9000),  # denied before and after
]


def tables(policy: Policy) -> PolicyTables:
    return PolicyTables(compile_policy(ESTATE, policy, Settings()).tables, {})


@pytest.fixture
def judged() -> Iterator[JudgedPicture]:
    window = FlowWindow.of_flows(FLOWS, [ESTATE])
    with JudgedPicture(window, ESTATE, Settings(), {DRAFT: tables(BEFORE)}) as picture:
        yield picture


def totals(picture: JudgedPicture) -> dict[Sign, SignCount]:
    return dict(picture.at(("role",)).totals[DRAFT])


def test_what_passes_and_is_denied_comes_first_and_of_it_the_busiest(judged: JudgedPicture) -> None:
    heard: list[SoFar] = []

    def told(_done: int, _of: int, so_far: SoFar | None = None, /) -> None:
        heard.extend([so_far] if so_far is not None else [])

    judged.rejudge(DRAFT, tables(AFTER), Difference.between(BEFORE, AFTER), told)

    steps = [after.denied.connections - before.denied.connections for before, after in pairwise(heard)]
    assert steps == sorted(CONNECTIONS.values(), reverse=True)  # the flows that were denied before come behind them
    assert heard[-1] == SoFar(SignCount(len(CONNECTIONS), sum(CONNECTIONS.values())), SignCount())
    assert totals(judged)[Sign.ALLOWED] == SignCount(1, 1000)


def test_what_is_given_up_in_the_middle_leaves_no_trace(judged: JudgedPicture) -> None:
    before = totals(judged)
    heard: list[int] = []

    def told(_done: int, _of: int, so_far: SoFar | None = None, /) -> None:
        if so_far is not None and so_far.denied.flows:
            heard.append(so_far.denied.flows)
            raise Cancelled

    with pytest.raises(Cancelled):
        judged.rejudge(DRAFT, tables(AFTER), Difference.between(BEFORE, AFTER), told)
    assert heard == [1]
    assert totals(judged) == before

    judged.rejudge(DRAFT, tables(AFTER), Difference.between(BEFORE, AFTER))
    assert totals(judged)[Sign.DENIED].flows == len(CONNECTIONS) + 1


def test_before_anything_is_judged_it_is_asked_whether_anybody_waits(judged: JudgedPicture) -> None:
    asked: list[tuple[int, int]] = []

    def told(done: int, of: int, _so_far: SoFar | None = None, /) -> None:
        asked.append((done, of))
        raise Cancelled

    with pytest.raises(Cancelled):
        judged.rejudge(DRAFT, tables(AFTER), Difference.between(BEFORE, AFTER), told)
    assert asked == [(0, 0)]
