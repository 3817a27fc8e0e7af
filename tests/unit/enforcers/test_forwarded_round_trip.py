"""What a host judges as it forwards: the kernel's listing is read back as the tables of the plan, and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables import read_holding
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.model.rules import Mode, Process
from ringfence.plan import Draft

from tests.unit.enforcers.containers import compiled as with_containers
from tests.unit.enforcers.containers import machine as dock
from tests.unit.enforcers.containers import planned as planned_containers
from tests.unit.enforcers.forwarding_hosts import ROUTER, compiled, planned, rule
from tests.unit.enforcers.nft_kernel import Kernel


def told(kernel: Kernel, draft: Draft, name: str = ROUTER) -> list[str]:
    """Return what the kernel's listing differs from the plan in."""
    host = draft.plan.hosts[name]
    data = host.model_dump()
    own, held, way = read_holding(
        kernel.listing(), draft.rulesets[host.ruleset], data.get("containers", {}), host.runtime, data["forwarded"]
    )
    found = differences(json.loads(draft.tables[host.table]), own)
    for called, table in held.items():
        found += differences(json.loads(draft.tables[host.containers[called].table]), table)
    for group, table in zip(host.forwarded, way, strict=True):
        found += differences({**json.loads(draft.tables[group.table]), "control": None}, table)
    return [str(one["text"]) for one in found]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("own", Mode)
def test_a_router_and_what_it_forwards_come_back_as_planned(kernel: Kernel, mode: Mode, own: Mode) -> None:
    ends = dict.fromkeys(("client", "server", "printer"), mode)
    draft = planned(compiled(modes={**ends, ROUTER: own}))
    assert draft.plan.left_out == {}
    assert sorted(draft.plan.hosts) == ["client", ROUTER, "server"]
    groups = draft.plan.hosts[ROUTER].forwarded
    assert sorted(name for one in groups for name in one.assets) == ["client", "printer", "server"]
    kernel.load(draft.rulesets[draft.plan.hosts[ROUTER].ruleset])
    assert told(kernel, draft) == []


def test_processes_of_machines_are_left_to_these(kernel: Kernel) -> None:
    rules = (rule(1, "client", "server", "tcp/80", Process(users=("ann",))), rule(2, "client", "server", "tcp/81"))
    draft = planned(compiled(rules=rules))
    text = draft.rulesets[draft.plan.hosts[ROUTER].ruleset]
    kernel.load(text)
    assert told(kernel, draft) == []
    assert "skuid" not in text
    assert "skuid" in draft.rulesets[draft.plan.hosts["client"].ruleset]


def test_a_router_that_holds_containers_judges_both(kernel: Kernel) -> None:
    engine = replace(dock("dock-1", "10.0.3.1", "host"), attributes={"ringfence_nftables": {"forwards": True}})
    made = with_containers(engine, dock("client", "10.0.3.9", "client"), machines=False)
    draft = planned_containers(made)
    host = draft.plan.hosts["dock-1"]
    assert (len(host.containers), [one.assets for one in host.forwarded]) == (3, [["client"]])
    kernel.load(draft.rulesets[host.ruleset])
    assert told(kernel, draft, "dock-1") == []


BY_HAND: dict[str, tuple[Callable[[str], str], str]] = {
    "a base chain that is gone": (
        lambda _: "delete chain inet ringfence forwarded_in",
        "forwarded_in is not there: open for what this host forwards",
    ),
    "a rule in front of the tables": (
        lambda _: "insert rule inet ringfence forwarded_out accept",
        "forwarded_out is not as it was rendered",
    ),
    "an address that is gone": (
        lambda _: "flush map inet ringfence forwarded_in6",
        "forwarded_in6 holds other addresses",
    ),
    "a service that is let through": (
        lambda text: "insert rule inet ringfence " + text[text.index("chain in_s_") + 6 :].split()[0] + " accept",
        "is not a rule of ours",
    ),
    "another control path": (
        lambda text: "flush set inet ringfence " + text[text.index("forwarded_managers4_") :].split()[0],
        "holds other addresses",
    ),
}


@pytest.mark.parametrize("change", BY_HAND)
def test_what_somebody_changed_by_hand_is_told(kernel: Kernel, change: str) -> None:
    draft = planned()
    listing = kernel.load(draft.rulesets[draft.plan.hosts[ROUTER].ruleset])
    command, problem = BY_HAND[change]
    kernel.nft(command(listing))
    assert any(problem in text for text in told(kernel, draft)), told(kernel, draft)
