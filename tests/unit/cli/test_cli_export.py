"""`ringfence export networkpolicy`: printed, written, as data, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.cli_shop import data, ringfence, shop

POD = """\
    {name}.shop.fra:
      ringfence_addresses: ["{address}"]
      ringfence_workload: false
      ringfence_labels: {{role: {name}, kube_kind: pod, kube_cluster: fra, kube_namespace: shop}}
      ringfence_kubernetes: {{kind: pod, cluster: fra, namespace: shop, name: {name}, tags: {{role: {name}}}}}
"""
PODS = "all:\n  hosts:\n" + POD.format(name="web", address="10.244.0.1") + POD.format(name="api", address="10.244.0.2")
POLICY = """\
rules:
  - {name: web to api, from: {role: web}, to: {role: api}, allow: SERVICE}
enforce:
  - {where: any, mode: full}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    files = {"inventory/hosts.yml": PODS, "labels.yml": "labels: []\n", "policy/tests/shop.yml": ""}
    return shop(tmp_path, {**files, "policy/shop.yml": POLICY.replace("SERVICE", "tcp/8443")})


def test_the_policy_is_printed_and_written_alike(workspace: Path) -> None:
    printed = ringfence(workspace, "export", "networkpolicy")
    assert printed.exit_code == 0, printed.output
    assert ringfence(workspace, "export", "networkpolicy", "--output", str(workspace / "k8s")).exit_code == 0
    written = (workspace / "k8s" / "networkpolicies-shop.yaml").read_text()
    assert written == printed.stdout
    kinds = [one["metadata"]["name"].rsplit("-", 2)[1] for one in yaml.safe_load_all(written)]
    assert kinds == ["in", "in", "out", "out"]


def test_a_refusal_is_told_with_its_place_and_nothing_is_written(workspace: Path) -> None:
    (workspace / "policy" / "shop.yml").write_text(POLICY.replace("SERVICE", "ping"))
    refused = ringfence(workspace, "export", "networkpolicy", "--output", str(workspace / "k8s"))
    assert refused.exit_code == 1
    assert "shop.yml:2:5: 'web to api': ICMP has no word in these APIs" in refused.output
    assert not (workspace / "k8s").exists()
    told = data(workspace, "export", "networkpolicy", status=1)
    assert isinstance(told, dict)
    assert told["files"] == {}
    assert [one["name"] for one in told["refused"]] == ["web to api"]


def test_pods_with_the_network_of_their_node_are_named(workspace: Path) -> None:
    told = "    {name}.shop.fra:\n      ringfence_kubernetes: {{kind: pod, cluster: {cluster}, host_network: true}}\n"
    more = told.format(name="exporter", cluster="fra") + told.format(name="elsewhere", cluster="ber")
    (workspace / "inventory" / "hosts.yml").write_text(PODS + more)
    printed = ringfence(workspace, "export", "networkpolicy")
    assert "1 pod with 'hostNetwork': exporter.shop.fra: " in printed.stderr
    assert data(workspace, "export", "networkpolicy")["on_nodes"] == ["exporter.shop.fra"]  # type: ignore[call-overload]


def test_what_is_no_pair_of_labels_is_wrong_input(workspace: Path) -> None:
    assert ringfence(workspace, "export", "networkpolicy", "--label", "role").exit_code == 2
