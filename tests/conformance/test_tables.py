"""The compiler's tables say what the reference says, and are tables: complete, disjoint, without order."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from ringfence.compiler import compile_policy
from ringfence.model.addresses import EVERY_ADDRESS
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.services import EVERY_SERVICE, point_of
from ringfence.model.tables import DirectionTable, Outcome, ProcessClass, ServiceMap

from .case import Case, case_text, side_text
from .points import sides
from .reference import Side, judge_side
from .runs import CASES, drawn
from .smallest import smallest
from .strategies import cases


def outcome_of(table: DirectionTable, side: Side) -> Outcome:
    """Return what a compiled table does with a packet."""
    members = {f"fqdn:{name}" for name in side.names}
    services = table.services_at(side.local, ProcessClass(side.unit, side.user), side.remote, members)
    return services.outcome(point_of(side.protocol, side.port))


def test_tables_say_what_the_reference_says() -> None:
    failures: list[str] = []

    @drawn(CASES)
    @given(cases(refused=True))
    def play(case: Case) -> None:
        if not failures and disagreements(case):
            shown = smallest(case, lambda smaller: bool(disagreements(smaller)))
            failures.append(f"{case_text(shown)}\n{disagreements(shown)[0]}")

    play()
    if failures:
        pytest.fail(failures[0], pytrace=False)


def disagreements(case: Case) -> list[str]:
    """Return, in words, the packets of which a table and the reference do not say the same."""
    tables = compile_policy(case.snapshot, case.policy, case.settings).tables
    found = []
    for side in sides(case, 120, seed=0):
        outcome = outcome_of(tables[side.workload.name].direction(side.direction), side)
        expected = judge_side(case.snapshot, case.policy, case.settings, side)
        logs = any(rule.log for rule in case.policy.rules if rule.id == outcome.rule)
        if outcome.effect is not expected.effect or outcome.rule not in expected.rules or outcome.log is not logs:
            words = (
                f"table: {outcome.effect} by {outcome.rule}; reference: {expected.effect} by {sorted(expected.rules)}"
            )
            found.append(f"{side_text(side)}\n{words}")
    return found


@drawn(CASES)
@given(cases(refused=True))
def test_tables_cover_every_packet_once(case: Case) -> None:
    for table in compile_policy(case.snapshot, case.policy, case.settings).tables.values():
        for direction in (table.inbound, table.outbound):
            assert_complete(direction)


@drawn(CASES)
@given(cases(refused=True))
def test_the_order_in_which_rules_are_written_does_not_matter(case: Case) -> None:
    written = compile_policy(case.snapshot, case.policy, case.settings).tables
    backwards = type(case.policy)(case.policy.rules[::-1], case.policy.enforcement)
    turned = compile_policy(case.snapshot, backwards, case.settings).tables
    for side in sides(case, 40, seed=7):
        one, other = (outcome_of(of[side.workload.name].direction(side.direction), side) for of in (written, turned))
        assert one.effect is other.effect


def assert_complete(table: DirectionTable) -> None:
    """Assert that cells cover (local, class, remote) once and service maps cover the service line once."""
    assert list(table.units) == sorted(set(table.units))
    assert list(table.users) == sorted(set(table.users))
    locals_ = list(dict.fromkeys(cell.local for cell in table.cells))
    assert_partition(locals_, EVERY_ADDRESS)
    for local in locals_:
        for process in table.process_classes:
            here = [cell for cell in table.cells if cell.local == local and cell.process == process]
            for number in range(len(table.dynamic_sets) + 1):
                for members in combinations(table.dynamic_sets, number):
                    assert_partition([cell.remote for cell in here if cell.membership.holds(members)], EVERY_ADDRESS)
    assert {cell.process for cell in table.cells} == set(table.process_classes)
    for cell in table.cells:
        assert_gapless(cell.services)


def assert_partition(parts: list[IntervalSet], whole: IntervalSet) -> None:
    """Assert that sets are disjoint and together the whole."""
    assert union(parts) == whole
    assert sum(part.size() for part in parts) == whole.size()


def assert_gapless(services: ServiceMap) -> None:
    """Assert that pieces follow each other, differ from their neighbours and span the line."""
    last = EVERY_SERVICE.intervals[0][0] - 1
    outcome = None
    for low, high, found in services.pieces:
        assert (low, found) == (last + 1, found)
        assert low <= high
        assert found != outcome
        last, outcome = high, found
    assert last == EVERY_SERVICE.intervals[0][1]
