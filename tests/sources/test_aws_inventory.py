"""The inventory plugin aws against moto's server, run by the real ansible-inventory."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amazon_collection import amazon_collection
from aws_server import Door, MotoServer

COMMAND = Path(sys.executable).parent / "ansible-inventory"
for needed in ("boto3", "moto", "flask", "flask_cors"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed (pip install boto3 'moto[server]')", allow_module_level=True)
boto3 = pytest.importorskip("boto3")

OWN, OTHER = "123456789012", "444455556666"
ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "hush-hush",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}


def client(door, service, region, account=None):
    keys = KEYS
    if account:
        sts = boto3.client("sts", region_name=region, endpoint_url=door.url, **KEYS)
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="test")["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        keys = dict(zip((*KEYS, "aws_session_token"), (given[name] for name in names), strict=True))
    return boto3.client(service, region_name=region, endpoint_url=door.url, **keys)


def run(ec2, subnet, name, count=1, **tags):
    given = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    started = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=count,
        MaxCount=count,
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": given}],
    )
    for instance in started["Instances"]:
        interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
        ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1)
    return [instance["InstanceId"] for instance in started["Instances"]]


def network(ec2, region, cidr="10.0.0.0/16"):
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    (six,) = vpc["Ipv6CidrBlockAssociationSet"]
    subnet = ec2.create_subnet(
        VpcId=vpc["VpcId"],
        CidrBlock=cidr.replace("/16", "/24"),
        Ipv6CidrBlock=six["Ipv6CidrBlock"].replace("/56", "/64"),
        AvailabilityZone=f"{region}a",
    )["Subnet"]["SubnetId"]
    return vpc["VpcId"], subnet


def organization(door):
    organizations = client(door, "organizations", "us-east-1")
    with contextlib.suppress(organizations.exceptions.AlreadyInOrganizationException):
        organizations.create_organization(FeatureSet="ALL")
    return organizations


@pytest.fixture(scope="session")
def moto():
    server = MotoServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def estate(moto):
    """Two regions of one account and one of another, and what their parts are called."""
    door = Door(moto.port)
    west = client(door, "ec2", "eu-west-1")
    vpc, subnet = network(west, "eu-west-1")
    known = {"vpc": vpc, "subnet": subnet}
    stack = {"aws:autoscaling:groupName": "fleet", "aws:cloudformation:stack-name": "shop-stack"}
    known["web"] = run(west, subnet, "web", 2, Environment="prod", **stack, **{"eks:cluster-name": "kube"})
    (known["db"],) = run(west, subnet, "db", Environment="dev", Evil="{{ lookup('pipe', 'touch pwned') }}")
    (known["gone"],) = run(west, subnet, "gone")
    west.terminate_instances(InstanceIds=[known["gone"]])
    address = west.allocate_address(Domain="vpc")
    west.associate_address(AllocationId=address["AllocationId"], InstanceId=known["db"])
    known["public"] = address["PublicIp"]
    nat = west.create_nat_gateway(
        SubnetId=subnet,
        AllocationId=west.allocate_address(Domain="vpc")["AllocationId"],
        TagSpecifications=[{"ResourceType": "natgateway", "Tags": [{"Key": "Environment", "Value": "prod"}]}],
    )
    known["nat"] = nat["NatGateway"]["NatGatewayId"]
    endpoint = west.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.eu-west-1.ssm", VpcEndpointType="Interface", SubnetIds=[subnet]
    )
    known["endpoint"] = endpoint["VpcEndpoint"]["VpcEndpointId"]
    made = west.create_network_interface(SubnetId=subnet, Description="RDSNetworkInterface")
    known["interface"] = made["NetworkInterface"]["NetworkInterfaceId"]
    west.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )
    central = client(door, "ec2", "eu-central-1")
    known["central_vpc"], subnet = network(central, "eu-central-1")
    run(central, subnet, "far away [1:3]")
    _, subnet = network(client(door, "ec2", "eu-west-1", OTHER), "eu-west-1", "10.9.0.0/16")
    run(client(door, "ec2", "eu-west-1", OTHER), subnet, "theirs")
    peer, _ = network(west, "eu-west-1", "10.3.0.0/16")
    peering = west.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]
    west.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    known["peer"] = peer
    yield known
    door.close()


@pytest.fixture
def door(moto, estate):
    door = Door(moto.port)
    yield door
    door.close()


def inventory(workspace, door, text="", *arguments, **environment):
    config = workspace / "inventory/10-aws.yml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f"plugin: ringfence.core.aws\nendpoint_url: {door.url}\nretries: 2\n{text}")
    wanted = {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        **CREDENTIALS,
        **environment,
    }
    return subprocess.run(
        [str(COMMAND), "-i", str(config), "--list", *arguments],
        cwd=workspace,
        env={**os.environ, **wanted},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def listed(workspace, door, text="", *arguments, **environment):
    done = inventory(workspace, door, text, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout, object_hook=_unwrapped)
    return found, found["_meta"]["hostvars"], " ".join(done.stderr.split())


def _unwrapped(mapping):
    """Ansible says in this form that a string is never to be evaluated."""
    return mapping["__ansible_unsafe"] if set(mapping) == {"__ansible_unsafe"} else mapping


def test_instances_come_with_all_their_addresses_free_labels_and_one_fact(tmp_path, door, estate):
    found, hosts, warnings = listed(
        tmp_path, door, "regions: [eu-west-1]\nkeyed_groups: [{key: tags.Environment, prefix: env}]\n", "--export"
    )
    webs = [f"web_{identity}" for identity in estate["web"]]
    assert set(hosts) == {*webs, "db", estate["nat"], estate["endpoint"], estate["interface"]}
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
    assert db["ringfence_sources"] == [f"inventory/10-aws.yml {OWN} eu-west-1"]
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
    assert kinds == {estate["nat"]: "nat_gateway", estate["endpoint"]: "endpoint", estate["interface"]: "interface"}
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


def test_other_accounts_are_read_by_their_roles(tmp_path, door):
    text = f"regions: [eu-west-1]\naccounts: ['{OWN}', 'arn:aws:iam::{OTHER}:role/audit/reader']\ninterfaces: false\n"
    _, hosts, warnings = listed(tmp_path, door, text)
    assert hosts["theirs"]["ringfence_labels"]["aws_account"] == OTHER
    assert hosts["db"]["ringfence_labels"]["aws_account"] == OWN
    assert warnings == ""


def test_the_accounts_of_the_organization_are_found(tmp_path, door):
    organizations = organization(door)
    made = organizations.create_account(AccountName="member", Email="member@shop.example")
    member = made["CreateAccountStatus"]["AccountId"]
    _, subnet = network(client(door, "ec2", "eu-west-1", member), "eu-west-1", "10.8.0.0/16")
    run(client(door, "ec2", "eu-west-1", member), subnet, "member-1")
    _, hosts, _ = listed(tmp_path, door, "regions: [eu-west-1]\norganization: true\ninterfaces: false\n")
    assert hosts["member-1"]["ringfence_labels"]["aws_account"] == member
    assert "db" in hosts
    text = f"regions: [eu-west-1]\norganization: true\nexclude_accounts: ['{member}']\ninterfaces: false\n"
    assert "member-1" not in listed(tmp_path, door, text)[1]


def test_a_region_that_refuses_is_named_and_the_rest_goes_on(tmp_path, door):
    door.refused["eu-central-1"] = "UnauthorizedOperation"
    text = "regions: [eu-west-1, eu-central-1]\n"
    _, hosts, warnings = listed(tmp_path, door, text)
    assert "db" in hosts
    assert f"account {OWN}, region eu-central-1: describe_instances: UnauthorizedOperation" in warnings
    assert re.search(r"\d+ calls to AWS failed; 1 regions answered", warnings)
    done = inventory(tmp_path, door, text + "failures: fail\n")
    assert done.returncode != 0
    assert "eu-central-1" in done.stderr
    door.refused["eu-west-1"] = "AuthFailure"
    done = inventory(tmp_path, door, text)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_throttled_calls_are_repeated(tmp_path, door):
    door.throttled = 2
    _, hosts, warnings = listed(tmp_path, door, "regions: [eu-west-1]\nnetworks: false\ninterfaces: false\n")
    assert "db" in hosts
    assert (door.throttled, warnings) == (0, "")


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


def test_large_answers_are_read_as_botocore_reads_them(door):
    from ansible_collections.ringfence.core.plugins.plugin_utils.aws_answers import WANTED, quicken

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
        [str(COMMAND), "-i", "inventory", "--list"],
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
        ("accounts: [12]", "'12' is no account"),
        ("profile: nobody", "nobody"),
        ("realm: planet", "realm"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path, door, text, said):
    done = inventory(tmp_path, door, f"regions: [eu-west-1]\n{text}\n")
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
