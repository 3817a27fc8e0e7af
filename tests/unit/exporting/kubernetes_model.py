"""What Kubernetes does with a packet, from the documents of both APIs, over objects as they stand in YAML.

networking.k8s.io/v1: a pod that a policy selects for a direction lets through what any such policy allows, and nothing
else. policy.networking.k8s.io/v1alpha2: tier Admin before, tier Baseline behind for pods that no NetworkPolicy selects;
the smaller priority first, then the first entry; Pass leaves the tier; what nothing decides passes. Two policies of one
priority that say different things of a packet are undefined there, so they are an error here. It shares no
code with the export.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class End:
    """An end of a packet: its address, and where it is a pod, the pod's namespace and labels."""

    address: str
    namespace: str | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Packet:
    """A first packet as one pod's policies see it: `direction` is `Ingress` or `Egress`."""

    pod: End
    far: End
    direction: str
    protocol: str
    port: int


def passes(objects: Sequence[Mapping[str, Any]], packet: Packet) -> bool:
    """Return whether a packet passes the policies of its pod."""
    decided = _tier(objects, packet, "Admin")
    if decided in ("Accept", "Deny"):
        return decided == "Accept"
    selecting = [one for one in objects if one["kind"] == "NetworkPolicy" and _selects(one, packet)]
    if selecting:
        return any(_allows(entry, packet) for one in selecting for entry in one["spec"].get(_word(packet), ()))
    return _tier(objects, packet, "Baseline") != "Deny"


def _word(packet: Packet) -> str:
    return packet.direction.lower()


def _selects(policy: Mapping[str, Any], packet: Packet) -> bool:
    spec, pod = policy["spec"], packet.pod
    here = policy["metadata"]["namespace"] == pod.namespace and packet.direction in spec["policyTypes"]
    return here and _matches(spec["podSelector"], pod.labels or {})


def _allows(entry: Mapping[str, Any], packet: Packet) -> bool:
    peers = entry.get("from" if packet.direction == "Ingress" else "to")
    if peers is not None and not any(_peer(peer, packet.far) for peer in peers):
        return False
    return "ports" not in entry or any(
        port["protocol"] == packet.protocol
        and ("port" not in port or port["port"] <= packet.port <= port.get("endPort", port["port"]))
        for port in entry["ports"]
    )


def _peer(peer: Mapping[str, Any], far: End) -> bool:
    if "ipBlock" in peer:
        # plug-ins differ on pods in a block: an export must not depend on it
        return far.namespace is None and _inside(far.address, [peer["ipBlock"]["cidr"]])
    return _pod(peer, far)


def _pod(peer: Mapping[str, Any], far: End) -> bool:
    if far.namespace is None:
        return False
    space = {"kubernetes.io/metadata.name": far.namespace}
    return _matches(peer["namespaceSelector"], space) and _matches(peer["podSelector"], far.labels or {})


def _tier(objects: Sequence[Mapping[str, Any]], packet: Packet, tier: str) -> str | None:
    mine = [
        one
        for one in objects
        if one["kind"] == "ClusterNetworkPolicy"
        and one["spec"]["tier"] == tier
        and _pod(one["spec"]["subject"]["pods"], packet.pod)
    ]
    for priority in sorted({one["spec"]["priority"] for one in mine}):
        same = [one for one in mine if one["spec"]["priority"] == priority]
        said = {action for one in same if (action := _first(one["spec"].get(_word(packet), ()), packet)) is not None}
        assert len(said) < 2, f"two policies of priority {priority} say {said}: which one counts is undefined"
        if said:
            return said.pop()
    return None


def _first(entries: Sequence[Mapping[str, Any]], packet: Packet) -> str | None:
    for entry in entries:
        peers = entry["from" if packet.direction == "Ingress" else "to"]
        if any(_cluster_peer(one, packet.far) for one in peers) and _protocols(entry.get("protocols"), packet):
            return str(entry["action"])
    return None


def _cluster_peer(peer: Mapping[str, Any], far: End) -> bool:
    return _inside(far.address, peer["networks"]) if "networks" in peer else _pod(peer["pods"], far)


def _protocols(protocols: Sequence[Mapping[str, Any]] | None, packet: Packet) -> bool:
    if protocols is None:
        return True
    for one in protocols:
        for name, match in one.items():
            port = match["destinationPort"]
            low, high = (port["number"],) * 2 if "number" in port else (port["range"]["start"], port["range"]["end"])
            if name.upper() == packet.protocol and low <= packet.port <= high:
                return True
    return False


def _inside(address: str, networks: Sequence[str]) -> bool:
    found = ipaddress.ip_address(address)
    return any(found in ipaddress.ip_network(one) for one in networks)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", ()):
        value = labels.get(one["key"])
        holds = {
            "In": value is not None and value in one.get("values", ()),
            "NotIn": value is None or value not in one.get("values", ()),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds[one["operator"]]:
            return False
    return True
