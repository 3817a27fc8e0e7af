"""A picture says what a simulation says of the same flows, and judged anew for a changed rule what all of it says."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis import picture_edges
from ringfence.analysis.picture import JudgedPicture, PolicyTables
from ringfence.analysis.picture_edges import grouped
from ringfence.analysis.picture_rejudging import Difference
from ringfence.analysis.simulate import JudgedFlow, simulate
from ringfence.compiler import Recompiler, compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import address_text
from ringfence.model.picture import Picture, PictureCell, PolicyState, Sign
from ringfence.model.rules import Policy

from tests.unit.analysis.told_signs import sign_of as told_sign
from tests.unit.compiler.test_recompilation import edited

from .case import Case
from .runs import CASES, drawn
from .strategies import cases, process_rules
from .test_simulated import NOW, flows, moved

FILES, DRAFT = PolicyState.FILES, PolicyState.DRAFT
Key = tuple[str, str, int, int | None, Sign]


def with_processes(case: Case) -> Case:
    policy = replace(case.policy, rules=(*case.policy.rules, *process_rules(case.settings.tiers[-1])))
    return Case(replace(case.snapshot, taken=NOW), policy, case.settings)


def tables(case: Case, policy: Policy) -> PolicyTables:
    return PolicyTables(compile_policy(case.snapshot, policy, case.settings).tables, {})


def every_flow(judged: JudgedPicture, picture: Picture) -> list[PictureCell]:
    groups = picture.groups
    return [judged.cell(picture.levels, groups[e.client], groups[e.server], 1000) for e in picture.edges]


def sign_of(case: Case, one: JudgedFlow) -> Sign:
    """Return the sign of a flow, from what `simulate --json` tells of it."""
    private = case.settings.private_addresses()
    nobody = [one.flow.client] * (one.client_asset is None) + [one.flow.server] * (one.server_asset is None)
    held = {address for asset in case.snapshot.assets for address in asset.addresses}
    return told_sign(one.data(), unknown=any(end in private and end not in held for end in nobody))


@drawn(CASES // 12)
@given(cases(), st.integers(0, 1 << 30))
def test_a_picture_says_of_every_flow_what_the_simulation_says(case: Case, seed: int) -> None:
    chance = random.Random(seed)
    case = with_processes(case)
    snapshots = (moved(case.snapshot, chance), case.snapshot)
    seen, said = flows(case, chance), tables(case, case.policy)
    with FlowWindow.of_flows(seen, snapshots) as window:
        simulation = simulate(said.tables, case.snapshot, window)
        expected = Counter(
            (
                address_text(one.flow.client),
                address_text(one.flow.server),
                one.flow.protocol,
                one.flow.port,
                sign_of(case, one),
            )
            for one in simulation.flows()
        )
        gone = simulation.gone.flows
    window = FlowWindow.of_flows(seen, snapshots)
    with JudgedPicture(window, case.snapshot, case.settings, {FILES: said}) as judged:
        picture = judged.at(("app", "env"))
        found = Counter(
            (one.client.address, one.server.address, one.protocol, one.port, one.signs[FILES])
            for cell in every_flow(judged, picture)
            for one in cell.flows
        )
        assert sum((found - expected).values()) == gone
        assert all(key[-1] is Sign.NOT_JUDGED for key in found - expected)
        assert not expected - found
        assert sum(count.flows for count in picture.totals[FILES].values()) == len(window)
        assert {sign: count.flows for sign, count in picture.totals[FILES].items()} == Counter(
            key[-1] for key in found.elements()
        )


@drawn(CASES // 12)
@given(cases(), cases(), st.integers(0, 1 << 30), st.data())
def test_judging_again_what_a_changed_rule_matches_is_judging_all_again(
    case: Case, other: Case, seed: int, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    case = with_processes(case)
    snapshots = (moved(case.snapshot, chance), case.snapshot)
    seen = [flow for _ in range(3) for flow in flows(case, chance)]
    tiers = set(case.settings.tiers)
    others = tuple(one for one in (*case.policy.rules, *other.policy.rules) if one.tier in tiers)
    recompiler = Recompiler(case.snapshot, case.policy, case.settings)
    first = PolicyTables(recompiler.compilation.tables, {})
    policy = case.policy
    with JudgedPicture(FlowWindow.of_flows(seen, snapshots), case.snapshot, case.settings, {FILES: first}) as judged:
        judged.copy(DRAFT, FILES)
        for _ in range(3):
            after = replace(policy, rules=data.draw(edited(policy.rules, others)))
            made = PolicyTables(recompiler.update(case.snapshot, after, case.settings).tables, {})
            judged.rejudge(DRAFT, made, Difference.between(policy, after))
            found = verdicts(judged)
            judged.judge(DRAFT, PolicyTables(compile_policy(case.snapshot, after, case.settings).tables, {}))
            assert found == verdicts(judged)
            policy = after


@drawn(CASES // 12)
@given(cases(), cases(), st.integers(0, 1 << 30), st.data())
def test_a_picture_that_follows_a_change_is_the_one_that_is_grouped_anew(
    case: Case, other: Case, seed: int, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    seen = [flow for _ in range(3) for flow in flows(case, chance)]
    tiers = set(case.settings.tiers)
    others = tuple(one for one in (*case.policy.rules, *other.policy.rules) if one.tier in tiers)
    recompiler = Recompiler(case.snapshot, case.policy, case.settings)
    first = PolicyTables(recompiler.compilation.tables, {})
    policy = case.policy
    window = FlowWindow.of_flows(seen, (case.snapshot,))
    with (
        pytest.MonkeyPatch.context() as patched,
        JudgedPicture(window, case.snapshot, case.settings, {FILES: first}) as judged,
    ):
        patched.setattr(picture_edges, "PART", 0)  # few edges are no reason to make all anew
        judged.copy(DRAFT, FILES)
        inside = judged.at(("app",)).groups[0]
        looks = [(("app", "env"), None), (("env",), None), (("app", "asset"), inside)]
        for number in range(4):
            shown = looks[: 1 + number % 3]  # others are looked at again after several changes
            for levels, within in shown:
                found = judged.at(levels, within, 1)
                assert found == grouped(judged, levels, within, 1, 0).picture
            after = replace(policy, rules=data.draw(edited(policy.rules, others)))
            made = PolicyTables(recompiler.update(case.snapshot, after, case.settings).tables, {})
            judged.rejudge(DRAFT, made, Difference.between(policy, after))
            policy = after


def verdicts(judged: JudgedPicture) -> list[tuple[object, ...]]:
    rows = judged.engine.rows("SELECT id, draft FROM picture_flows ORDER BY id")
    return [(number, judged.verdicts.verdicts[verdict or 0]) for number, verdict in rows]  # type: ignore[call-overload, misc]
