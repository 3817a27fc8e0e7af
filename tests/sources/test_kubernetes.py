"""The inventory plugin kubernetes against servers that replay answers as the API of Kubernetes documents them."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from contextlib import ExitStack

import pytest
import yaml
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.access import Kubeconfig
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.api import (
    ClusterAnswer,
    Wanted,
    ask_clusters,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.transform import Shape, hosts

from tests.sources.inventory_run import configured, documentation, listed, run_inventory
from tests.sources.replay_server import certificate, replaying

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return certificate(tmp_path_factory.mktemp("tls"))


def pod(name, *addresses, phase="Running", labels=None, network=False, owner=None):
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    containers = [{"name": "c", "env": [{"name": "PW", "value": "hunter2"}], "ports": [{"containerPort": 8080}]}]
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "labels": labels,
        "ownerReferences": references,
    }
    spec = {"nodeName": "node-1", "hostNetwork": network, "containers": containers}
    return {
        "metadata": {**metadata, "annotations": {"last-applied": "hunter2"}},
        "spec": spec,
        "status": {"phase": phase, "podIPs": [{"ip": address} for address in addresses]},
    }


LABELS = {"app.kubernetes.io/part-of": "shop", "pod-template-hash": "5d4", "note": HOSTILE, "api-token": "hunter2"}
PODS = [
    pod("web-5d4-x1", "10.244.0.5", "fd00:244::5", labels=LABELS, owner=("ReplicaSet", "web-5d4")),
    pod("agent", "10.0.0.11", network=True),
    pod("job-1", "10.244.0.9", phase="Succeeded"),
]
NODE = {
    "metadata": {"name": "node-1", "uid": "n1", "labels": {"topology.kubernetes.io/zone": "eu-1a"}},
    "spec": {"podCIDRs": ["10.244.0.0/24"], "providerID": "aws:///eu-1a/i-0123456789abcdef0"},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.11"}, {"type": "Hostname", "address": "node-1"}],
        "nodeInfo": {"systemUUID": "EC2F0000-0000-0000-0000-000000000001", "operatingSystem": "linux"},
    },
}
SERVICES = [
    {
        "metadata": {"name": "web", "namespace": "shop", "uid": "s1"},
        "spec": {"type": "ClusterIP", "clusterIPs": ["10.96.0.7"], "ports": [{"port": 80, "targetPort": 8080}]},
    },
    {
        "metadata": {"name": "front", "namespace": "shop", "uid": "s2"},
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.8"]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}, {"hostname": "lb.example.com"}]}},
    },
    {"metadata": {"name": "db", "namespace": "shop", "uid": "s3"}, "spec": {"clusterIP": "None"}},
]


def pages(items):
    def answer(query):
        begin, limit = int(query.get("continue", 0)), int(query["limit"])
        more = begin + limit < len(items)
        metadata = {"continue": str(begin + limit)} if more else {}
        return {"kind": "List", "metadata": metadata, "items": items[begin : begin + limit]}

    return answer


def cluster():
    return {
        "/api/v1/pods": pages(PODS),
        "/api/v1/namespaces/shop/pods": pages(PODS),
        "/api/v1/nodes": pages([NODE]),
        "/api/v1/services": pages(SERVICES),
    }


def kubeconfig(directory, tls, urls, user=None):
    authority = base64.b64encode(tls[0].read_bytes()).decode()
    content = {
        "current-context": next(iter(urls)),
        "contexts": [{"name": name, "context": {"cluster": name, "user": "reader"}} for name in urls],
        "clusters": [
            {"name": name, "cluster": {"server": url, "certificate-authority-data": authority}}
            for name, url in urls.items()
        ],
        "users": [{"name": "reader", "user": user or {"token": "t0k3n"}}],
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def found(directory, tls, clusters, user=None, shape=None, **options):
    with ExitStack() as stack:
        replays = {name: stack.enter_context(replaying(answers, tls)) for name, answers in clusters.items()}
        urls = {name: replay.url for name, replay in replays.items()}
        known = Kubeconfig([kubeconfig(directory, tls, urls, user)])
        wanted = Wanted(known.contexts(list(clusters)), timeout=10, **options)
        return hosts(ask_clusters(known, wanted), shape or Shape()), replays


def test_pods_nodes_and_services_come_page_by_page_with_their_addresses(tmp_path, tls):
    result, replays = found(tmp_path, tls, {"fra": cluster()}, page_size=2)
    known = dict(result.hosts)
    assert set(known) == {
        *("web-5d4-x1.shop.fra", "agent.shop.fra", "node-1"),
        *("web.shop.svc.fra", "front.shop.svc.fra", "db.shop.svc.fra"),
    }
    web = known["web-5d4-x1.shop.fra"]
    assert web["ringfence_addresses"] == ["10.244.0.5", "fd00:244::5"]
    assert (web["ringfence_realm"], web["ringfence_workload"]) == ("kube-fra", False)
    labels = {"kube_cluster": "fra", "kube_namespace": "shop", "kube_kind": "pod", "kube_owner": "web"}
    assert web["ringfence_labels"] == labels
    assert web["ringfence_kubernetes"]["owner_kind"] == "Deployment"
    assert web["ringfence_kubernetes"]["ports"] == [{"port": 8080}]
    assert known["agent.shop.fra"]["ringfence_addresses"] == []
    assert len([path for _, path, *_ in replays["fra"].asked if path == "/api/v1/pods"]) == 2
    assert replays["fra"].asked[0][3]["Authorization"] == "Bearer t0k3n"


def test_nodes_are_workloads_in_the_usual_realm_with_what_tells_who_they_are(tmp_path, tls):
    node = dict(found(tmp_path, tls, {"fra": cluster()})[0].hosts)["node-1"]
    assert (node["ansible_host"], "ringfence_workload" in node, "ringfence_realm" in node) == (
        "10.0.0.11",
        False,
        False,
    )
    fact = node["ringfence_kubernetes"]
    assert (fact["instance_id"], fact["uuid"]) == ("i-0123456789abcdef0", "ec2f0000-0000-0000-0000-000000000001")
    assert node["ringfence_labels"]["kube_zone"] == "eu-1a"


def test_a_service_that_can_be_met_from_outside_has_those_addresses(tmp_path, tls):
    known = dict(found(tmp_path, tls, {"fra": cluster()})[0].hosts)
    front, inner, headless = (known[f"{name}.shop.svc.fra"] for name in ("front", "web", "db"))
    assert (front["ringfence_addresses"], "ringfence_realm" in front) == (["192.0.2.10"], False)
    assert front["ringfence_kubernetes"]["cluster_addresses"] == ["10.96.0.8"]
    assert (inner["ringfence_addresses"], inner["ringfence_realm"]) == (["10.96.0.7"], "kube-fra")
    assert headless["ringfence_addresses"] == []


def test_clusters_are_asked_together_and_selectors_are_theirs(tmp_path, tls):
    asked = {
        "kinds": ["pods"],
        "namespaces": ["shop"],
        "label_selector": "a=b",
        "field_selector": "status.phase=Running",
    }
    result, replays = found(tmp_path, tls, {"fra": cluster(), "ber": cluster()}, **asked)
    assert {name.rpartition(".")[2] for name, _ in result.hosts} == {"fra", "ber"}
    (_, path, query, *_) = replays["ber"].asked[0]
    assert path == "/api/v1/namespaces/shop/pods"
    assert {("labelSelector", "a=b"), ("fieldSelector", "status.phase=Running")} <= set(query)


def test_what_may_not_be_read_and_a_cluster_that_is_away_are_named_and_the_rest_goes_on(tmp_path, tls):
    forbidden = {**cluster(), "/api/v1/nodes": (403, '{"message": "nodes is forbidden"}')}
    result, _ = found(tmp_path, tls, {"fra": forbidden, "ber": {}})
    said = " ".join(result.warnings)
    assert "nodes of the cluster fra were not read: api/v1/nodes: 403 Forbidden" in said
    assert "4 kinds were not read" in said
    assert {"kubernetes fra nodes", "kubernetes ber pods"} <= set(result.unreached)
    assert "web-5d4-x1.shop.fra" in dict(result.hosts)


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (f"print({json.dumps(json.dumps({'status': {'token': 'from-command'}}))})", None),
        ("import sys; sys.exit('not logged in')", "ended with status 1: not logged in"),
        ("print('nothing')", "printed none"),
    ],
)
def test_a_command_gives_the_credential_as_for_kubectl(tmp_path, tls, credential, said):
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", credential]}
    result, replays = found(tmp_path, tls, {"fra": cluster()}, user={"exec": command})
    if said is None:
        assert replays["fra"].asked[0][3]["Authorization"] == "Bearer from-command"
    else:
        assert said in result.warnings[0]


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"client-certificate-data": "!"}, "not valid base64"),
        ({"client-certificate": "gone.pem"}, "cannot be read"),
        ({"tokenFile": "gone"}, "cannot be read"),
    ],
)
def test_an_account_that_leads_nowhere_is_told_by_cluster(tmp_path, tls, user, said):
    result, _ = found(tmp_path, tls, {"fra": cluster()}, user=user)
    assert said in result.warnings[0]
    assert len(result.unreached) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [("a: [", "not valid YAML"), ("- x", "not a mapping"), ("current-context: x", "no context 'x'")],
)
def test_what_is_no_kubeconfig_is_told(tmp_path, content, said):
    (tmp_path / "config").write_text(content)
    with pytest.raises(SourceRefused, match=said):
        Kubeconfig([tmp_path / "config"]).contexts([])
    with pytest.raises(SourceRefused, match="cannot be read"):
        Kubeconfig([tmp_path / "gone"])


def test_of_several_kubeconfigs_the_first_that_has_a_name_counts_and_paths_are_those_of_its_file(tmp_path, tls):
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
    (first / "config").write_text("users: [{name: reader, user: {tokenFile: kept}}]\ncurrent-context: ''\n")
    (first / "kept").write_text("t0k3n\n")
    with replaying(cluster(), tls) as replay:
        kubeconfig(second, tls, {"fra": replay.url}, {"token": "hidden by the first"})
        paths = ":".join(str(tmp_path / path) for path in ("gone", "first/config", "second/kubeconfig"))
        configured(tmp_path, "kubernetes")
        inventory, warnings = listed(tmp_path, KUBECONFIG=paths)
    assert "node-1" in inventory["_meta"]["hostvars"]
    assert replay.asked[0][3]["Authorization"] == "Bearer t0k3n"
    assert warnings == ""


def test_each_namespace_that_may_not_be_read_is_named(tmp_path, tls):
    refused = (403, '{"kind": "Status", "message": "pods is forbidden: User cannot list resource"}')
    answers = {**cluster(), **{f"/api/v1/namespaces/{name}/pods": refused for name in ("vault", "bank")}}
    result, _ = found(tmp_path, tls, {"fra": answers}, kinds=["pods"], namespaces=["shop", "vault", "bank"])
    said = result.warnings[0]
    for name in ("vault", "bank"):
        assert f"api/v1/namespaces/{name}/pods: 403 Forbidden: pods is forbidden" in said
    assert "web-5d4-x1.shop.fra" in dict(result.hosts)


@pytest.mark.parametrize("odd", [{}, {"metadata": []}, {"metadata": {"labels": [1]}, "spec": 5, "status": "x"}])
def test_odd_objects_are_no_reason_to_stop(odd):
    things = {kind: [odd] for kind in ("pods", "nodes", "services")}
    assert len(hosts([ClusterAnswer("c", things)], Shape()).hosts) == 3


def test_the_inventory_has_groups_evaluates_nothing_and_keeps_no_secret(tmp_path, tls):
    with replaying(cluster(), tls) as replay:
        config = kubeconfig(tmp_path, tls, {"fra": replay.url})
        labels = {"app": "app.kubernetes.io/part-of"}
        keyed = [{"key": "namespace", "prefix": "ns"}]
        configured(tmp_path, "kubernetes", kubeconfig=str(config), labels=labels, keyed_groups=keyed)
        inventory, warnings = listed(tmp_path)
        replay.answers.clear()
        done = run_inventory(tmp_path)
    web = inventory["_meta"]["hostvars"]["web-5d4-x1.shop.fra"]
    assert web["ringfence_labels"]["app"] == "shop"
    assert "web.shop.svc.fra" in inventory["ns_shop"]["hosts"]
    assert "lookup" in web["ringfence_kubernetes"]["tags"]["note"]
    assert not [word for word in ("hunter2", "t0k3n") if word in str(inventory)]
    assert warnings == ""
    assert not list(tmp_path.rglob("pwned"))
    assert done.returncode != 0
    assert "kubernetes fra pods: " in " ".join(done.stderr.split())


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("kubernetes")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "keyed_groups", "cache"} for example in examples)
