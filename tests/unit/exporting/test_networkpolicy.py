"""What stands in the exported files, and what is refused, by name and with its place."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import pytest
import yaml
from ringfence.exporting.networkpolicy import Exported, export
from ringfence.exporting.networkpolicy.yaml_text import yaml_text
from ringfence.model.errors import InputError, Place
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Policy, Rule
from ringfence.model.selectors import ANY, AssetNamed, FqdnIs, Selector, Unknown

from tests.unit.estate_factory import SETTINGS, cidr, labelled, rule

from .pods import SHOP, as_pods, pod
from .schemas import BY_KIND

PLACE = Place("policy/modes.yml", 3)
FULL = (Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),)
WEB, API, DB = labelled(role="web"), labelled(role="api"), labelled(role="db", kube_kind="pod")
NOT_IN = frozenset({Direction.OUT})


def exported(*rules: Rule, enforcement: tuple[Enforcement, ...] = FULL, **keys: str) -> Exported:
    return export(SHOP, Policy(rules, enforcement), SETTINGS, None, keys)


def reasons(made: Exported) -> list[str]:
    return [f"{one.place}: {one.name}: {one.reason}" for one in made.refused]


def test_an_allow_is_a_networkpolicy_of_each_namespace_that_may_have_its_pods() -> None:
    made = exported(rule("shopping", labelled(role="web", kube_namespace="shop"), DB, "tcp/80-443"))
    assert list(made.files) == ["networkpolicies-batch.yaml", "networkpolicies-shop.yaml"]
    assert made.files["networkpolicies-shop.yaml"].startswith(
        """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ringfence-full-in-1
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: ringfence
spec:
  podSelector: {}
  policyTypes:
    - Ingress
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ringfence-shopping-in-1
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: ringfence
  annotations:
    ringfence/rule: shopping
    ringfence/place: "policy/shop.yml:1"
spec:
  podSelector:
    matchLabels:
      role: db
  policyTypes:
    - Ingress
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: shop
          podSelector:
            matchLabels:
              role: web
      ports:
        - protocol: TCP
          port: 80
          endPort: 443
