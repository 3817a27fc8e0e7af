"""The objects of both APIs for one rule: networking.k8s.io/v1 and policy.networking.k8s.io/v1alpha2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from ringfence.exporting.networkpolicy.cluster import NAMESPACE, Cluster
from ringfence.exporting.networkpolicy.peers import EVERY_PORT, Far, Port, blocks
from ringfence.exporting.networkpolicy.refusals import Inexpressible
from ringfence.exporting.networkpolicy.terms import Terms, at_value
from ringfence.model.rules import Action, Direction, Rule

NETWORK_POLICY = ("networking.k8s.io/v1", "NetworkPolicy")
CLUSTER_POLICY = ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy")
MOST_ITEMS = 25  # of rules, peers, networks and protocols in a ClusterNetworkPolicy (its CRD, v0.1.7)
ACTIONS = {Action.ALLOW: "Accept", Action.DENY: "Deny", Action.PASS: "Pass"}
Object = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ends:
    """What a rule says of one direction: its own pods, the far end, the ports (None: everything)."""

    rule: Rule
    direction: Direction
    near: Terms
    far: Far
    ports: tuple[Port, ...] | None


def network_policies(ends: Ends, near: Terms, cluster: Cluster) -> Iterator[Object]:
    """Yield the NetworkPolicies of an allow for the pods of `near`. Raise Inexpressible."""
    for pod in cluster.pods:
        if any(point in ends.far.addresses for point in pod.addresses):
            raise Inexpressible(
                f"an address of pod '{pod.name}' lies in its networks, and plug-ins differ on pods in an 'ipBlock'",
                "choose pods by label, and leave their network out of 'cidr'",
            )
    peers: list[Object] = []
    for term in ends.far.terms:
        spaces, pods = cluster.selectors(term)
        peers.append({"namespaceSelector": spaces, "podSelector": pods})
    peers += [{"ipBlock": {"cidr": text}} for text in blocks(ends.far.addresses)]
    if not peers and not ends.far.everyone:
        return
    word = "from" if ends.direction is Direction.IN else "to"
    entry: Object = {} if ends.far.everyone else {word: peers}
    if ends.ports is not None:
        entry["ports"] = [_network_port(one) for one in ends.ports]
    name = f"ringfence-{ends.rule.id}-{ends.direction}"
    yield from _in_namespaces(name, near, cluster, ends.direction, [entry], ends.rule)


def isolation(direction: Direction, full: Terms, cluster: Cluster) -> Iterator[Object]:
    """Yield the NetworkPolicies that let nothing through to, or from, the pods in mode `full`."""
    yield from _in_namespaces(f"ringfence-full-{direction}", full, cluster, direction, [], None)


def cluster_policies(ends: Ends, near: Terms, cluster: Cluster, tier: str, priority: int, action: str) -> list[Object]:
    """Return the ClusterNetworkPolicies of a rule for the pods of `near`. Raise Inexpressible."""
    inbound = ends.direction is Direction.IN
    if inbound and (ends.far.everyone or ends.far.addresses):
        raise Inexpressible(
            f"an ingress '{action}' of ClusterNetworkPolicy v1alpha2 knows pods alone, and this one has addresses",
            "write labels that only pods have in 'from' ('{kube_kind: pod}' for all of them), or 'at: from'",
        )
    peers: list[Object] = []
    for term in ends.far.terms:
        spaces, pods = cluster.selectors(term)
        peers.append(_pods(spaces, pods))
    networks = ("0.0.0.0/0", "::/0") if ends.far.everyone else blocks(ends.far.addresses)
    peers += [{"networks": list(some)} for some in _few(networks)]
    if not peers:
        return []
    word = "from" if inbound else "to"
    ports = [_cluster_port(one) for one in ends.ports] if ends.ports is not None else None
    several: Sequence[Sequence[Object] | None] = list(_few(ports)) if ports is not None else [None]
    entries: list[Object] = []
    for some, few in product(_few(peers), several):
        protocols = {"protocols": list(few)} if few is not None else {}
        entries.append({"name": f"{ends.rule.id}", "action": action, word: list(some), **protocols})
    return whole_cluster(
        f"ringfence-{tier.lower()}-{ends.rule.id}-{ends.direction}",
        *(near, cluster, tier, priority, ends.direction, entries, ends.rule),
    )


def whole_cluster(
    name: str,
    near: Terms,
    cluster: Cluster,
    tier: str,
    priority: int,
    direction: Direction,
    entries: list[Object],
    rule: Rule | None,
) -> list[Object]:
    """Return a ClusterNetworkPolicy for each alternative of its subject. Raise Inexpressible for too many entries."""
    if len(entries) > MOST_ITEMS:
        raise Inexpressible(
            f"it needs {len(entries)} entries, and a ClusterNetworkPolicy holds {MOST_ITEMS}", "divide it"
        )
    made = []
    for number, term in enumerate(near, 1):
        spec: Object = {
            "tier": tier,
            "priority": priority,
            "subject": _pods(*cluster.selectors(term)),
            ("ingress" if direction is Direction.IN else "egress"): entries,
        }
        made.append(_object(CLUSTER_POLICY, {"name": f"{name}-{number}"}, rule, spec))
    return made


def _in_namespaces(
    name: str, near: Terms, cluster: Cluster, direction: Direction, entries: list[Object], rule: Rule | None
) -> Iterator[Object]:
    inbound = direction is Direction.IN
    for space in cluster.namespaces:
        for number, term in enumerate(at_value(near, NAMESPACE, space), 1):
            _, pods = cluster.selectors(term)
            spec: Object = {"podSelector": pods, "policyTypes": ["Ingress" if inbound else "Egress"]}
            if entries:
                spec["ingress" if inbound else "egress"] = entries
            yield _object(NETWORK_POLICY, {"name": f"{name}-{number}", "namespace": space}, rule, spec)


def _object(kind: tuple[str, str], metadata: Object, rule: Rule | None, spec: Object) -> Object:
    told = {"annotations": {"ringfence/rule": rule.name, "ringfence/place": str(rule.place)}} if rule else {}
    labels = {"labels": {"app.kubernetes.io/managed-by": "ringfence"}}
    return {"apiVersion": kind[0], "kind": kind[1], "metadata": {**metadata, **labels, **told}, "spec": spec}


def _few(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[n : n + MOST_ITEMS] for n in range(0, len(items), MOST_ITEMS))


def _pods(spaces: Object, pods: Object) -> Object:
    return {"pods": {"namespaceSelector": spaces, "podSelector": pods}}


def _network_port(port: Port) -> Object:
    protocol, low, high = port
    if (low, high) == EVERY_PORT:
        return {"protocol": protocol}
    return {"protocol": protocol, "port": low, **({"endPort": high} if high > low else {})}


def _cluster_port(port: Port) -> Object:
    protocol, low, high = port
    low = max(low, 1)  # the CRD knows ports from 1
    where: Object = {"number": low} if low == high else {"range": {"start": low, "end": high}}
    return {protocol.lower(): {"destinationPort": where}}
