"""Policies: what is written means what the grammar says."""

from pathlib import Path

import pytest
from ringfence.language import load_policy, load_settings
from ringfence.language.policies import read_again, read_texts
from ringfence.model.addresses import addresses_of
from ringfence.model.rules import Action, Direction, Mode, Peer, Process, Rule, Settings
from ringfence.model.selectors import (
    ANY,
    EVERY_ASSET,
    AddressIn,
    AllOf,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
)
from ringfence.model.services import ANY_SERVICE, parse_service, union

from tests.unit.language.policy_text import errors_of, policy_of, written

SHOP = """
    # policy/shop.yml
    scope: {app: shop}
    rules:
      - name: web to api
        from: {role: web}
        to: {role: api}
        allow: tcp/8443
      - name: api to database
        from: {role: api, process: {unit: shop-api.service}}
        to: {role: db, process: {unit: postgresql.service}}
        allow: postgresql
      - name: payment provider
        from: {role: api}
        to: {fqdn: api.payments.example}
        allow: https
    ---
    # policy/guardrails.yml
    tier: guardrail
    rules:
      - name: dev never reaches prod
        from: {env: dev}
        to: {env: prod}
        deny: any
    ---
    # policy/enforcement.yml
    enforce:
      - where: {app: shop, env: dev}
        mode: full
      - where: {app: shop, env: prod}
        mode: {inbound: full, outbound: observe}
      - where: any
        mode: observe
    ---
    # policy/tests/shop.yml
    tests:
      - name: the shop works
        from: {app: shop, role: web}
        to: {app: shop, role: api}
        service: tcp/8443
        expect: allow
    invariants:
      - name: cardholder data is reached by payment only
        to: {pci: "true"}
        from: [{not: {app: payment}}, unknown]
        expect: deny            # proven for every asset, address, port and process, not sampled
    """
IN_SHOP = LabelIn("app", ("shop",))


def label(key: str, *values: str) -> LabelIn:
    return LabelIn(key, values)


def selector_of(directory: Path, text: str, more: str = "") -> Selector:
    (rule,) = policy_of(directory, f"{more}rules:\n  - from: any\n    to: {text}\n    allow: any\n").rules
    return rule.destinations[0].selector


def rule_of(directory: Path, text: str) -> Rule:
    (rule,) = policy_of(directory, f"rules:\n  - {{from: any, to: any, {text}}}\n").rules
    return rule


def test_the_sample_of_the_workspace_is_read(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, SHOP)
    web, database, payment, guardrail = policy.rules
    assert web.name == "web to api"
    assert str(web.place) == "policy/shop.yml:5:5"
    assert web.sources == (Peer(AllOf((IN_SHOP, label("role", "web")))),)
    assert web.action is Action.ALLOW
    assert web.services == parse_service("tcp/8443")
    assert (web.tier, web.priority, web.sides, web.log) == ("application", 100, frozenset(Direction), False)
    assert database.destinations == (
        Peer(AllOf((IN_SHOP, label("role", "db"))), Process(units=("postgresql.service",))),
    )
    assert payment.destinations == (Peer(FqdnIs("api.payments.example")),)
    assert (guardrail.tier, guardrail.action, guardrail.services) == ("guardrail", Action.DENY, ANY_SERVICE)
    assert guardrail.sources == (Peer(label("env", "dev")),)
    assert [(one.inbound, one.outbound) for one in policy.enforcement] == [
        (Mode.FULL, Mode.FULL),
        (Mode.FULL, Mode.OBSERVE),
        (Mode.OBSERVE, Mode.OBSERVE),
    ]
    assert policy.enforcement[2].where == ANY
    (test,) = policy.tests
    assert (test.name, test.expect, test.services) == ("the shop works", Action.ALLOW, parse_service("tcp/8443"))
    (invariant,) = policy.invariants
    assert invariant.sources == (Peer(Not(label("app", "payment"))), Peer(Unknown()))
    assert invariant.destinations == (Peer(label("pci", "true")),)
    assert invariant.services is None


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("any", ANY),
        ("unknown", Unknown()),
        ("internet", Internet()),
        ("{role: web}", label("role", "web")),
        ("{role: [web, api, web]}", label("role", "web", "api")),
        ("{role: on, env: no}", AllOf((label("role", "on"), label("env", "no")))),
        ("{role: 'true'}", label("role", "true")),
        ("{role: ''}", label("role", "")),
        ("{pci: {exists: true}}", LabelExists("pci")),
        ("{pci: {exists: false}}", LabelExists("pci", exists=False)),
        ("{}", EVERY_ASSET),
        ("{not: {role: web}}", Not(label("role", "web"))),
    ],
)
def test_a_selector_means(text: str, selector: Selector, tmp_path: Path) -> None:
    assert selector_of(tmp_path, text) == selector