"""
    )


def test_denies_and_passes_are_the_admin_tier_in_the_order_in_which_they_decide() -> None:
    made = exported(
        rule("later", WEB, DB, "any", action=Action.DENY, tier="guardrail", sides=NOT_IN),
        rule("first", WEB, DB, "udp/53", tier="emergency", sides=NOT_IN),
        rule("passes", WEB, DB, "sctp", tier="guardrail", priority=5, action=Action.PASS, sides=NOT_IN),
        rule("allows", WEB, DB, "sctp", sides=NOT_IN),
    )
    tiers = [one["spec"] for one in made.objects if one["kind"] == "ClusterNetworkPolicy"]
    assert [(one["tier"], one["priority"], one["egress"][0]["action"]) for one in tiers] == [  # type: ignore[index]
        ("Admin", 0, "Accept"),
        ("Admin", 1, "Pass"),
        ("Admin", 2, "Deny"),
    ]
    assert "ringfence-allows00-out-1" in made.files["networkpolicies-shop.yaml"]


def test_every_object_has_the_shape_that_a_server_takes_and_the_same_bytes_each_time() -> None:
    rules = (
        rule("deny", WEB, ANY, "tcp/23", action=Action.DENY, tier="guardrail", sides=NOT_IN),
        rule("pass", API, DB, "any", action=Action.PASS, tier="guardrail"),
        rule("nets", cidr("10.9.0.0/16", "2001:db8::7"), WEB, "udp/53", "tcp"),
        rule("out", WEB, cidr(*(f"10.{n}.0.0/25" for n in range(60))), "sctp/1-9", sides=NOT_IN),
        rule("last", WEB, API, "any", action=Action.DENY, tier="baseline", sides=NOT_IN),
    )
    made = exported(*rules[:4]), exported(rules[4], *rules[:2], enforcement=(replace(FULL[0], inbound=Mode.SELECTIVE),))
    for one in made:
        assert reasons(one) == []
        for document in [doc for text in one.files.values() for doc in yaml.safe_load_all(text)]:
            jsonschema.Draft202012Validator(BY_KIND[document["kind"]]).validate(document)
    assert exported(*rules[:4]).files == made[0].files


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (rule("ping", WEB, DB, "icmp/echo-request"), "ping: ICMP has no word in these APIs"),
        (rule("gre", WEB, DB, "ip/47"), "gre: IP protocol 47 has no word"),
        (rule("unit", WEB, DB, "tcp/1", to_unit="db.service"), "unit: a process ('unit') has no word"),
        (rule("name", WEB, FqdnIs("api.example.org"), "tcp/1"), "name: the name 'api.example.org' (fqdn) has no word"),
        (rule("who", Unknown(), WEB, "tcp/1"), "who: 'unknown' changes"),
        (rule("one", AssetNamed("web.shop.fra"), DB, "tcp/1"), "one: 'web.shop.fra' is a pod"),
        (
            rule("here", cidr("10.244.0.0/30"), DB, "tcp/1", sides=frozenset({Direction.IN})),
            "here: an address of pod 'api.shop.fra' lies in its networks",
        ),
        (rule("zero", WEB, DB, "tcp/0-9"), "zero: port 0 is no port"),
        (rule("shut", ANY, DB, "tcp/22", action=Action.DENY), "shut: an ingress 'Deny' of ClusterNetworkPolicy"),
    ],
)
def test_what_has_no_word_is_refused_by_name_with_its_place(written: Rule, said: str) -> None:
    made = exported(written, rule("fine", WEB, DB, "tcp/80"))
    assert made.objects == ()
    assert made.files == {}
    assert made.refused
    assert all(reason.startswith(f"policy/shop.yml:1: {said}") for reason in reasons(made))


def test_pods_that_observe_are_refused() -> None:
    where: Selector = labelled(role="web")
    watched = (Enforcement(where, Mode.OBSERVE, Mode.FULL, PLACE), *FULL)
    (said,) = reasons(exported(enforcement=watched))
    assert said.startswith("policy/modes.yml:3: mode observe (in): 'web.shop.fra' observes")


def test_a_label_that_kubernetes_does_not_have_is_refused_until_its_own_name_is_said() -> None:
    tags = {"app.kubernetes.io/component": "cache"}
    taken = as_pods(SHOP, pod("cache", "10.244.0.9", "shop", tags=tags, tier="cache"))
    policy = Policy((rule("cache", WEB, labelled(tier="cache"), "redis"),), FULL)
    (refused,) = export(taken, policy, SETTINGS).refused
    assert refused.reason == "label 'tier' of 'cache.shop.fra' is 'cache', its Kubernetes label 'tier' missing"
    made = export(taken, policy, SETTINGS, None, {"tier": "app.kubernetes.io/component"})
    assert "app.kubernetes.io/component: cache" in made.files["networkpolicies-shop.yaml"]


def test_rules_that_speak_for_no_pod_are_left_out_and_told() -> None:
    made = exported(rule("hosts", labelled(role="router"), cidr("10.9.0.0/16"), "any", action=Action.DENY))
    assert [one.name for one in made.left_out] == ["hosts"]


def test_a_cluster_that_is_not_there_is_wrong_input() -> None:
    with pytest.raises(InputError, match="no pods of a cluster 'ber'"):
        export(SHOP, Policy(), SETTINGS, "ber")


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "NULL",
        "1e3",
        "0o17",
        "012",
        "1:30",
        ".inf",
        "~",
        "",
        " a",
        "a: b",
        "- x",
        "a\n---\nb",
        "\x85\u2028é😀\"'\\",
        "#a",
    ],
)
def test_every_text_comes_back_from_yaml_as_it_was(text: str) -> None:
    assert yaml.safe_load(yaml_text({"a": [{text: text}, [text]], "b": {}})) == {"a": [{text: text}, [text]], "b": {}}
