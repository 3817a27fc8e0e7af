"""The inventory plugin containers on a real Podman and a real Docker, over their sockets and over ssh."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import (
    Engine,
    EngineAnswer,
    ask_engines,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.transform import Shape, hosts

from tests.sources.container_engine import ENGINES, ContainerEngine, missing_tools
from tests.sources.inventory_run import configured, documentation, free_port, listed, run_inventory, wait_for

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"
COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "note": HOSTILE}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    if missing_tools(request.param):
        pytest.skip(f"not there: {', '.join(missing_tools(request.param))}")
    directory = Path(tempfile.mkdtemp(prefix="rf-engine-"))
    service = None
    try:
        service = ContainerEngine(request.param, directory)
        service.image()
        subnet = {"Config": [{"Subnet": "10.89.7.0/24"}, {"Subnet": "fd00:7::/64"}]}
        service.call(
            "POST", "/networks/create", {"Name": "back", "Driver": "bridge", "EnableIPv6": True, "IPAM": subnet}
        )
        secrets = {"registry.password": "hunter2"}
        service.run("shop-web-1", "back", Labels={**COMPOSE, **secrets}, Env=["DB_PASSWORD=hunter2"])
        service.run("onhost", "host")
        service.run("resting", "back", start=False)
        yield service
    finally:
        if service is not None:
            service.end()
        shutil.rmtree(directory, ignore_errors=True)


def asked(*engines, shape=None, **filters):
    return hosts(ask_engines(engines, filters or {"status": ["running"]}, 20, 4), shape or Shape())


def test_running_containers_are_hosts_with_addresses_labels_and_what_holds_them(engine):
    known = dict(asked(Engine("pod-1", f"unix://{engine.socket}")).hosts)
    assert set(known) == {"shop-web-1.pod-1", "onhost.pod-1"}
    web = known["shop-web-1.pod-1"]
    assert [address.rpartition("7.")[0] or address[:7] for address in web["ringfence_addresses"]] == [
        "10.89.",
        "fd00:7:",
    ]
    labels = {"container_host": "pod-1", "container_project": "shop", "container_service": "web"}
    assert web["ringfence_labels"] == labels
    assert (web["ringfence_workload"], web["ringfence_realm"]) == (False, "containers-pod-1")
    assert web["ringfence_containers"]["host"] == "pod-1"
    assert web["ringfence_containers"]["engine"].split()[-2] == "Engine"
    assert web["ringfence_containers"]["networks"][0]["driver"] == "bridge"
    assert (known["onhost.pod-1"]["ringfence_addresses"], "ringfence_realm" in known["onhost.pod-1"]) == ([], False)


def test_the_engine_applies_filters(engine):
    reached = Engine("pod-1", f"unix://{engine.socket}")
    assert [name for name, _ in asked(reached, label=["com.docker.compose.project=shop"]).hosts] == ["shop-web-1.pod-1"]
    assert [name for name, _ in asked(reached, status=["created"]).hosts] == ["resting.pod-1"]


def test_an_engine_that_is_not_reached_is_named_and_the_rest_goes_on(engine):
    gone = [Engine("a", "unix:///nowhere.sock"), Engine("b", "tcp://127.0.0.1:1"), Engine("c", "gopher://x")]
    found = asked(Engine("pod-1", f"unix://{engine.socket}"), *gone)
    assert len(found.hosts) == 2
    said = " ".join(found.warnings)
    assert "the engine of a was not reached: /nowhere.sock: No such file or directory" in said
    assert "the engine of c was not reached: 'gopher://x' is not a valid engine URL" in said
    assert "3 of 4 engines were not reached" in said
    assert set(found.unreached) == {"containers a", "containers b", "containers c"}


def test_the_inventory_has_groups_evaluates_nothing_and_keeps_no_secret(engine, tmp_path):
    engines = [{"host": "pod-1", "url": f"unix://{engine.socket}"}, {"host": "gone", "url": "unix:///nowhere.sock"}]
    labels = {"app": "com.docker.compose.project"}
    configured(tmp_path, "containers", engines=engines, labels=labels, keyed_groups=[{"key": "service", "prefix": "s"}])
    inventory, warnings = listed(tmp_path)
    web = inventory["_meta"]["hostvars"]["shop-web-1.pod-1"]
    assert inventory["s_web"]["hosts"] == ["shop-web-1.pod-1"]
    assert web["ringfence_labels"]["app"] == "shop"
    assert web["ringfence_sources"] == ["inventory/10-containers.yml", "inventory/10-containers.yml: containers pod-1"]
    assert "lookup" in web["ringfence_containers"]["tags"]["note"]
    assert "hunter2" not in str(inventory)
    assert "1 of 2 engines were not reached" in warnings
    assert not list(tmp_path.rglob("pwned"))


def test_an_engine_is_asked_over_ssh(engine, tmp_path, monkeypatch):
    if not Path("/usr/sbin/sshd").exists():
        pytest.skip("openssh-server is not installed")
    port = free_port()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    keys = ["-o", f"AuthorizedKeysFile={tmp_path / 'user.pub'}", "-h", tmp_path / "host"]
    options = ["-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes"]
    server = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", str(port), "-o", "ListenAddress=127.0.0.1", *keys, *options],
        stderr=subprocess.DEVNULL,
    )
    wrapper = tmp_path / "bin/ssh"
    wrapper.parent.mkdir()
    trust = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F /dev/null -i {tmp_path}/user {trust} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:/usr/bin:/bin")
    try:
        wait_for(port, server)
        found = asked(Engine("pod-1", f"ssh://root@127.0.0.1:{port}{engine.socket}"))
        assert (len(found.hosts), found.warnings) == (2, [])
        refused = asked(Engine("pod-1", f"ssh://root@127.0.0.1:1{engine.socket}"))
        assert "ssh ended" in refused.warnings[0]
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_all_engines_silent_or_a_wrong_configuration_fail_by_name(tmp_path):
    configured(tmp_path, "containers", engines=[{"host": "gone", "url": "unix:///nowhere.sock"}])
    done = run_inventory(tmp_path)
    assert done.returncode != 0
    assert "containers gone: " in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def container(name, **networks):
    settings = {network: {"IPAddress": address, "MacAddress": ""} for network, address in networks.items()}
    return {"Id": "f" * 64, "Names": [f"/{name}"], "NetworkSettings": {"Networks": settings}, "Labels": None}


def test_addresses_that_others_can_meet_are_in_no_realm_of_the_host():
    networks = {"bridge": {"Driver": "bridge"}, "lan": {"Driver": "macvlan"}}
    both = container("both", bridge="172.17.0.2", lan="10.4.0.9")
    answers = [EngineAnswer(Engine(host, "unix:"), [both], networks) for host in ("a", "b")]
    (_, first), (name, _) = hosts(answers, Shape()).hosts
    assert (first["ringfence_addresses"], "ringfence_realm" in first, name) == (["10.4.0.9"], False, "both.b")


@pytest.mark.parametrize("odd", [{}, {"Names": []}, {"Labels": [1]}, {"NetworkSettings": 5, "Ports": {}, "Names": [5]}])
def test_odd_answers_are_no_reason_to_stop(odd):
    assert len(hosts([EngineAnswer(Engine("a", "unix:"), [odd], {})], Shape()).hosts) == 1


def test_the_documented_examples_name_options_that_there_are():
    options, examples = documentation("containers")
    assert len(examples) == 2
    assert all(set(example) <= {*options, "keyed_groups"} for example in examples)