def test_a_mapping_combines_labels_with_all_any_and_not(tmp_path: Path) -> None:
    found = selector_of(tmp_path, "{env: prod, any: [{role: web}, {role: api}], not: {loc: aws}, all: [internet]}")
    assert found == AllOf(
        (
            label("env", "prod"),
            AnyOf((label("role", "web"), label("role", "api"))),
            Not(label("loc", "aws")),
            AllOf((Internet(),)),
        )
    )


def test_networks_leave_out_their_exceptions(tmp_path: Path) -> None:
    found = selector_of(tmp_path, "{cidr: [10.0.0.0/8, '2001:db8::/32'], except: 10.1.0.0/16}")
    assert found == AddressIn(
        addresses_of(["10.0.0.0/8", "2001:db8::/32"]) - addresses_of(["10.1.0.0/16"]),
        "10.0.0.0/8, 2001:db8::/32 except 10.1.0.0/16",
    )


def test_assets_are_named_one_or_several(tmp_path: Path) -> None:
    assert selector_of(tmp_path, "{asset: web-1}") == AssetNamed("web-1")
    assert selector_of(tmp_path, "{asset: [a, b]}") == AnyOf((AssetNamed("a"), AssetNamed("b")))


def test_a_dns_name_is_kept_in_lower_case_without_its_final_dot(tmp_path: Path) -> None:
    assert selector_of(tmp_path, "{fqdn: API.Example.org.}") == FqdnIs("api.example.org")


def test_definitions_of_any_file_hold_in_all_files(tmp_path: Path) -> None:
    use = """
        rules:
          - from: [{selector: front}, {list: office}]
            to: {env: prod, not: {selector: front}}
            allow: [shop-api, ssh]
        """
    define = """
        selectors:
          front: {selector: web, env: prod}
          web: {role: [web, proxy]}
        services:
          shop-api: [tcp/8443, grpc]
          grpc: tcp/9000-9010
          ssh: tcp/2222
        lists:
          office: [192.0.2.0/24, "2001:db8:1::/48"]
        """
    (rule,) = policy_of(tmp_path, use, define).rules
    front = AllOf((label("role", "web", "proxy"), label("env", "prod")))
    office = AddressIn(addresses_of(["192.0.2.0/24", "2001:db8:1::/48"]), "office")
    assert rule.sources == (Peer(front), Peer(office))
    assert rule.destinations == (Peer(AllOf((label("env", "prod"), Not(front)))),)
    assert rule.services == union(parse_service(text) for text in ("tcp/8443", "tcp/9000-9010", "tcp/2222"))


def test_what_is_wrong_in_a_definition_is_told_once_however_often_it_is_used(tmp_path: Path) -> None:
    text = "lists: {l: [10.0.0.1/8]}\nservices: {s: tpc}\nselectors: {x: {role: 7}}\nrules:\n" + (
        "  - from: [{list: l}, {selector: x}]\n    to: any\n    allow: s\n" * 3
    )
    assert [place for place, _, _ in errors_of(tmp_path, text)] == [
        "policy/shop.yml:1:13",
        "policy/shop.yml:2:15",
        "policy/shop.yml:3:23",
    ]


