"""Groups of equal labels choose for every asset what the compiler's own evaluator says of it."""

from __future__ import annotations

import pytest
from ringfence.analysis.label_groups import LabelGroups
from ringfence.compiler.selection import holds_locally
from ringfence.model.selectors import ANY, AllOf, AnyOf, AssetNamed, FqdnIs, Internet, LabelExists, LabelIn, Not

from tests.unit.estate_factory import asset, cidr

ASSETS = [
    asset("web-1", "10.0.0.1", role="web", env="prod"),
    asset("db-1", "10.0.0.2", role="db", env="prod"),
    asset("web-2", "10.0.0.3", role="web", env="prod"),
    asset("bare-1", "10.0.0.4"),
    asset("web-3", "10.0.0.5", role="web"),
]
WEB, PROD = LabelIn("role", ("web",)), LabelIn("env", ("prod",))
SELECTORS = [
    WEB,
    LabelIn("role", ("web", "db")),
    LabelIn("role", ("none",)),
    LabelExists("env", True),
    LabelExists("env", False),
    LabelExists("nothing", False),
    AllOf((WEB, PROD)),
    AllOf((WEB, Not(PROD))),
    AllOf(()),
    AnyOf((PROD, LabelExists("role", False))),
    AnyOf(()),
    Not(AnyOf((WEB, PROD))),
    ANY,
    Not(ANY),
    Internet(),
    FqdnIs("api.example.org"),
]


def chosen(groups: LabelGroups, number: int) -> list[str]:
    return [ASSETS[member].name for member in groups.members[number]]


def test_assets_of_equal_labels_are_one_group_in_their_order() -> None:
    groups = LabelGroups(ASSETS)
    assert [chosen(groups, number) for number in range(4)] == [["web-1", "web-2"], ["db-1"], ["bare-1"], ["web-3"]]
    assert LabelGroups([]).chosen(Not(WEB)) == frozenset()


@pytest.mark.parametrize("selector", SELECTORS, ids=str)
def test_a_selector_over_labels_chooses_the_same_assets_as_one_by_one(selector: object) -> None:
    groups = LabelGroups(ASSETS)
    found = {name for number in groups.chosen(selector) for name in chosen(groups, number)}  # type: ignore[arg-type]
    assert found == {
        one.name
        for one in ASSETS
        if holds_locally(
            selector,  # type: ignore[arg-type]
            {key: label.value for key, label in one.labels.items()},
            one.name,
            one.addresses[0],
        )
    }


@pytest.mark.parametrize("part", [AssetNamed("web-1"), cidr("10.0.0.0/24")], ids=["name", "address"])
def test_what_tells_equal_labels_apart_is_refused_wherever_it_stands(part: object) -> None:
    groups = LabelGroups(ASSETS)
    for selector in (part, Not(part), AnyOf((WEB, part)), AllOf((part, WEB))):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="apart"):
            groups.chosen(selector)  # type: ignore[arg-type]
