"""Turns pods, nodes and services into hosts: addresses of a cluster are in its realm, those of nodes are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    host_name,
    is_whole,
    named,
    reached_as_windows,
    without_empty,
    without_secrets,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.api import ClusterAnswer, Thing

_INSTANCE = re.compile(r"(?:^|/)(i-[0-9a-f]{8,17})$")
_ENDED = ("Succeeded", "Failed")
_OF_NO_MACHINE = ("ringfence_workload", "ringfence_kind")


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: labels from labels of Kubernetes, and whether a cluster is a realm."""

    labels: Mapping[str, str] = field(default_factory=dict)
    label_prefix: str = "kube_"
    realm: str = "cluster"
    windows_connection: str = "psrp"


def hosts(answers: Sequence[ClusterAnswer], shape: Shape) -> Found:
    """Return what clusters have as hosts, and warnings of the kinds that were not read."""
    turned = {"pods": _pod, "nodes": _node, "services": _service}
    candidates = []
    warnings: list[str] = []
    unreached: dict[str, str] = {}
    failed = 0
    for answer in answers:
        for kind, things in answer.things.items():
            turn = partial(_turned, turned[kind], answer.cluster, shape)
            candidates += good_candidates(_each_once(things), turn, _called, warnings)
        failed += len(answer.failures)
        for kind, why in answer.failures.items():
            warnings.append(f"{kind} of the cluster {answer.cluster} were not read: {why}")
            alone = [namespace for of, namespace in answer.namespaces if of == kind]
            parts = [f"{kind} ({namespace})" for namespace in alone] or [kind]
            unreached |= {f"kubernetes {answer.cluster} {part}": why for part in parts}
    whole = is_whole(warnings) and not unreached
    if unreached:
        warnings.append(f"{failed} kinds were not read, or not wholly; the rest is there")
    return Found(sorted(named(candidates), key=lambda host: host[0]), warnings, unreached, whole=whole)


def _turned(
    turn: Callable[[_Read, str, Shape], Candidate | None], cluster: str, shape: Shape, thing: Thing
) -> Candidate | None:
    return turn(_Read(thing), cluster, shape)


def _called(thing: Thing) -> str:
    read = _Read(thing)
    return "/".join(filter(None, (read.text("metadata.namespace"), read.text("metadata.name"))))


def _each_once(things: Sequence[Thing]) -> list[Thing]:
    """Return things, each once: one that moves to another page while pages are read is there twice."""
    known: dict[Any, Thing] = {}
    for number, thing in enumerate(things):
        known[_Read(thing).text("metadata.uid") or number] = thing
    return list(known.values())


