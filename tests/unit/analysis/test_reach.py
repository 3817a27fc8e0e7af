"""Reach, invariants and differences say exactly what the tables say."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from ringfence.analysis.difference import difference
from ringfence.analysis.reach import Row, reach
from ringfence.analysis.reachability import Crossings
from ringfence.compiler import compile_policy
from ringfence.compiler.compilation import Compilation
from ringfence.model.addresses import address_text, family_of
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Direction, Mode, Peer
from ringfence.model.selectors import ANY
from ringfence.model.services import ANY_SERVICE, EVERY_SERVICE, ICMP, ICMPV6, block_of
from ringfence.model.tables import ProcessClass

from tests.conformance.strategies import Case, cases
from tests.examples import costly_examples
from tests.unit.estate_factory import SETTINGS, asset, cidr, labelled, policy, rule, snapshot

relaxed = settings(
    max_examples=costly_examples(60), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def compiled(case: Case) -> Compilation:
    return compile_policy(case.snapshot, case.policy, case.settings)


def passing(made: Compilation, client: str, a: int, server: str, b: int) -> dict[tuple[object, object], IntervalSet]:
    """Return what passes for every pair of process classes, straight from the cells."""
    sides = []
    for name, direction, local, remote in ((client, Direction.OUT, a, b), (server, Direction.IN, b, a)):
        table = made.tables.get(name)
        if table is None:
            sides.append({ProcessClass(): EVERY_SERVICE})
            continue
        directed = table.direction(direction)
        sides.append({c: directed.services_at(local, c, remote).passing() for c in directed.process_classes})
    return {(p, q): s & t for p, s in sides[0].items() for q, t in sides[1].items()}


@relaxed
@given(cases())
def test_rows_between_addresses_are_what_both_tables_let_pass(case: Case) -> None:
    made = compiled(case)
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in reach(made, by_address=True):
        rows.setdefault((row.client, row.server), []).append(row)
    for client in made.snapshot.assets:
        for server in made.snapshot.assets:
            if client.name == server.name or server.realm not in made.settings.sees(client.realm):
                continue
            for a in client.addresses:
                for b in server.addresses:
                    if family_of(a) != family_of(b) or shared(made, a) or shared(made, b):
                        continue
                    found = rows.get((address_text(a), address_text(b)), [])
                    for (p, q), services in passing(made, client.name, a, server.name, b).items():
                        assert services == said(found, p, q)


def shared(made: Compilation, point: int) -> bool:
    return sum(point in one.addresses for one in made.snapshot.assets) > 1


def said(rows: list[Row], p: object, q: object) -> IntervalSet:
    total = EMPTY
    for row in rows:
        if row.client_process in (None, p) and row.server_process in (None, q):
            total = total | row.services
    return total


@relaxed
@given(cases())
def test_crossings_pass_if_and_only_if_reach_has_a_row(case: Case) -> None:
    made = compiled(case)
    everyone = (Peer(ANY),)
    rows: dict[tuple[str, str], IntervalSet] = {}
    for row in reach(made):
        rows[row.client, row.server] = rows.get((row.client, row.server), EMPTY) | row.services
    crossed: dict[tuple[str, str], IntervalSet] = {}
    for crossing in Crossings(made).passing(everyone, everyone, ANY_SERVICE):
        if crossing.members:
            continue  # rows between assets are for addresses in no dynamic set
        for client in crossing.client_group.assets:
            for server in crossing.server_group.assets:
                pairs = [a for a in client.addresses if a in crossing.clients]
                if client.name != server.name and pairs and any(b in crossing.servers for b in server.addresses):
                    key = client.name, server.name
                    services = crossing.services
                    if all(len({family_of(one) for one in end.addresses}) == 2 for end in (client, server)):
                        # one family's ICMP is no answer for the other's
                        services = services - block_of(ICMPV6 if family_of(pairs[0]) == 4 else ICMP)
                    if services:
                        crossed[key] = crossed.get(key, EMPTY) | services
    for (client_name, server_name), services in crossed.items():
        assert rows[client_name, server_name] == services
    names = {one.name for one in made.snapshot.assets if one.name in made.tables}
    assert {key for key in rows if names.issuperset(key)} == {key for key in crossed if names.issuperset(key)}


@relaxed
@given(cases(), cases())
def test_a_difference_names_every_changed_outcome(before_case: Case, after_case: Case) -> None:
    before = compile_policy(before_case.snapshot, before_case.policy, before_case.settings).tables
    after = compile_policy(before_case.snapshot, after_case.policy, after_case.settings).tables
    if {r.tier for r in after_case.policy.rules} - {"emergency", *after_case.settings.tiers}:
        return
    told = {name: one for one in difference(before, after) for name in one.workloads}
    for name in before:
        for direction in Direction:
            old, new = before[name].direction(direction), after[name].direction(direction)
            for one in old.cells:
                for other in new.cells:
                    membership = one.membership.merged(other.membership)
                    if one.process != other.process or membership is None:
                        continue
                    local, remote = one.local & other.local, one.remote & other.remote
                    if not local or not remote:
                        continue
                    for low, _, outcome in one.services.pieces:
                        if other.services.outcome(low) != outcome:
                            point, far = local.intervals[0][0], remote.intervals[0][0]
                            assert any(
                                c.direction is direction
                                and (c.process, c.before, c.after)
                                == (one.process, outcome, other.services.outcome(low))
                                and point in c.local
                                and far in c.remote
                                and low in c.services
                                and membership.merged(c.membership) == membership
                                for c in told[name].changes
                            )


def test_addresses_of_no_asset_are_ranges_with_equal_neighbours_fused() -> None:
    estate = snapshot(asset("web", "10.0.0.1", role="web"))
    made = compile_policy(estate, policy(rule("r", labelled(role="web"), ANY, "https")), SETTINGS)
    rows = [row.data() for row in reach(made)]
    assert rows == [
        {"from": "web", "to": "0.0.0.0-10.0.0.0", "allow": ["tcp/443"]},
        {"from": "web", "to": "10.0.0.2-255.255.255.255", "allow": ["tcp/443"]},
    ]


def test_a_single_address_of_no_asset_is_no_range() -> None:
    estate = snapshot(asset("web", "10.0.0.1", role="web"))
    made = compile_policy(estate, policy(rule("r", labelled(role="web"), cidr("10.9.0.9"), "https")), SETTINGS)
    assert [row.data()["to"] for row in reach(made)] == ["10.9.0.9"]


def test_a_row_that_holds_for_some_processes_only_says_so() -> None:
    estate = snapshot(asset("web", "10.0.0.1", role="web"), asset("db", "10.0.0.2", role="db"))
    rules = policy(
        rule("a", labelled(role="web"), labelled(role="db"), "tcp/1", to_unit="db.service"),
        rule("b", labelled(role="web"), labelled(role="db"), "tcp/2"),
    )
    rows = [row.data() for row in reach(compile_policy(estate, rules, SETTINGS))]
    assert rows == [
        {"from": "web", "to": "db", "allow": ["tcp/2"]},
        {"from": "web", "to": "db", "allow": ["tcp/1"], "to_process": {"unit": "db.service"}},
    ]


def test_nothing_is_added_or_lost_without_a_change() -> None:
    estate = snapshot(asset("web", "10.0.0.1", role="web"))
    tables = compile_policy(estate, policy(mode=Mode.FULL), SETTINGS).tables
    assert difference(tables, tables) == []
    assert difference({}, tables)[0].added
