"""The harness notices: a kernel that does otherwise than the reference is seen by reading back and by probing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ringfence.compiler import compile_policy
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Process, Rule, Settings
from ringfence.model.selectors import ANY, EVERY_ASSET, AllOf, AnyOf, AssetNamed, LabelExists, LabelIn, Not, Unknown
from ringfence.model.services import parse_service
from ringfence.model.tables import VerdictTable

from tests.lab_fixtures import abilities, require

from .case import Case
from .enforcers import NFTABLES, Step
from .hosts import standing_hosts
from .kernel import Kernel
from .points import sides
from .reference import judge_side
from .smallest import smallest

PLACE = Place("policy/shop.yml")


NASTY = tuple(
    Rule(
        f"0000000{number}",
        action,
        PLACE,
        (Peer(AnyOf((LabelIn("role", ("web",)), Not(LabelExists("env"))))), Peer(Unknown())),
        (Peer(AllOf((EVERY_ASSET, AssetNamed("w1")))), Peer(ANY, Process(units=("a.service",)))),
        Action(action),
        parse_service("tcp/22-90"),
        tier,
        50,
    )
    for number, (action, tier) in enumerate((("deny", "guardrail"), ("pass", "guardrail"), ("allow", "baseline")))
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    require("namespaces")
    with standing_hosts(tmp_path_factory.mktemp("harness") / "lab", "namespaces", not abilities().processes) as hosts:
        yield Kernel(hosts)


def shop(service: str) -> Case:
    """Return two workloads with one service allowed between them, and everything else denied."""
    assets = tuple(Asset(f"w{n}", (point_of(f"10.0.0.{n + 1}"), point_of(f"fd00::{n + 1}"))) for n in range(2))
    rule = Rule("0000000a", service, PLACE, (Peer(ANY),), (Peer(ANY),), Action.ALLOW, parse_service(service))
    policy = Policy((rule,), (Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))
    return Case(Snapshot(assets, datetime(2026, 1, 1, tzinfo=UTC)), policy, Settings())


@pytest.mark.lab
def test_an_honest_kernel_gives_no_problems(kernel: Kernel) -> None:
    assert kernel.problems(shop("tcp/80"), 60) == []


@pytest.mark.lab
@pytest.mark.parametrize(("enforced", "verdict"), [("tcp/80-81", "passes"), ("tcp/81", "is denied"), ("any", "passes")])
def test_another_ruleset_is_noticed_by_reading_and_by_probing(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, enforced: str, verdict: str
) -> None:
    case = shop(enforced)
    other = compile_policy(case.snapshot, case.policy, case.settings).tables["w0"]

    honest = NFTABLES.loading

    def wrong(_table: VerdictTable, asked: Case) -> list[Step]:
        return honest(other, asked)

    monkeypatch.setattr(NFTABLES, "loading", wrong)
    problems = kernel.problems(shop("tcp/80"), 60)
    assert any("read back" in problem for problem in problems)
    assert any(f"kernel: {verdict}" in problem for problem in problems)


def test_a_wrong_judgement_is_shrunk_to_a_policy_that_a_person_can_read() -> None:
    """A compiler that took `deny` for `allow` is shown by one plain rule."""

    def disagrees(case: Case) -> bool:
        rules = tuple(
            replace(rule, action=Action.ALLOW) if rule.action is Action.DENY else rule for rule in case.policy.rules
        )
        mutant = replace(case, policy=replace(case.policy, rules=rules))
        return any(
            judge_side(case.snapshot, case.policy, case.settings, side)
            != judge_side(mutant.snapshot, mutant.policy, mutant.settings, side)
            for side in sides(case, 100, 1)
        )

    big = replace(shop("any"), policy=Policy((*shop("tcp/80").policy.rules, *NASTY), shop("any").policy.enforcement))
    assert disagrees(big)
    rules = smallest(big, disagrees).policy.rules
    assert [(rule.sources, rule.destinations, rule.action) for rule in rules] == [
        ((Peer(ANY),), (Peer(ANY),), Action.DENY)
    ]