class _Read:
    """Reads an object of Kubernetes; what is not there, or is something else, is empty."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing

    def at(self, path: str) -> Any:
        value: Any = self._thing
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def text(self, path: str) -> str:
        value = self.at(path)
        return "" if value is None or isinstance(value, dict | list) else str(value)

    def rows(self, path: str) -> list[Mapping[str, Any]]:
        value = self.at(path)
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

    def texts(self, path: str) -> list[str]:
        value = self.at(path)
        return [str(one) for one in value] if isinstance(value, list) else []

    def labels(self) -> dict[str, Any]:
        value = self.at("metadata.labels")
        return without_secrets(value) if isinstance(value, dict) else {}


def _pod(read: _Read, cluster: str, shape: Shape) -> Candidate | None:
    if read.text("status.phase") in _ENDED:
        return None
    owner = next((one for one in read.rows("metadata.ownerReferences") if one.get("controller")), {})
    kind, name = str(owner.get("kind", "")), str(owner.get("name", ""))
    hash_of = str(read.labels().get("pod-template-hash", ""))
    if kind == "ReplicaSet" and hash_of and name.endswith(f"-{hash_of}"):
        # A Deployment names its sets by itself and that hash.
        kind, name = "Deployment", name.removesuffix(f"-{hash_of}")
    on_node = read.at("spec.hostNetwork") is True
    ports = [
        without_empty({"port": port.get("containerPort"), "protocol": port.get("protocol"), "name": port.get("name")})
        for container in read.rows("spec.containers")
        for port in _Read(container).rows("ports")
    ]
    fact = {
        "phase": read.text("status.phase"),
        "node": read.text("spec.nodeName"),
        "host_network": on_node,
        "owner_kind": kind,
        "owner": name,
        "service_account": read.text("spec.serviceAccountName"),
        "ports": ports,
    }
    told = [one.get("ip") for one in read.rows("status.podIPs")] or [read.text("status.podIP")]
    addresses = [] if on_node else good_addresses(told)
    return _candidate(read, "pod", cluster, shape, fact, addresses, usual={"owner": name}, inside=not on_node)


def _service(read: _Read, cluster: str, shape: Shape) -> Candidate | None:
    outside = good_addresses(
        [*read.texts("spec.externalIPs"), *(one.get("ip") for one in read.rows("status.loadBalancer.ingress"))]
    )
    inside = good_addresses(read.texts("spec.clusterIPs") or [read.text("spec.clusterIP")])
    selector = read.at("spec.selector")
    fact = {
        "type": read.text("spec.type"),
        "selector": selector if isinstance(selector, dict) else {},
        "cluster_addresses": inside,
        # No "names", by which machines are recognised: a load balancer that several services share is called so.
        "load_balancers": [
            str(one["hostname"]) for one in read.rows("status.loadBalancer.ingress") if one.get("hostname")
        ],
        "ports": [
            without_empty(
                {
                    "port": port.get("port"),
                    "protocol": port.get("protocol"),
                    "target": port.get("targetPort"),
                    "node_port": port.get("nodePort"),
                }
            )
            for port in read.rows("spec.ports")
        ],
    }
    return _candidate(read, "service", cluster, shape, fact, outside or inside, usual={}, inside=not outside)


def _node(read: _Read, cluster: str, shape: Shape) -> Candidate | None:
    told = read.rows("status.addresses")
    addresses = good_addresses(one.get("address") for one in told if str(one.get("type", "")).endswith("IP"))
    instance = _INSTANCE.search(read.text("spec.providerID"))
    labels = read.labels()
    fact = {
        "uuid": read.text("status.nodeInfo.systemUUID").lower(),
        "instance_id": instance[1] if instance else None,
        "provider_id": read.text("spec.providerID"),
        "os": read.text("status.nodeInfo.osImage"),
        "kubelet": read.text("status.nodeInfo.kubeletVersion"),
        "pod_networks": read.texts("spec.podCIDRs"),
        "names": [str(one["address"]) for one in told if one.get("type") in ("Hostname", "InternalDNS")],
    }
    zone = {"zone": labels.get("topology.kubernetes.io/zone")}
    candidate = _candidate(read, "node", cluster, shape, fact, addresses, usual=zone, inside=False)
    variables = {key: value for key, value in candidate.variables.items() if key not in _OF_NO_MACHINE}
    if addresses:
        variables["ansible_host"] = addresses[0]
    if read.text("status.nodeInfo.operatingSystem") == "windows":
        variables |= reached_as_windows(shape.windows_connection)
    return Candidate(candidate.wish, candidate.unique, variables)


def _candidate(
    read: _Read,
    kind: str,
    cluster: str,
    shape: Shape,
    fact: Mapping[str, Any],
    addresses: list[str],
    *,
    usual: Mapping[str, Any],
    inside: bool,
) -> Candidate:
    name, namespace, tags = read.text("metadata.name"), read.text("metadata.namespace"), read.labels()
    given = good_labels({"cluster": cluster, "namespace": namespace, "kind": kind, **usual}, shape.label_prefix)
    own = good_labels({label: tags.get(tag) for label, tag in shape.labels.items()})
    general = {"kind": kind, "cluster": cluster, "namespace": namespace, "name": name, "uid": read.text("metadata.uid")}
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {**given, **own},
        "ringfence_workload": False,
        "ringfence_kind": kind,
        "ringfence_sources": [f"kubernetes {cluster} {kind}s" + (f" ({namespace})" if namespace else "")],
        "ringfence_kubernetes": without_empty({**general, **fact, "tags": tags}),
    }
    if shape.realm == "cluster" and inside and addresses:
        variables["ringfence_realm"] = "kube-" + host_name(cluster)
    parts = {"pod": (name, namespace, cluster), "service": (name, namespace, "svc", cluster), "node": (name,)}
    return Candidate(".".join(parts[kind]) if name else "", read.text("metadata.uid") or cluster, variables)
