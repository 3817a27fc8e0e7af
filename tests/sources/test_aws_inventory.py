"""The inventory plugin aws against moto's server, run by the real ansible-inventory."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
import yaml
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.transform import Shape, hosts

from tests.amazon_collection import amazon_collection
from tests.sources.aws_estate import CREDENTIALS, OWN, client, inventory, listed, organization
from tests.sources.inventory_run import BIN, ROOT


def test_instances_come_with_all_their_addresses_free_labels_and_one_fact(tmp_path, door, estate):
    found, hosts, warnings = listed(
        tmp_path, door, "regions: [eu-west-1]\nkeyed_groups: [{key: tags.Environment, prefix: env}]\n", "--export"
    )
    webs = [f"web_{identity}" for identity in estate["web"]]
    others = [estate[name] for name in ("nat", "endpoint", "interface", "resolver")]
    assert set(hosts) == {*webs, "db", *others, f"directory-{estate['directory']}"}
    web, db = hosts[webs[0]], hosts["db"]
    assert web["ringfence_labels"] == {
        "aws_account": OWN,
        "aws_region": "eu-west-1",
        "aws_zone": "eu-west-1a",
        "aws_vpc": estate["vpc"],
        "aws_subnet": estate["subnet"],
        "aws_asg": "fleet",
        "aws_stack": "shop-stack",
        "aws_eks_cluster": "kube",
    }
    assert db["ringfence_addresses"][0] == db["ansible_host"]
    assert estate["public"] in db["ringfence_addresses"]
    assert any(":" in address for address in db["ringfence_addresses"])
    source = "inventory/10-aws.yml"
    assert db["ringfence_sources"] == [source, f"{source}: aws {OWN} eu-west-1"]
    assert "lookup" in db["ringfence_aws"]["tags"]["Evil"]
    assert db["ringfence_aws"]["interfaces"][0]["mac"]
    assert not list(tmp_path.rglob("pwned"))
    assert sorted(found["env_prod"]["hosts"]) == sorted([*webs, estate["nat"]])
    assert "hush-hush" not in json.dumps(found)
    assert warnings == ""
    networks = found["ringfence_aws_networks"]["vars"]["ringfence_aws_networks"]
    assert networks["vpcs"][estate["vpc"]]["cidrs"][0] == "10.0.0.0/16"
    assert [one["cidrs"] for one in networks["prefix_lists"].values()] == [["192.0.2.0/24"]]
    assert networks["suggested_realms"][estate["vpc"]] == {"sees": [estate["peer"]]}
    assert estate["subnet"] in networks["subnets"]


def test_what_is_no_instance_is_no_workload_and_named_by_what_it_belongs_to(tmp_path, door, estate):
    _, hosts, _ = listed(tmp_path, door, "regions: [eu-west-1]\n")
    kinds = {name: hosts[name]["ringfence_aws"]["kind"] for name in hosts if "ringfence_workload" in hosts[name]}
    assert kinds == {
        estate["nat"]: "nat_gateway",
        estate["endpoint"]: "endpoint",
        estate["interface"]: "interface",
        estate["resolver"]: "resolver",
        f"directory-{estate['directory']}": "directory",
    }
    assert hosts[estate["resolver"]]["ringfence_addresses"] == ["10.0.0.53", "10.0.1.53"]
    assert {hosts[name]["ringfence_workload"] for name in kinds} == {False}
    assert door.calls["eu-west-1 DescribeDBInstances"] == 1
    assert hosts[estate["endpoint"]]["ringfence_aws"]["service"] == "com.amazonaws.eu-west-1.ssm"


def test_all_regions_and_overlapping_networks_are_told(tmp_path, door, estate):
    _, hosts, warnings = listed(tmp_path, door, "interfaces: false\n")
    assert "far_away_1_3" in hosts
    assert "both have 10.0.0.0/16; set 'realm: vpc'" in warnings
    assert estate["central_vpc"] in warnings
    _, hosts, warnings = listed(tmp_path, door, "regions: [eu-west-1, eu-central-1]\nrealm: vpc\ninterfaces: false\n")
    assert hosts["db"]["ringfence_realm"] == estate["vpc"]
    assert hosts["far_away_1_3"]["ringfence_realm"] == estate["central_vpc"]
    assert warnings == ""


def test_filters_are_applied_by_aws_and_fewer_calls_are_made(tmp_path, door):
    text = "regions: [eu-west-1]\ninterfaces: false\nnetworks: false\nfilters: {'tag:Environment': [dev, test]}\n"
    _, hosts, _ = listed(tmp_path, door, text)
    assert set(hosts) == {"db"}
    assert set(door.calls) == {"eu-west-1 GetCallerIdentity", "eu-west-1 DescribeInstances"}


def test_connections_are_composed_for_systems_manager(tmp_path, door, estate):
    text = "regions: [eu-west-1]\nconnection: ssm\nssm_bucket: transfer\ninterfaces: false\nnames: [id]\n"
    _, hosts, _ = listed(tmp_path, door, text)
    windows = {name for name in hosts if hosts[name]["ringfence_aws"]["platform"] == "windows"}
    for name, variables in hosts.items():
        way = {"ansible_connection": variables.get("ansible_connection")}
        assert way["ansible_connection"] == ("psrp" if name in windows else "amazon.aws.aws_ssm")
        if name not in windows:
            assert variables["ansible_aws_ssm_instance_id"] == name
            assert variables["ansible_aws_ssm_region"] == "eu-west-1"
            assert variables["ansible_aws_ssm_bucket_name"] == "transfer"


def test_the_cache_answers_without_aws_and_keeps_nothing_partial(tmp_path, door):
    cache = {
        "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(tmp_path / "cache"),
    }
    text = "regions: [eu-west-1]\ncache: true\n"
    door.refused["eu-west-1"] = "UnauthorizedOperation"
    assert inventory(tmp_path, door, text, **cache).returncode != 0
    door.refused.clear()
    first = listed(tmp_path, door, text, **cache)[1]
    door.calls.clear()
    assert listed(tmp_path, door, text, **cache)[1] == first
    assert not door.calls
    assert "db" not in listed(tmp_path, door, text + "filters: {'tag:Environment': prod}\n", **cache)[1]


def test_the_variables_for_systems_manager_are_those_that_its_connection_plug_in_reads():
    """What another version reads would leave the instances unreachable, and nobody would say why."""
    try:
        path = amazon_collection() / "ansible_collections/amazon/aws/plugins/connection/aws_ssm.py"
    except OSError as error:
        pytest.skip(f"amazon.aws is not here: {error}")
    told = yaml.safe_load(re.search(r'DOCUMENTATION = r?"""(.*?)"""', path.read_text(), re.DOTALL)[1])["options"]
    read = {variable["name"] for option in told.values() for variable in option.get("vars", ())}
    shape = Shape(connection="ssm", ssm_bucket="b", profile="audit", networks=False)
    answer = RegionAnswer(OWN, "eu-west-1", {"instances": [{"Instances": [{"InstanceId": "i-1"}]}]})
    ((_, variables),) = hosts([answer], [], shape).hosts
    composed = {name for name in variables if name.startswith("ansible_aws_ssm_")}
    assert len(composed) == 4
    assert composed <= read


def test_prefix_lists_become_lists_of_the_policy_as_documented(tmp_path, door):
    page = (ROOT / "docs/sources/aws.md").read_text(encoding="utf-8")
    (command,) = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "policy/aws-lists.yml" in block]
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/shop.yml").write_text("rules:\n  - {from: {list: offices}, to: {asset: db}, allow: ssh}\n")
    (tmp_path / "ringfence.yml").write_text("control: {from: [10.9.0.0/24]}\n")
    inventory(tmp_path, door, "regions: [eu-west-1]\n")
    shown = {**os.environ, **CREDENTIALS, "PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    for words in (["bash", "-ec", command], [str(BIN / "ringfence"), "explain", "--full", "192.0.2.7", "db", "tcp/22"]):
        done = subprocess.run(words, cwd=tmp_path, env=shown, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("allowed")


def test_large_answers_are_read_as_botocore_reads_them(door):
    from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.answers import WANTED, quicken

    slow, quick = client(door, "ec2", "eu-west-1"), client(door, "ec2", "eu-west-1")
    quicken(quick)
    for operation, method in (
        ("DescribeInstances", "describe_instances"),
        ("DescribeNetworkInterfaces", "describe_network_interfaces"),
    ):
        whole = _only(getattr(slow, method)(), WANTED[operation])
        for interface in list(whole.get("NetworkInterfaces", ())):
            if interface.get("Attachment", {}).get("InstanceId"):
                whole["NetworkInterfaces"].remove(interface)
        found = getattr(quick, method)()
        assert found.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        assert found == whole


@pytest.mark.parametrize("number", range(3))
def test_the_documented_examples_are_taken(tmp_path, door, number):
    from ansible_collections.ringfence.core.plugins.inventory.aws import EXAMPLES

    text = EXAMPLES.split("---\n")[number].replace("plugin: ringfence.core.aws\n", "")
    organization(door)
    regions = "" if "regions:" in text else "regions: [eu-west-1]\n"
    _, hosts, warnings = listed(tmp_path, door, text + regions)
    assert ("db" in hosts, warnings) == (number == 0, "")


def _only(value, wanted):
    if isinstance(value, list):
        return [_only(item, wanted) for item in value]
    if isinstance(value, dict):
        return {key: _only(item, wanted[key]) for key, item in value.items() if key in wanted}
    return value


def test_labels_reach_the_hosts_of_amazons_own_plugin(tmp_path, door):
    try:
        collection = amazon_collection()
    except OSError as error:
        pytest.skip(f"amazon.aws is not here: {error}")
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/10.aws_ec2.yml").write_text(
        f"plugin: amazon.aws.aws_ec2\nregions: [eu-west-1]\nendpoint_url: {door.url}\nhostnames: [instance-id]\n"
    )
    (tmp_path / "inventory/90-labels.yml").write_text("plugin: ringfence.core.labels\n")
    (tmp_path / "labels.yml").write_text("labels:\n  - env: tags.Environment\n    map: {production: prod}\n")
    done = subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", "inventory", "--list"],
        cwd=tmp_path,
        env={
            **os.environ,
            **CREDENTIALS,
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'collections'}:{collection}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    groups = json.loads(done.stdout)
    assert (len(groups["env_prod"]["hosts"]), len(groups["env_dev"]["hosts"])) == (2, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accounts: [12]", "'12' is not a valid account"),
        ("profile: nobody", "nobody"),
        ("realm: planet", "realm"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path, door, text, said):
    done = inventory(tmp_path, door, f"regions: [eu-west-1]\n{text}\n")
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