def test_the_scope_is_anded_to_labels_and_not_to_addresses(tmp_path: Path) -> None:
    text = """
        scope: {app: shop}
        rules:
          - from: [{role: web}, {role: lb, scope: none}, any, unknown, {cidr: 10.0.0.0/8}]
            to: {process: {unit: shop.service}}
            allow: any
        """
    (rule,) = policy_of(tmp_path, text).rules
    assert [peer.selector for peer in rule.sources] == [
        AllOf((IN_SHOP, label("role", "web"))),
        label("role", "lb"),
        ANY,
        Unknown(),
        AddressIn(addresses_of(["10.0.0.0/8"]), "10.0.0.0/8"),
    ]
    assert rule.destinations == (Peer(AllOf((IN_SHOP, EVERY_ASSET)), Process(units=("shop.service",))),)


def test_processes_are_named_one_or_several(tmp_path: Path) -> None:
    text = r"""
        rules:
          - from:
              - {role: a, process: {unit: [x.service, y@1.service], user: backup}}
              - {role: b, process: {program: 'C:\Program Files\App\app.exe'}}
              - {role: c, process: {service: W3SVC}}
            to: any
            allow: tcp/443
        """
    (rule,) = policy_of(tmp_path, text).rules
    assert [peer.process for peer in rule.sources] == [
        Process(units=("x.service", "y@1.service"), users=("backup",)),
        Process(programs=(r"C:\Program Files\App\app.exe",)),
        Process(services=("W3SVC",)),
    ]


@pytest.mark.parametrize(
    ("text", "sides"),
    [("at: from", {Direction.OUT}), ("at: to", {Direction.IN}), ("at: both", set(Direction)), ("", set(Direction))],
)
def test_a_rule_speaks_for_the_sides_it_names(text: str, sides: set[Direction], tmp_path: Path) -> None:
    assert rule_of(tmp_path, f"allow: any, {text}").sides == sides


def test_the_priority_of_a_rule_goes_before_that_of_its_ruleset(tmp_path: Path) -> None:
    text = (
        "priority: 20\nrules:\n  - {from: any, to: any, pass: any}\n  - {from: any, to: any, deny: tcp, priority: 0}\n"
    )
    assert [(rule.action, rule.priority) for rule in policy_of(tmp_path, text).rules] == [
        (Action.PASS, 20),
        (Action.DENY, 0),
    ]


def test_a_direction_that_no_mode_is_given_for_observes(tmp_path: Path) -> None:
    text = "enforce:\n  - {where: any, mode: {outbound: selective}, cut: true}\n"
    (entry,) = policy_of(tmp_path, text).enforcement
    assert (entry.inbound, entry.outbound, entry.cut) == (Mode.OBSERVE, Mode.SELECTIVE, True)


def test_an_invariant_without_from_and_to_is_about_everybody(tmp_path: Path) -> None:
    (invariant,) = policy_of(tmp_path, "invariants:\n  - {expect: deny, services: [tcp/23]}\n").invariants
    assert (invariant.sources, invariant.destinations) == ((Peer(ANY),), (Peer(ANY),))
    assert invariant.services == parse_service("tcp/23")


def test_a_name_that_was_not_written_is_derived(tmp_path: Path) -> None:
    text = "rules:\n  - from: {role: [web, api]}\n    to: {role: db, process: {unit: pg.service}}\n    allow: tcp\n"
    assert policy_of(tmp_path, text).rules[0].name == "role=web|api to role=db [unit pg.service]"


def test_empty_files_and_documents_say_nothing(tmp_path: Path) -> None:
    assert policy_of(tmp_path, "", "# only a comment\n", "---\n---\nrules: []\n...\n").rules == ()


