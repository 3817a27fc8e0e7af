"""For every drawn policy each pair of ends gets the same verdict from Kubernetes and from our tables, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from ringfence.compiler import compile_policy
from ringfence.exporting.networkpolicy import export
from ringfence.model.addresses import address_text, family_of, point_of
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Policy, Rule
from ringfence.model.selectors import ANY, EVERY_ASSET, AnyOf, AssetNamed, Internet, LabelExists, LabelIn, Not, Selector
from ringfence.model.services import point_of as service_point
from ringfence.model.tables import Effect, ProcessClass

from tests.examples import examples
from tests.unit.estate_factory import SETTINGS, cidr, labelled, rule

from .kubernetes_model import End, Packet, passes
from .pods import SHOP

UNCONTROLLED = replace(SETTINGS, control=None)
PLACE = Place("policy/shop.yml", 1)
PODS = labelled(kube_kind="pod")
OUTSIDE = ("10.9.0.1", "203.0.113.7", "2001:db8::1")
SERVICES = (("TCP", 6), ("UDP", 17), ("SCTP", 132))
PORTS = (1, 80, 443, 8080, 65535)

SELECTORS: tuple[Selector, ...] = (
    PODS,
    labelled(role="web"),
    labelled(role="api", kube_kind="pod"),
    labelled(kube_namespace="shop"),
    labelled(role="api", kube_namespace="batch"),
    Not(LabelIn("role", ("web", "db"))),
    AnyOf((LabelIn("role", ("web",)), LabelExists("env"))),
    LabelExists("role", exists=False),
    Not(AnyOf((labelled(role="web"), labelled(kube_namespace="batch")))),
    EVERY_ASSET,
)
FAR: tuple[Selector, ...] = (
    *SELECTORS,
    ANY,
    cidr("10.9.0.0/16"),
    cidr("203.0.113.0/24", "2001:db8::/32"),
    Internet(),
    AssetNamed("vm"),
)
WORDS = ("any", "tcp", "tcp/80", "tcp/80-443", "udp/443", "sctp/8080", "udp")


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Draw a rule between pods, or between pods and what is outside."""
    near, far = draw(st.sampled_from(SELECTORS)), draw(st.sampled_from(FAR if draw(st.booleans()) else SELECTORS[:9]))
    out = draw(st.booleans())
    sides = draw(st.sampled_from([frozenset(Direction), frozenset({Direction.OUT if out else Direction.IN})]))
    return rule(
        "r",
        *((near, far) if out else (far, near)),
        *draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)),
        action=draw(st.sampled_from([Action.ALLOW, Action.ALLOW, Action.DENY, Action.PASS])),
        tier=draw(st.sampled_from(["emergency", "guardrail", "application", "baseline"])),
        priority=draw(st.sampled_from([50, 100])),
        sides=sides,
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a few rules, and which pods are in which mode."""
    drawn = [replace(one, id=f"{number:08x}") for number, one in enumerate(draw(st.lists(rules(), max_size=6)))]
    modes = st.sampled_from([Mode.FULL, Mode.SELECTIVE])
    first = Enforcement(draw(st.sampled_from(SELECTORS)), draw(modes), draw(modes), PLACE)
    return Policy(tuple(drawn), (first, Enforcement(ANY, draw(modes), draw(modes), PLACE)))


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(policies())
def test_kubernetes_and_our_tables_decide_alike_or_the_export_refuses(policy: Policy) -> None:
    made = export(SHOP, policy, UNCONTROLLED)
    event("refused" if made.refused else "exported")
    if made.refused:
        assert not made.objects
        return
    tables = compile_policy(SHOP, policy, UNCONTROLLED).tables
    pods = {asset.addresses[0]: asset for asset in SHOP.assets if asset.workload}
    ends = [*(asset.addresses[0] for asset in SHOP.assets), *map(point_of, OUTSIDE)]
    for near, far, direction in product(pods, ends, Direction):
        if near == far or family_of(near) != family_of(far):
            continue
        services = tables[pods[near].name].direction(direction).services_at(near, ProcessClass(), far, set())
        for (protocol, number), port in product(SERVICES, PORTS):
            ours = services.outcome(service_point(number, port)).effect is not Effect.DENY
            word = "Ingress" if direction is Direction.IN else "Egress"
            packet = Packet(end_of(near), end_of(far), word, protocol, port)
            assert passes(made.objects, packet) is ours, (packet, ours, made.objects)


def end_of(point: int) -> End:
    """Return an end of the estate as Kubernetes knows it."""
    for asset in SHOP.assets:
        if point in asset.addresses and asset.workload:
            facts = asset.attributes["ringfence_kubernetes"]
            assert isinstance(facts, dict)
            return End(address_text(point), facts["namespace"], facts["tags"])
    return End(address_text(point))
