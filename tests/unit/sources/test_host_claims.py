"""The addresses that a host says it has, and labels that rest on its word: told, and a person decides more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset
from ringfence.model.identity import Identity
from ringfence.model.rules import Settings
from ringfence.sources.claims import Claim, judged
from ringfence.sources.identity import one_asset_each
from ringfence.sources.labelling import apply_label_rules
from ringfence.sources.told_labels import mark_told

from tests.unit.sources.asset_factory import rule
from tests.unit.sources.told_factory import host, vm

UUID = "420a1b2c-3d4e-5f60-8192-a3b4c5d6e7f8"


def judge(*assets: Asset, accepted: frozenset[Claim] | None = None, settings: Settings | None = None):
    found, claims = judged(assets, settings or Settings(), accepted, gathered=True)
    held = {one.name: [address_text(point) for point in one.addresses] for one in found}
    return held, claims, "\n".join(map(str, claims.problems()))


def test_the_first_gathering_counts_and_a_new_address_waits_for_a_person():
    held, claims, said = judge(host("web-9", "10.1.0.9", claims=("10.7.0.1", "10.7.0.2")))
    assert held == {"web-9": ["10.1.0.9", "10.7.0.1", "10.7.0.2"]}
    assert (claims.first, said) == (True, "")
    accepted = frozenset(claims.counted)
    held, claims, said = judge(host("web-9", "10.1.0.9", claims=("10.7.0.1", "10.9.9.9")), accepted=accepted)
    assert held == {"web-9": ["10.1.0.9", "10.7.0.1"]}
    assert claims.waiting == (Claim("web-9", "10.9.9.9"),)
    assert "'web-9' says that it has 10.9.9.9" in said
    assert "ringfence assets accept" in said


def test_an_address_in_a_trusted_network_needs_no_person():
    settings = Settings(trusted=("10.9.0.0/16",))
    held, _, said = judge(
        host("web-9", "10.1.0.9", claims=("10.9.9.9", "10.8.0.1")), accepted=frozenset(), settings=settings
    )
    assert held == {"web-9": ["10.1.0.9", "10.9.9.9"]}
    assert "10.9.9.9" not in said


@pytest.mark.parametrize("trusted", [(), ("10.0.0.0/8",)])
@pytest.mark.parametrize("accepted", [None, frozenset({Claim("web-9", "10.1.0.7")})])
def test_an_address_that_a_source_gives_to_somebody_else_never_counts(trusted, accepted):
    settings = Settings(trusted=trusted)
    both = (host("web-9", "10.1.0.9", claims=("10.1.0.7",)), vm("vm-pay", "10.1.0.7"))
    held, claims, said = judge(*both, accepted=accepted, settings=settings)
    assert held == {"web-9": ["10.1.0.9"], "vm-pay": ["10.1.0.7"]}
    assert claims.others == ((Claim("web-9", "10.1.0.7"), "vm-pay"),)
    assert "'web-9' says that it has 10.1.0.7 of 'vm-pay'" in said


def test_an_address_of_another_realm_is_not_somebody_elses():
    blue = replace(vm("vm-blue", "10.1.0.7"), realm="blue")
    held, _, _ = judge(host("web-9", "10.1.0.9", claims=("10.1.0.7",)), blue)
    assert held["web-9"] == ["10.1.0.7", "10.1.0.9"]
    seen = Settings(realms={"default": ("blue",)})
    held, _, _ = judge(host("web-9", "10.1.0.9", claims=("10.1.0.7",)), blue, settings=seen)
    assert held["web-9"] == ["10.1.0.9"]


def labelled(rules, *assets: Asset):
    found, _ = apply_label_rules(assets, rules)
    return mark_told(found, rules)


def test_a_label_that_rests_on_a_hosts_word_is_marked_and_told():
    told = host("db-1", "10.1.0.5", says={"ports": ["tcp/5432"], "os_family": "Debian"})
    rules = [
        rule(2, "role", "'db'", when="contains(not_null(facts.ports, `[]`), 'tcp/5432')"),
        rule(3, "env", "tier"),
    ]
    told = replace(told, attributes={**told.attributes, "tier": "prod"})
    (found,), (problem,) = labelled(rules, told)
    assert (found.labels["role"].told, found.labels["env"].told) == ("db-1", "")
    assert str(problem).startswith(
        "labels.yml:2:5: the rule for 'role' rests on what hosts say of themselves: it labels"
    )
    assert "'db-1'" in problem.message
    assert "trust: facts" in str(problem.remedy)


def test_a_rule_that_says_trust_is_not_told_and_its_labels_stay_marked():
    rules = [replace(rule(2, "os", "facts.os_family"), trusts_facts=True)]
    (found,), problems = labelled(rules, host("db-1", says={"os_family": "Debian"}))
    assert found.labels["os"].told == "db-1"
    assert problems == []


@pytest.mark.parametrize(
    ("expression", "when"),
    [
        ("listeners[0].unit", None),
        ("'db'", "length(listeners) > `0`"),
        ("@.facts.os_family", None),
        ("values(@)[?os_family] | [0].os_family", None),
        ("not_null(facts.os_family, 'none')", None),
        ("'x'", "!contains(not_null(facts.ports, `[]`), 'tcp/22')"),
    ],
)
def test_no_way_of_writing_a_rule_hides_that_it_rests_on_a_hosts_word(expression, when):
    told = host("db-1", says={"os_family": "Debian"}, listeners=[{"unit": "postgresql.service"}])
    told = replace(told, attributes={**told.attributes, "told_by_host": {"facts": "db-1", "listeners": "db-1"}})
    (found,), problems = labelled([rule(2, "role", expression, when=when)], told)
    assert found.labels["role"].told == "db-1"
    assert len(problems) == 1


def test_a_rule_that_a_host_decides_by_silence_is_told_too():
    rules = [rule(2, "zone", "'quarantine'", when="!facts.os_family")]
    (found,), problems = labelled(rules, host("db-1", says={"os_family": "Debian"}))
    assert found.labels == {}
    assert "gives no label now" in problems[0].message


def test_a_label_by_an_address_that_only_the_host_has_rests_on_its_word():
    rules = [rule(2, "zone", "'dmz'", when="in_network(addresses, ['10.9.0.0/16'])"), rule(3, "loc", "'fra'")]
    told = host("web-9", "10.1.0.9", says={"os_family": "Debian"}, claims=("10.9.0.7",))
    (counted,), _ = judged([told], Settings(), None, gathered=True)
    (found,), problems = labelled(rules, counted)
    assert (found.labels["zone"].told, found.labels["loc"].told) == ("web-9", "")
    assert ["'zone'" in problem.message for problem in problems] == [True]
    given = host("web-8", "10.9.0.8", says={"os_family": "Debian"}, addresses=["10.9.0.8"])
    (found,), problems = labelled(rules, given)
    assert (found.labels["zone"].told, problems) == ("", [])


def test_what_an_inventory_says_of_listeners_is_no_hosts_word():
    listed = host("db-1", listeners=[{"port": 5432}])
    (found,), problems = labelled([rule(2, "role", "'db'", when="length(listeners) > `0`")], listed)
    assert (found.labels["role"].told, problems) == ("", [])


def test_an_attribute_that_a_host_told_names_it_as_its_source():
    one, two = (
        host("db-1", "10.1.0.5", says={"product_uuid": UUID, "os_family": "Debian"}),
        vm("v", "10.1.0.5", uuid=UUID),
    )
    (found,), _ = one_asset_each([one, two], Identity())
    assert found.attributes["identity"]["from"]["facts"] == "host db-1"
    assert found.attributes["identity"]["from"]["ringfence_vsphere"] == "inventory/20-vsphere.yml"
    assert found.attributes["told_by_host"] == {"facts": "db-1"}
