"""AWS as moto has it: two accounts with instances, networks and other interfaces, and the inventory read from it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess

import pytest

from tests.sources.inventory_run import BIN

boto3 = pytest.importorskip("boto3")

OWN, OTHER = "123456789012", "444455556666"
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


def build_estate(door):
    """Two regions of one account and one of another, and what their parts are called."""
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
    second = west.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="eu-west-1b")["Subnet"]["SubnetId"]
    groups = west.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    resolver = client(door, "route53resolver", "eu-west-1").create_resolver_endpoint(
        CreatorRequestId="1",
        Name="names",
        SecurityGroupIds=[groups[0]["GroupId"]],
        Direction="INBOUND",
        IpAddresses=[{"SubnetId": subnet, "Ip": "10.0.0.53"}, {"SubnetId": second, "Ip": "10.0.1.53"}],
    )
    known["resolver"] = resolver["ResolverEndpoint"]["Id"]
    directory = client(door, "ds", "eu-west-1").create_directory(
        Name="corp.example.com",
        Password="Hush-hush-1",
        Size="Small",
        VpcSettings={"VpcId": vpc, "SubnetIds": [subnet, second]},
    )
    known["directory"] = directory["DirectoryId"]
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
    return known


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
        [str(BIN / "ansible-inventory"), "-i", str(config), "--list", *arguments],
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