def test_anchors_and_aliases_are_written_once_and_used_twice(tmp_path: Path) -> None:
    text = "rules:\n  - {from: &web {role: web}, to: *web, allow: tcp/80}\n"
    (rule,) = policy_of(tmp_path, text).rules
    assert rule.sources == rule.destinations


def test_a_workspace_with_tiers_of_its_own_wants_them_named(tmp_path: Path) -> None:
    path = written(tmp_path, "rules:\n  - {from: any, to: any, allow: any}\n")
    with pytest.raises(Exception, match="this workspace has no tier 'application'") as caught:
        load_policy([path], Settings(tiers=("emergency", "first", "last")), tmp_path)
    assert caught.value.remedy == "say 'tier:' one of emergency, first, last"  # type: ignore[attr-defined]  # InputErrors


@pytest.mark.parametrize(
    ("mapped", "plain"),
    [
        ("{cidr: '::ffff:10.0.7.7'}", "{cidr: 10.0.7.7}"),
        ("{cidr: ['::ffff:0a00:0707', 10.1.0.0/16]}", "{cidr: [10.0.7.7, 10.1.0.0/16]}"),
        ("{cidr: 10.0.0.0/8, except: '::ffff:10.0.7.0/120'}", "{cidr: 10.0.0.0/8, except: 10.0.7.0/24}"),
        ("{cidr: '::ffff:10.0.7.1-::ffff:10.0.7.9'}", "{cidr: 10.0.7.1-10.0.7.9}"),
        ("{list: mapped}", "{list: plain}"),
    ],
)
def test_an_ipv4_address_mapped_into_ipv6_chooses_the_ipv4_address(mapped: str, plain: str, tmp_path: Path) -> None:
    lists = "lists: {mapped: '::ffff:10.0.7.0/120', plain: 10.0.7.0/24}\n"
    found = [selector_of(tmp_path, text, lists) for text in (mapped, plain)]
    assert all(isinstance(one, AddressIn) for one in found)
    assert len({one.addresses for one in found if isinstance(one, AddressIn)}) == 1


def test_private_ranges_may_be_written_mapped_into_ipv6(tmp_path: Path) -> None:
    path = written(tmp_path, "private: ['::ffff:10.0.0.0/104']\n", "ringfence.yml")
    assert load_settings(path).private_addresses() == addresses_of(["10.0.0.0/8"])


def test_one_file_read_again_gives_what_all_files_read_anew_give() -> None:
    texts = {
        "policy/a.yml": "rules:\n  - {name: one, from: any, to: {role: db}, deny: tcp/1}\nenforce: []\n",
        "policy/b.yml": "services: {shop: tcp/8443}\nrules:\n  - {from: {role: web}, to: any, allow: shop}\n",
        "policy/c/d.yml": "tier: guardrail\nrules:\n  - {name: one, from: any, to: any, deny: tcp/23}\n",
    }
    loaded = read_texts(texts.items(), Settings())
    after = (
        texts["policy/b.yml"].replace("allow: shop", "deny: [shop, tcp/22]") + "  - {from: any, to: any, deny: tcp/3}\n"
    )
    again = read_again(loaded.policy, loaded.definitions, "policy/b.yml", texts["policy/b.yml"], after, Settings())
    assert again == read_texts({**texts, "policy/b.yml": after}.items(), Settings()).policy
    new = "tests: [{from: any, to: any, service: tcp/1, expect: deny}]\n"
    again = read_again(loaded.policy, loaded.definitions, "policy/aa.yml", "", new, Settings())
    assert again == read_texts(sorted({**texts, "policy/aa.yml": new}.items()), Settings()).policy


def test_other_definitions_have_every_file_read_again() -> None:
    before = "services: {shop: tcp/8443}\n"
    loaded = read_texts([("policy/b.yml", before)], Settings())
    after = "services: {shop: tcp/1}\n"
    assert read_again(loaded.policy, loaded.definitions, "policy/b.yml", before, after, Settings()) is None
