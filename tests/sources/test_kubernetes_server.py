"""The inventory plugin kubernetes against a real API server, where one was built (RINGFENCE_TEST_KUBERNETES=1)."""

from __future__ import annotations

import os

import pytest
import yaml

from tests.sources import kubernetes_server
from tests.sources.inventory_run import configured, listed, run_inventory
from tests.sources.kubernetes_server import READER

ROLES = "/apis/rbac.authorization.k8s.io/v1"
SECRET = "hunter2"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    programs = kubernetes_server.kept()
    if programs is None:
        if os.environ.get("RINGFENCE_TEST_KUBERNETES") != "1":
            pytest.skip("needs kube-apiserver, a build of minutes: set RINGFENCE_TEST_KUBERNETES=1 once")
        lacking = kubernetes_server.missing()
        if lacking:
            pytest.skip(lacking)
        programs = kubernetes_server.built()
    with kubernetes_server.cluster(programs, tmp_path_factory.mktemp("kubernetes")) as found:
        _fill(found)
        yield found


def _fill(cluster):
    """Add what a small shop has, and an account that may list everything, another only the namespace `shop`."""
    add = cluster.add
    for name in ("shop", "vault"):
        add("/api/v1/namespaces", metadata={"name": name})
    node = {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.11"}, {"type": "Hostname", "address": "node-1"}],
        "nodeInfo": dict.fromkeys(
            ("machineID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion"), "x"
        )
        | {"systemUUID": "EC2F0000-0000-0000-0000-000000000001", "kubeProxyVersion": "x", "architecture": "amd64"}
        | {"operatingSystem": "linux"},
    }
    zone = {"topology.kubernetes.io/zone": "eu-1a"}
    add("/api/v1/nodes", metadata={"name": "node-1", "labels": zone}, spec={"podCIDR": "10.244.0.0/24"}, status=node)
    told = {"app.kubernetes.io/part-of": "shop", "pod-template-hash": "5d4"}
    deployment = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4", "uid": "u", "controller": True}
    for number in range(1, 6):
        _pod(add, f"web-5d4-x{number}", f"10.244.0.{number}", labels=told, ownerReferences=[deployment])
    _pod(add, "job-1", "10.244.0.9", phase="Succeeded")
    _pod(add, "agent", "10.0.0.11", spec={"hostNetwork": True})
    _pod(add, "safe-1", "10.244.0.20", namespace="vault")
    ports = [{"port": 80, "targetPort": 8080}]
    services = "/api/v1/namespaces/shop/services"
    selector = {"app.kubernetes.io/part-of": "shop"}
    add(services, metadata={"name": "web"}, spec={"selector": selector, "ports": ports, "clusterIP": "10.96.0.7"})
    add(services, metadata={"name": "db"}, spec={"clusterIP": "None", "ports": ports})
    outside = {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}
    add(services, metadata={"name": "front"}, spec={"type": "LoadBalancer", "ports": ports}, status=outside)
    add(
        "/apis/discovery.k8s.io/v1beta1/namespaces/shop/endpointslices",
        metadata={"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        addressType="IPv4",
        endpoints=[{"addresses": ["10.244.0.1"]}],
    )
    add("/api/v1/namespaces/shop/serviceaccounts", metadata={"name": "limited"})
    rules = [{"apiGroups": [""], "resources": ["pods", "services", "nodes"], "verbs": ["list"]}]
    add(f"{ROLES}/clusterroles", metadata={"name": "lists"}, rules=rules)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "lists"}
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}
    account = {"kind": "ServiceAccount", "name": "limited", "namespace": "shop"}
    add(f"{ROLES}/clusterrolebindings", metadata={"name": "reader"}, roleRef=role, subjects=[user])
    add(f"{ROLES}/namespaces/shop/rolebindings", metadata={"name": "limited"}, roleRef=role, subjects=[account])


def _pod(add, name, address, namespace="shop", phase="Running", spec=None, **metadata):
    container = {
        "name": "c",
        "image": "i",
        "env": [{"name": "PW", "value": SECRET}],
        "ports": [{"containerPort": 8080}],
    }
    add(
        f"/api/v1/namespaces/{namespace}/pods",
        metadata={"name": name, **metadata},
        spec={"nodeName": "node-1", "containers": [container], **(spec or {})},
        status={"phase": phase, "podIP": address, "podIPs": [{"ip": address}]},
    )


