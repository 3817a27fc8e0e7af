"""`not` over addresses is told with the way to write what may be meant; what is told means what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.analysis.lint import lint
from ringfence.analysis.peer_resolution import Ends, chosen_outside
from ringfence.compiler import Compilation, compile_policy
from ringfence.language import load_policy
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.intervals import EMPTY, union
from ringfence.model.rules import Settings

from tests.unit.estate_factory import SETTINGS, asset, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", "2001:db8::1", role="web"),
    asset("db-1", "192.168.0.3", role="db"),
    asset("out-1", "203.0.113.7", role="out"),
)
WARNED = (
    "rule 'r' has 'not' over addresses in 'to': it chooses assets alone, never an address of no asset",
    "where that is meant write {all: [{}, {not: …}]}, for every other address ",
)


def compiled(directory: Path, to: str) -> Compilation:
    path = directory / "policy.yml"
    lists = "lists: {lan: [10.0.0.0/8]}\n"
    path.write_text(f"{lists}rules:\n  - {{name: r, from: {{role: web}}, to: {to}, deny: https}}\n", encoding="utf-8")
    return compile_policy(ESTATE, load_policy([path], Settings()), SETTINGS, full=True)


@pytest.mark.parametrize(
    ("to", "every", "kept_out"),
    [
        ("{not: {cidr: 10.0.0.0/8}}", "{cidr: [0.0.0.0/0, '::/0'], except: [10.0.0.0/8]}", ["10.0.0.0/8"]),
        (
            "{not: {cidr: [10.0.0.0/8, '::1']}}",
            "{cidr: [0.0.0.0/0, '::/0'], except: [10.0.0.0/8, '::1']}",
            ["10.0.0.0/8", "::1"],
        ),
        (
            "{not: {cidr: 10.0.0.0/8, except: 10.128.0.0/9}}",
            "[{cidr: [0.0.0.0/0, '::/0'], except: [10.0.0.0/8]}, {cidr: [10.128.0.0/9]}]",
            ["10.0.0.0/9"],
        ),
        (
            "{not: {any: [{cidr: 10.0.0.0/8}, {cidr: 192.168.0.0/16}]}}",
            "{cidr: [0.0.0.0/0, '::/0'], except: [10.0.0.0/8, 192.168.0.0/16]}",
            ["10.0.0.0/8", "192.168.0.0/16"],
        ),
        ("{not: {not: {cidr: '2000::/3'}}}", "{cidr: ['2000::/3']}", ["0.0.0.0/0", "::/3", "4000::/2", "8000::/1"]),
    ],
)
def test_not_over_addresses_is_told_with_what_to_write(
    to: str, every: str, kept_out: list[str], tmp_path: Path
) -> None:
    (found,) = lint(compiled(tmp_path, to))
    assert (found.message, found.remedy) == (WARNED[0], f"{WARNED[1]}{every}")
    (rule,) = compiled(tmp_path, every).policy.rules
    outside = union(chosen_outside(peer.selector, EVERY_ADDRESS, EMPTY) for peer in rule.destinations)
    assert outside == EVERY_ADDRESS - addresses_of(kept_out), "what is shown chooses every other address"


@pytest.mark.parametrize(
    "to",
    [
        "{all: [{cidr: 10.0.0.0/8}, {not: {cidr: 10.1.0.0/16}}]}",
        "{not: {list: lan}}",
        "{not: internet}",
        "{not: {any: [{role: web}, {cidr: 10.0.0.0/8}]}}",
        "[{role: web}, {not: {cidr: 10.0.0.0/8}}]",
    ],
)
def test_not_over_addresses_is_told_wherever_it_stands(to: str, tmp_path: Path) -> None:
    (found,) = lint(compiled(tmp_path, to))
    assert found.message == WARNED[0]
    assert str(found.remedy).startswith(WARNED[1])


@pytest.mark.parametrize(
    "to",
    [
        "{not: {role: web}}",
        "{role: web, not: {cidr: 10.1.0.0/16}}",
        "{all: [{}, {not: {cidr: 10.0.0.0/8}}]}",
        "{cidr: [0.0.0.0/0, '::/0'], except: [10.0.0.0/8]}",
        "{all: [{role: [web, db]}, {not: {not: {cidr: 10.0.0.0/8}}}]}",
        "unknown",
    ],
)
def test_not_over_labels_or_beside_labels_is_what_it_looks_like(to: str, tmp_path: Path) -> None:
    assert lint(compiled(tmp_path, to)) == []


def test_what_is_shown_for_assets_alone_chooses_what_not_chose(tmp_path: Path) -> None:
    plain, shown = (
        Ends(ESTATE, SETTINGS).assets([compiled(tmp_path, to).policy.rules[0].destinations[0].selector])
        for to in ("{not: {cidr: 10.0.0.0/8}}", "{all: [{}, {not: {cidr: 10.0.0.0/8}}]}")
    )
    assert plain == shown


def test_tests_and_invariants_are_told_too(tmp_path: Path) -> None:
    path = tmp_path / "tests.yml"
    path.write_text(
        "tests: [{name: t, from: {role: web}, to: {not: {cidr: 10.0.0.0/8}}, service: ssh, expect: deny}]\n"
        "invariants: [{name: i, from: {not: {cidr: 10.0.0.0/8}}, to: {role: web}, expect: deny}]\n",
        encoding="utf-8",
    )
    made = compile_policy(ESTATE, load_policy([path], Settings()), SETTINGS, full=True)
    assert [problem.message.split(" has")[0] for problem in lint(made)] == ["test 't'", "invariant 'i'"]


def test_an_alternative_that_can_choose_nothing_is_told(tmp_path: Path) -> None:
    (found,) = lint(compiled(tmp_path, "[{role: db}, {all: [{cidr: 10.0.0.0/8}, {cidr: 192.168.0.0/16}]}]"))
    assert found.message == "rule 'r' has a part that never matches: '10.0.0.0/8 and 192.168.0.0/16' in 'to'"
