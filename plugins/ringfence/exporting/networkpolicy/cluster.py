"""The pods of one cluster as a snapshot has them, and their labels as Kubernetes has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.exporting.networkpolicy.refusals import Inexpressible
from ringfence.exporting.networkpolicy.terms import Reader, Requirement, Term
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.rules import Settings

FACTS = "ringfence_kubernetes"  # what the source `ringfence.core.kubernetes` says of an asset
NAMESPACE, KIND, CLUSTER = "kube_namespace", "kube_kind", "kube_cluster"
NAMESPACE_NAME = "kubernetes.io/metadata.name"  # the API server gives every namespace this label (Kubernetes 1.22)
# apimachinery's validation: a name of at most 63 characters, with a DNS subdomain before it or without.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NAMESPACE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Cluster:
    """The pods of a cluster that have addresses, and the assets beside them that they can meet.

    `keys` says which label of Kubernetes a label of ours is, where it has another name. `on_nodes` are pods that
    have the network of their node (hostNetwork), which no policy of Kubernetes is about.
    """

    name: str
    pods: tuple[Asset, ...]
    outside: tuple[Asset, ...]
    keys: Mapping[str, str]
    on_nodes: tuple[str, ...] = ()

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Return the names of the namespaces that have pods, sorted."""
        return tuple(sorted({pod.label_values()[NAMESPACE] for pod in self.pods}))

    def reader(self) -> Reader:
        """Return what reads selectors for these pods."""
        names = {pod.name for pod in self.pods}
        return Reader({KIND: "pod", CLUSTER: self.name}, frozenset({NAMESPACE}), names.__contains__)

    def selectors(self, term: Term) -> tuple[dict[str, object], dict[str, object]]:
        """Return the selectors of namespaces and of pods. Raise Inexpressible for a label that is not theirs."""
        spaces = [Requirement(NAMESPACE_NAME, one.operator, one.values) for one in term if one.key == NAMESPACE]
        pods = [Requirement(self._key(one), one.operator, one.values) for one in term if one.key != NAMESPACE]
        return _selector(spaces), _selector(pods)

    def _key(self, one: Requirement) -> str:
        """Return the label of Kubernetes. Raise Inexpressible where some pod's differs from ours."""
        key = self.keys.get(one.key, one.key)
        prefix, slash, name = key.rpartition("/")
        if not _NAME.fullmatch(name) or (slash and not _PREFIX.fullmatch(prefix)):
            raise Inexpressible(f"'{key}' is no name of a Kubernetes label", f"--label {one.key}=…")
        for value in one.values:
            if value and not _NAME.fullmatch(value):
                raise Inexpressible(f"'{value}' is no value of a Kubernetes label", "give the label another value")
        for pod in self.pods:
            ours, theirs = pod.label_values().get(one.key), _tags(pod).get(key)
            if ours != theirs:
                raise Inexpressible(
                    f"label '{one.key}' of '{pod.name}' is {_said(ours)}, its Kubernetes label '{key}' {_said(theirs)}",
                    f"name the Kubernetes label that it is made of: --label {one.key}=…",
                )
        return key


def cluster_of(snapshot: Snapshot, settings: Settings, name: str | None, keys: Mapping[str, str]) -> Cluster:
    """Return a cluster by name, or the only one. Raise InputError where that is none, or several."""
    pods = [asset for asset in snapshot.assets if _facts(asset).get("kind") == "pod" and asset.addresses]
    known = sorted({str(_facts(pod).get("cluster", "")) for pod in pods})
    if not known:
        raise InputError("the inventory has no pods with addresses", remedy="add a source: docs/sources/kubernetes.md")
    if name is None and len(known) > 1:
        raise InputError("the inventory has pods of several clusters", remedy=f"--cluster: one of {', '.join(known)}")
    chosen = known[0] if name is None else name
    if chosen not in known:
        raise InputError(f"the inventory has no pods of a cluster '{chosen}'", remedy=f"one of {', '.join(known)}")
    own = tuple(pod for pod in pods if _facts(pod).get("cluster", "") == chosen)
    for pod in own:
        labels, facts = pod.label_values(), _facts(pod)
        if (
            labels.get(NAMESPACE) != facts.get("namespace")
            or labels.get(KIND) != "pod"
            or labels.get(CLUSTER) != chosen
        ):
            raise InputError(
                f"'{pod.name}' has no labels '{NAMESPACE}', '{KIND}' and '{CLUSTER}' as its source gives them",
                remedy="leave 'label_prefix' of the source at 'kube_', and give these labels by no rule",
            )
        if not _NAMESPACE_NAME.fullmatch(labels[NAMESPACE]):
            raise InputError(f"'{labels[NAMESPACE]}' of '{pod.name}' is no name of a namespace")
    met = frozenset().union(*(settings.sees(pod.realm) for pod in own))
    names = {pod.name for pod in own}
    # a service's address is exchanged for a pod's before any policy sees the packet
    outside = (one for one in snapshot.assets if one.name not in names and _facts(one).get("kind") != "service")
    met_outside = tuple(one for one in outside if one.addresses and one.realm in met)
    on_nodes = (one.name for one in snapshot.assets if _facts(one).get("host_network") is True)
    its = {one.name for one in snapshot.assets if _facts(one).get("cluster", "") == chosen}
    return Cluster(chosen, own, met_outside, keys, tuple(sorted(its.intersection(on_nodes))))


def _facts(asset: Asset) -> Mapping[str, object]:
    found = asset.attributes.get(FACTS)
    return found if isinstance(found, Mapping) else {}


def _tags(asset: Asset) -> Mapping[str, object]:
    found = _facts(asset).get("tags")
    return found if isinstance(found, Mapping) else {}


def _said(value: object) -> str:
    return "missing" if value is None else f"'{value}'"


def _selector(requirements: list[Requirement]) -> dict[str, object]:
    """Return a LabelSelector: single values as `matchLabels`, everything else as expressions; sorted."""
    single = {one.key: one.values[0] for one in sorted(requirements) if one.operator == "In" and len(one.values) == 1}
    rest = [one for one in sorted(requirements) if not (one.operator == "In" and len(one.values) == 1)]
    expressions = [
        {"key": one.key, "operator": one.operator, **({"values": list(one.values)} if one.values else {})}
        for one in rest
    ]
    return {**({"matchLabels": single} if single else {}), **({"matchExpressions": expressions} if expressions else {})}
