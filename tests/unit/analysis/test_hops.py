"""What is reached from an asset over hops is what a plain search over the rows of `reach` finds."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import HealthCheck, given, settings
from ringfence.analysis.blast import Blast, Compared, blast
from ringfence.analysis.hops import Hops
from ringfence.analysis.reach import reach
from ringfence.compiler import Compilation, compile_policy
from ringfence.model.assets import Snapshot
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Mode, Policy, Settings
from ringfence.model.services import ICMP, ICMPV6, block_of, parse_service, service_texts
from ringfence.plan.verdict_table_json import table_of

from tests.conformance.strategies import Case, cases
from tests.examples import costly_examples
from tests.unit import estate_factory as factory

CHAIN = factory.snapshot(
    factory.asset("web-1", "10.0.0.1", role="web"),
    factory.asset("web-2", "10.0.0.2", role="web"),
    factory.asset("api-1", "10.0.1.1", role="api"),
    factory.asset("db-1", "10.0.2.1", role="db"),
    factory.asset("db-2", "10.0.2.2", role="db"),
    factory.asset("printer", "10.0.3.1", workload=False, role="printer"),
)
WEB, API, DB = (factory.labelled(role=role) for role in ("web", "api", "db"))
WEB_API, API_DB = factory.rule("web", WEB, API, "tcp/8443"), factory.rule("api", API, DB, "tcp/5432")


Rows = dict[str, dict[str, IntervalSet]]


def rows_of(compilation: Compilation) -> Rows:
    """Return what passes from every asset to every other, by the rows of `reach`."""
    names = {asset.name for asset in compilation.snapshot.assets}
    rows: Rows = defaultdict(dict)
    for row in reach(compilation):
        if row.client in names and row.server in names:
            rows[row.client][row.server] = rows[row.client].get(row.server, EMPTY) | row.services
    return rows


def searched(rows: Rows, start: str) -> tuple[dict[str, int], dict[str, IntervalSet]]:
    """Return the hops to every asset, and the services of the first hop, by the rows of `reach`."""
    hops, level = {start: 0}, [start]
    while level:
        found = {server for client in level for server in rows[client] if server not in hops}
        hops.update(dict.fromkeys(found, hops[level[0]] + 1))
        level = sorted(found)
    return {name: hop for name, hop in hops.items() if hop}, rows[start]


@settings(max_examples=costly_examples(40), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases())
def test_hops_are_those_of_a_search_over_the_rows_of_reach(case: Case) -> None:
    compilation = compile_policy(case.snapshot, case.policy, case.settings)
    read = {name: table_of(table.text()) for name, table in compilation.tables.items()}
    icmp = block_of(ICMP) | block_of(ICMPV6)
    rows = rows_of(compilation)
    for asset in case.snapshot.assets:
        if not asset.addresses:
            continue
        hops, direct = searched(rows, asset.name)
        for tables in (compilation.tables, read):
            spread = Hops(asset, case.snapshot, case.settings, tables).spread()
            reached = {name: step for name, (_, step, _) in spread.assets().items() if step.services - icmp}
            assert {name: step.hop for name, (_, step, _) in spread.assets().items()} == hops
            for name, step in reached.items():
                if step.hop == 1:
                    assert step.services - icmp == direct[name] - icmp


def of_chain(
    draft: Policy, now: Policy | None = None, start: str = "web-1", most: int | None = None, service: str = ""
) -> Blast:
    tables = {} if now is None else compile_policy(CHAIN, now, Settings()).tables
    estate = Compared(CHAIN, Settings(), tables, compile_policy(CHAIN, draft, Settings()).tables, ("role",))
    return blast(CHAIN.named()[start], estate, parse_service(service) if service else None, most)


def summary(found: Blast, now: bool = False) -> list[tuple[int, str, int]]:
    return [(one.hop, dict(one.labels)["role"], len(one.assets)) for one in (found.now if now else found.draft).groups]


def test_every_hop_is_told_with_its_services_and_the_way() -> None:
    found = of_chain(factory.policy(WEB_API, API_DB))
    assert summary(found) == [(1, "api", 1), (2, "db", 2)]
    databases = found.draft.groups[1]
    assert [(name, service_texts(services)) for name, _, services in databases.path] == [
        ("api-1", ("tcp/8443",)),
        ("db-1", ("tcp/5432",)),
    ]
    assert summary(of_chain(factory.policy(WEB_API, API_DB), most=1)) == [(1, "api", 1)]
    assert summary(of_chain(factory.policy(WEB_API, API_DB), service="tcp/8443")) == [(1, "api", 1)]


def test_what_is_not_enforced_is_open_and_counted() -> None:
    found = of_chain(factory.policy(WEB_API, API_DB, mode=Mode.OBSERVE))
    assert (found.now.enforced, found.draft.enforced) == (False, True)
    assert (found.now.count, found.now.unenforced, found.draft.unenforced) == (5, 5, 1)
    assert found.now.hops == {1: 5}
    assert set(found.now.outside) == {"internet", "other addresses of no asset"}


def test_the_draft_is_told_by_what_it_adds_and_takes_away() -> None:
    now = factory.policy(WEB_API, API_DB, factory.rule("ssh", WEB, API, "tcp/22"))
    draft = factory.policy(WEB_API, factory.rule("web", WEB, WEB, "tcp/80"), factory.rule("dns", WEB, API, "udp/53"))
    found = of_chain(draft, now)
    assert [(one.hop, dict(one.labels)["role"]) for one in found.new] == [(1, "web")]
    assert [(one.hop, dict(one.labels)["role"], one.assets) for one in found.lost] == [(2, "db", ("db-1", "db-2"))]
    assert [service_texts(one.services) for one in found.gained] == [("udp/53",)]
    assert [service_texts(one.services) for one in found.closed] == [("tcp/22",)]


def test_the_quarantine_that_cuts_most_off_is_named() -> None:
    (best,) = of_chain(factory.policy(), factory.policy(WEB_API, API_DB)).candidates
    assert (best.assets, best.fewer) == (("api-1",), 2)
    around = factory.policy(WEB_API, API_DB, factory.rule("direct", WEB, DB, "tcp/1"))
    assert of_chain(factory.policy(), around).candidates == ()


def test_realms_that_do_not_see_each_other_are_out_of_reach() -> None:
    estate: Snapshot = factory.snapshot(
        factory.asset("a", "10.0.0.1", realm="a"), factory.asset("b", "10.0.0.2", realm="b")
    )
    asset = estate.named()["a"]
    assert not Hops(asset, estate, Settings(), {}).spread().steps
    assert Hops(asset, estate, Settings(realms={"a": ("b",)}), {}).spread().assets().keys() == {"b"}
