"""Pods, hosts and policies to export, as the source of Kubernetes gives them."""

from __future__ import annotations

from dataclasses import replace

from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Label, Snapshot

from tests.unit.estate_factory import asset, snapshot


def pod(name: str, address: str, space: str, tags: dict[str, str] | None = None, **labels: str) -> Asset:
    """Return a pod as a workload; its Kubernetes labels are `tags`, else those of ours."""
    own = {"kube_namespace": space, "kube_kind": "pod", "kube_cluster": "fra"}
    told = {
        "kind": "pod",
        "cluster": "fra",
        "namespace": space,
        "name": name,
        "tags": tags if tags is not None else labels,
    }
    every = {key: Label(value, "inventory") for key, value in {**labels, **own}.items()}
    return Asset(f"{name}.{space}.fra", (point_of(address),), every, attributes={"ringfence_kubernetes": told})


SHOP = snapshot(
    pod("web", "10.244.0.1", "shop", role="web"),
    pod("api", "10.244.0.2", "shop", role="api", env="dev"),
    pod("db", "10.244.0.3", "shop", role="db"),
    pod("job", "10.244.1.1", "batch", role="api"),
    pod("bare", "fd00::5", "batch"),
    replace(asset("vm", "192.168.1.1", role="db", env="dev"), workload=False),
)


def as_pods(taken: Snapshot, *added: Asset) -> Snapshot:
    """Return a snapshot with further assets."""
    return snapshot(*taken.assets, *added)