def known(workspace, cluster, token=READER, **options):
    clusters, users = workspace / "clusters", workspace / "users"
    reached = {"server": cluster.url, "certificate-authority": str(cluster.authority)}
    context = {"name": "fra", "context": {"cluster": "fra", "user": "reader"}}
    at = {"current-context": "fra", "contexts": [context], "clusters": [{"name": "fra", "cluster": reached}]}
    clusters.write_text(yaml.safe_dump(at))
    users.write_text(yaml.safe_dump({"users": [{"name": "reader", "user": {"token": token}}]}))
    configured(workspace, "kubernetes", **options)
    return {"KUBECONFIG": f"{clusters}:{users}"}


def test_what_the_cluster_holds_comes_page_by_page_from_a_kubeconfig_of_two_files(cluster, tmp_path):
    options = {"page_size": 2, "labels": {"app": "app.kubernetes.io/part-of"}}
    inventory, warnings = listed(tmp_path, **known(tmp_path, cluster, **options))
    found = inventory["_meta"]["hostvars"]
    pods = {f"web-5d4-x{number}.shop.fra" for number in range(1, 6)} | {"agent.shop.fra", "safe-1.vault.fra"}
    services = {f"{name}.shop.svc.fra" for name in ("web", "db", "front")} | {"kubernetes.default.svc.fra"}
    assert set(found) == pods | services | {"node-1"}
    web = found["web-5d4-x1.shop.fra"]
    assert (web["ringfence_addresses"], web["ringfence_realm"]) == (["10.244.0.1"], "kube-fra")
    assert (web["ringfence_labels"]["kube_owner"], web["ringfence_labels"]["app"]) == ("web", "shop")
    assert found["agent.shop.fra"]["ringfence_addresses"] == []
    node = found["node-1"]
    assert (node["ansible_host"], node["ringfence_labels"]["kube_zone"]) == ("10.0.0.11", "eu-1a")
    assert node["ringfence_kubernetes"]["pod_networks"] == ["10.244.0.0/24"]
    front = found["front.shop.svc.fra"]
    assert (front["ringfence_addresses"], "ringfence_realm" in front) == (["192.0.2.10"], False)
    assert found["web.shop.svc.fra"]["ringfence_addresses"] == ["10.96.0.7"]
    assert found["db.shop.svc.fra"]["ringfence_addresses"] == []
    assert SECRET not in str(inventory)
    assert warnings == ""


def test_selectors_are_the_servers(cluster, tmp_path):
    options = {"kinds": ["pods"], "label_selector": "pod-template-hash", "field_selector": "metadata.name!=web-5d4-x1"}
    found = listed(tmp_path, **known(tmp_path, cluster, **options))[0]["_meta"]["hostvars"]
    assert set(found) == {f"web-5d4-x{number}.shop.fra" for number in range(2, 6)}


def test_a_namespace_that_an_account_may_not_list_is_named_and_the_rest_goes_on(cluster, tmp_path):
    token = cluster.account_token("shop", "limited", seconds=600)
    options = {"kinds": ["pods"], "namespaces": ["vault", "shop"]}
    inventory, warnings = listed(tmp_path, **known(tmp_path, cluster, token, **options))
    assert "web-5d4-x1.shop.fra" in inventory["_meta"]["hostvars"]
    assert "pods of the cluster fra were not read: api/v1/namespaces/vault/pods: 403 Forbidden" in warnings
    assert 'cannot list resource "pods" in API group "" in the namespace "vault"' in warnings


def test_an_expired_token_is_told(cluster, tmp_path):
    done = run_inventory(tmp_path, **known(tmp_path, cluster, cluster.account_token("shop", "limited", seconds=-600)))
    assert done.returncode != 0
    assert "api/v1/pods: 401 Unauthorized" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_pod_that_was_deleted_is_gone(cluster, tmp_path):
    _pod(cluster.add, "brief", "10.244.0.30")
    given = known(tmp_path, cluster)
    assert "brief.shop.fra" in listed(tmp_path, **given)[0]["_meta"]["hostvars"]
    cluster.remove("/api/v1/namespaces/shop/pods/brief")
    assert "brief.shop.fra" not in listed(tmp_path, **given)[0]["_meta"]["hostvars"]
