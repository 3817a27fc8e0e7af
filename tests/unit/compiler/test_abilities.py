"""Each workload gets a table of what its enforcer can tell apart: process kinds of its platform, listeners, a line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.compiler import Compilation, compile_policy
from ringfence.language import load_policy
from ringfence.model.abilities import LINUX, Abilities
from ringfence.model.addresses import point_of
from ringfence.model.processes import ProcessClass
from ringfence.model.rules import Direction, Process, Settings
from ringfence.model.tables import DEFAULT_RULE, VerdictTable
from ringfence.plan.verdict_table_json import table_of

from tests.other_enforcers import WINDOWS
from tests.unit.estate_factory import SETTINGS, asset, snapshot

RULES = """\
rules:
  - {name: iis, from: any, to: {role: web, process: {service: [W3SVC, WAS]}}, allow: https}
  - {name: nginx, from: any, to: {role: web, process: {unit: nginx.service}}, allow: https}
  - {name: tools, from: {role: web, process: {program: 'C:\\tools\\a.exe'}}, to: {role: web}, allow: ssh}
  - {name: ping, from: any, to: {role: web, process: {service: W3SVC}}, allow: tcp/80}
"""
NEAR, FAR = point_of("10.0.0.2"), point_of("203.0.113.1")
HTTPS = 6 * 65536 + 443


def by_name(name: str) -> Abilities:
    return {"windows": WINDOWS, "nftables": LINUX}[name]


@pytest.fixture
def compiled(tmp_path: Path) -> Compilation:
    path = tmp_path / "policy.yml"
    path.write_text(RULES, encoding="utf-8")
    estate = snapshot(
        asset("linux-1", "10.0.0.1", role="web"),
        replace(asset("win-1", "10.0.0.2", role="web"), enforcer="windows"),
    )
    return compile_policy(estate, load_policy([path], Settings()), SETTINGS, full=True, abilities=by_name)


def passes(table: VerdictTable, direction: Direction, process: ProcessClass, point: int = HTTPS) -> bool:
    return table.direction(direction).services_at(NEAR, process, FAR).outcome(point).passes


def test_each_host_knows_the_processes_of_its_own_platform_alone(compiled: Compilation) -> None:
    linux, windows = compiled.tables["linux-1"], compiled.tables["win-1"]
    assert linux.inbound.named == (("unit", ("nginx.service",)), ("user", ()))
    assert windows.inbound.named == (("program", ()), ("service", ("W3SVC", "WAS")))
    assert windows.outbound.named == (("program", ("C:\\tools\\a.exe",)), ("service", ()))


def test_a_service_of_windows_is_let_in_and_nothing_else_is(compiled: Compilation) -> None:
    windows, linux = compiled.tables["win-1"], compiled.tables["linux-1"]
    assert passes(windows, Direction.IN, ProcessClass(service="WAS"))
    assert not passes(windows, Direction.IN, ProcessClass(service="Spooler"))
    assert not passes(windows, Direction.IN, ProcessClass("nginx.service"))
    assert passes(linux, Direction.IN, ProcessClass("nginx.service"))
    assert not passes(linux, Direction.IN, ProcessClass(service="WAS"))


def test_an_enforcer_without_a_control_path_gets_none(compiled: Compilation) -> None:
    assert compiled.tables["win-1"].control is None
    assert compiled.tables["linux-1"].control == SETTINGS.control


def test_tables_of_both_platforms_are_read_back_to_the_byte(compiled: Compilation) -> None:
    for table in compiled.tables.values():
        assert table_of(table.text()) == table
    data = compiled.tables["win-1"].data()["in"]
    assert isinstance(data, dict)
    assert data["services"] == ["W3SVC", "WAS"]
    assert {cell["service"] for cell in data["cells"]} == {None, "W3SVC", "WAS"}
    assert "unit" not in data["cells"][0]


def test_hosts_of_equal_abilities_share_a_table_whatever_their_enforcers_are_called(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("rules: [{name: web, from: any, to: {role: web}, allow: https}]\n", encoding="utf-8")
    hosts = (asset("a", "10.0.0.1", role="web"), replace(asset("b", "10.0.0.2", role="web"), enforcer="iptables"))
    made = compile_policy(snapshot(*hosts), load_policy([path], Settings()), SETTINGS, abilities=lambda _name: LINUX)
    assert made.tables["a"] is made.tables["b"]


def test_a_class_is_sorted_pairs_of_kind_and_name() -> None:
    assert ProcessClass("a.service", "www").names == (("unit", "a.service"), ("user", "www"))
    assert ProcessClass(service="W3SVC", program="x").data() == {"program": "x", "service": "W3SVC"}
    assert ProcessClass().data() == {"unit": None, "user": None}
    assert str(ProcessClass(service="W3SVC", program="x")) == "x W3SVC"


def test_what_a_peer_names_on_another_platform_is_no_class_of_a_table(compiled: Compilation) -> None:
    windows = compiled.tables["win-1"].inbound
    assert windows.classes_of(Process(units=("nginx.service",))) == frozenset()
    assert windows.classes_of(Process(services=("WAS",))) == {ProcessClass(service="WAS")}
    assert len(windows.classes_of(None)) == 3
    assert windows.cells[0].services.outcome(0).rule == DEFAULT_RULE


def test_the_collection_compares_tables_of_any_platform(compiled: Compilation, tmp_path: Path) -> None:
    windows = compiled.tables["win-1"].data()
    other = json.loads(compiled.tables["win-1"].text().replace("WAS", "Spooler"))
    assert differences(windows, windows) == []
    told = " ".join(str(one["text"]) for one in differences(windows, other))
    assert "(service WAS), tcp/443, is closed and should not be" in told
    assert "(service Spooler), tcp/443, is open and should not be" in told
