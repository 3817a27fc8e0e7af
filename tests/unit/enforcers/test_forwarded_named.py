"""Who judges what it forwards, and who cannot, is said by name; what answers say of it is what hosts do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.analysis.checks import problems
from ringfence.analysis.explain import explain
from ringfence.compiler import Compilation
from ringfence.enforcers.nftables import ENFORCER
from ringfence.model.addresses import point_of
from ringfence.model.rules import Action, Direction, Mode
from ringfence.model.services import parse_service
from ringfence.model.tables import Effect
from ringfence.plan.preflight import doubts
from ringfence.plan.verdict_table_json import table_of

from tests.unit.enforcers.forwarding_hosts import ADDRESSES, ROUTER, compiled, machine, planned, router, rule

PRINTER = machine("printer", enforcer="forwarded")
OTHERS = (machine("client"), machine("server"), PRINTER)


def said(compilation: Compilation) -> list[str]:
    """Return the warnings of check, which are those of plan."""
    found = [one.message for one in problems(compilation)]
    assert [one.message for one in doubts(compilation, {})] == found
    return found


def test_nothing_is_judged_unless_a_host_is_asked_to() -> None:
    for asset in (machine(ROUTER), router(forwards=False), router(forwards=["192.0.2.0/24"])):
        draft = planned(compiled(*OTHERS, asset))
        assert draft.plan.hosts[ROUTER].forwarded == []
        assert "forwarded_" not in draft.rulesets[draft.plan.hosts[ROUTER].ruleset]
        assert '"forwarded":' not in draft.plan.text
        assert draft.plan.left_out["printer"].startswith("no host is asked to judge what it forwards for it")
        assert any("nothing enforces on printer" in one for one in said(compiled(*OTHERS, asset)))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"forwards": "yes"}, ["has 'yes' as 'forwards', which is neither true nor false nor a list of networks"]),
        ({"forwards": []}, ["has [] as 'forwards', which is neither true nor false nor a list of networks"]),
        ({"forwards": ["10.2.0.0/33", "10.1.0.0/16", 10]}, ["'10.2.0.0/33' is not a valid", "10 is not a valid"]),
        ({"forwards": {"to": "10.2.0.0/16"}}, ["neither true nor false nor a list"]),
        ({"bridged": "yes", "forwards": True}, ["has 'yes' as 'bridged', which is neither true nor false"]),
        ({"forward": True}, ["has 'forward', which is not one of its keys"]),
        ("forwards", ["is 'forwards', not a mapping"]),
        ({"forwards": ["fd00:2::/64"], "bridged": False, "nft": "1.0.6"}, []),
    ],
)
def test_each_fault_of_the_variable_is_named_and_the_host_keeps_its_own_rules(given: object, wrong: list[str]) -> None:
    faults = ENFORCER.option_faults(given)
    assert len(faults) == len(wrong)
    for one, words in zip(faults, wrong, strict=True):
        assert words in one.why
        assert one.remedy
    draft = planned(compiled(*OTHERS, machine(ROUTER, attributes={"ringfence_nftables": given})))
    assert ROUTER in draft.plan.hosts


def test_entries_that_are_valid_count_beside_others() -> None:
    draft = planned(compiled(*OTHERS, router(forwards=["10.2.0.0/33", "10.2.0.0/16"])))
    (group,) = [one for one in draft.plan.hosts[ROUTER].forwarded if "printer" in one.assets]
    assert group.addresses == ["10.2.0.3"]


def test_only_addresses_of_the_networks_are_judged() -> None:
    draft = planned(compiled(*OTHERS, router(forwards=["10.2.0.0/16"])))
    groups = draft.plan.hosts[ROUTER].forwarded
    assert [(one.assets, one.addresses) for one in groups if "printer" in one.assets] == [(["printer"], ["10.2.0.3"])]
    assert not any("client" in one.assets for one in groups)


def test_an_address_of_two_tables_is_nobodys() -> None:
    shared = machine("server", addresses=tuple(map(point_of, (*ADDRESSES["server"], "10.2.0.9"))))
    other = replace(PRINTER, addresses=tuple(map(point_of, (*ADDRESSES["printer"], "10.2.0.9"))))
    groups = planned(compiled(machine("client"), shared, other, router())).plan.hosts[ROUTER].forwarded
    assert not any("10.2.0.9" in one.addresses for one in groups)
    assert {name for one in groups for name in one.assets} == {"client", "server", "printer"}


@pytest.mark.parametrize("variable", ["ringfence_nftables", "ringfence_iptables"])
def test_a_host_that_cannot_is_named_by_plan_and_check(variable: str) -> None:
    asset = machine(ROUTER, enforcer="iptables", attributes={variable: {"forwards": True}})
    draft = planned(compiled(*OTHERS, asset))
    assert draft.plan.hosts[ROUTER].enforcer == "iptables"
    (told,) = [one for one in said(compiled(*OTHERS, asset)) if one.startswith(ROUTER)]
    assert told == f"{ROUTER}: iptables cannot judge what a host forwards, so all of that passes"


def test_a_host_that_observes_denies_nothing_but_what_is_urgent() -> None:
    made = compiled(*OTHERS, router(), modes={ROUTER: Mode.OBSERVE})
    draft = planned(made)
    tables = [table_of(draft.tables[one.table]) for one in draft.plan.hosts[ROUTER].forwarded]
    cells = [cell for table in tables for way in Direction for cell in table.direction(way).cells]
    assert {piece[2].effect for cell in cells for piece in cell.services.pieces} == {Effect.ALLOW, Effect.WATCH}
    assert f"{ROUTER} only observes what it forwards: printer is denied nothing there" in said(made)
    urgent = replace(rule(9, "client", "printer", "tcp/1"), tier="emergency", action=Action.DENY)
    draft = planned(compiled(*OTHERS, router(), modes={ROUTER: Mode.OBSERVE}, rules=(urgent,)))
    (group,) = [one for one in draft.plan.hosts[ROUTER].forwarded if "printer" in one.assets]
    denied = [
        piece[2].rule
        for cell in table_of(draft.tables[group.table]).inbound.cells
        for piece in cell.services.pieces
        if piece[2].effect is Effect.DENY
    ]
    assert (set(denied), group.cut) == ({urgent.id}, True)


def test_explain_names_who_cuts_it_on_the_way() -> None:
    def notes(made: Compilation, client: str, server: str, service: str) -> list[str]:
        found = explain(made, client, server, parse_service(service))
        return [note for side in found.sides for note in side.notes]

    made = compiled()
    assert notes(made, "client", "printer", "tcp/9100") == [f"cut by {ROUTER}, where it forwards it"] * 2
    assert notes(made, "server", "printer", "tcp/9100") == [f"judged by {ROUTER}, where it forwards it"]
    assert notes(made, "client", "server", "tcp/80") == []
    observing = compiled(modes={ROUTER: Mode.OBSERVE})
    assert notes(observing, "client", "printer", "tcp/9100")[-1] == (
        f"{ROUTER} only observes what it forwards, so it passes there"
    )
    nobody = notes(compiled(*OTHERS, machine(ROUTER)), "client", "printer", "tcp/9100")
    assert nobody[-1].startswith("no host is asked to judge what it forwards for it")
