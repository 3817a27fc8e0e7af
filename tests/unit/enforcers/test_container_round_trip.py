"""Containers in their host's ruleset: what the kernel holds is read back as the tables of the plan, and no other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables import read_holding
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.model.rules import Mode

from tests.unit.enforcers.containers import HOST, compiled, container, planned
from tests.unit.enforcers.nft_kernel import Kernel


def told(kernel: Kernel, mode: Mode = Mode.FULL) -> list[str]:
    """Return what the kernel's listing differs from the plan in."""
    draft = planned(compiled(mode=mode))
    host = draft.plan.hosts[HOST]
    containers = {name: one.model_dump() for name, one in host.containers.items()}
    own, held, _ = read_holding(kernel.listing(), draft.rulesets[host.ruleset], containers, host.runtime)
    found = differences(json.loads(draft.tables[host.table]), own)
    for name, table in held.items():
        found += differences(json.loads(draft.tables[host.containers[name].table]), table)
    return [str(one["text"]) for one in found]


@pytest.mark.parametrize("mode", Mode)
def test_host_and_containers_come_back_as_planned(kernel: Kernel, mode: Mode) -> None:
    draft = planned(compiled(mode=mode))
    assert draft.plan.left_out == {}
    assert sorted(draft.plan.hosts) == ["client", HOST]
    kernel.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    assert told(kernel, mode) == []


BY_HAND: dict[str, tuple[Callable[[str], str], str]] = {
    "a base chain that is gone": (
        lambda _: "delete chain inet ringfence containers_forward_in",
        "containers_forward_in is not there",
    ),
    "a rule in front of the containers' tables": (
        lambda _: "insert rule inet ringfence containers_in accept",
        "containers_in is not as it was rendered",
    ),
    "a hole in a network": (
        lambda _: "flush map inet ringfence networks_in4",
        "networks_in4 holds other addresses",
    ),
    "a service that is let through": (
        lambda text: "insert rule inet ringfence " + text[text.index("in_s_") :].split()[0] + " accept",
        "is not a rule of ours",
    ),
    "another peer's chain": (
        lambda text: "flush chain inet ringfence " + text[text.index("chain in_k_") + 6 :].split()[0],
        "is not as it was rendered",
    ),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changed_by_hand_is_told(kernel: Kernel, change: str) -> None:
    draft = planned()
    listing = kernel.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    command, problem = BY_HAND[change]
    kernel.nft(command(listing))
    assert any(problem in text for text in told(kernel)), told(kernel)


def test_a_plan_of_other_rules_for_a_container_is_no_proof_of_this_one(kernel: Kernel) -> None:
    other = planned(compiled(container("cache", "db", back=9)))
    kernel.load(other.rulesets[other.plan.hosts[HOST].ruleset])
    assert told(kernel) != []


def test_a_container_whose_host_is_no_workload_is_left_out() -> None:
    draft = planned(compiled(without=(HOST,)))
    assert draft.plan.left_out["shop-web-1.dock-1"] == "its host dock-1 is no workload of this plan"
    assert "containers" not in draft.plan.text


def test_the_keys_of_a_plan_without_containers_are_those_of_before() -> None:
    host = planned().plan.hosts["client"]
    assert "containers" not in host.model_dump()
    assert '"containers"' in planned().plan.text
