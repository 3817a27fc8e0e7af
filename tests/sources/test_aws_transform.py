"""What AWS answers as assets: owners, names, connections, labels; shapes as in the EC2 API reference."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.networks import networks, overlaps
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.transform import Shape, hosts

ACCOUNT, REGION = "111122223333", "eu-west-1"


def instance(identity="i-1", name=None, address="10.0.0.5", **more):
    tags = [{"Key": "Name", "Value": name}] if name is not None else []
    addresses = [{"PrivateIpAddress": address, "Association": {"PublicIp": "198.51.100.7"}}]
    interface = {"NetworkInterfaceId": "eni-1", "MacAddress": "02:00:00:00:00:01", "PrivateIpAddresses": addresses}
    return {
        "InstanceId": identity,
        "State": {"Name": "running"},
        "NetworkInterfaces": [interface],
        "Tags": tags,
        **more,
    }


def interface(description, identity="eni-0a", address="10.0.0.9", managed=True, **more):
    return {
        "NetworkInterfaceId": identity,
        "Description": description,
        "RequesterManaged": managed,
        "InterfaceType": "interface",
        "PrivateIpAddresses": [{"PrivateIpAddress": address}],
        "VpcId": "vpc-1",
        **more,
    }


def found(shape=None, **lists):
    if "instances" in lists:
        lists["instances"] = [{"Instances": lists["instances"]}]
    return dict(hosts([RegionAnswer(ACCOUNT, REGION, lists)], [], shape or Shape(networks=False)).hosts)


@pytest.mark.parametrize(
    ("description", "name", "kind"),
    [
        ("ELB app/shop/0123456789abcdef", "elb-shop", "load_balancer"),
        ("ELB net/front-1/0123456789abcdef", "elb-front-1", "load_balancer"),
        ("ELB classic", "elb-classic", "load_balancer"),
        ("RDSNetworkInterface", "rds-eni-0a", "rds"),
        ("AWS Lambda VPC ENI-pay-0f3a1b2c-1234-1234-1234-0123456789ab", "lambda-pay", "lambda"),
        ("Amazon EKS kube", "eks-kube", "eks"),
        ("EFS mount target for fs-0a1b (fsmt-0a1b)", "efs-fs-0a1b", "efs"),
        ("ElastiCache sessions-001", "elasticache-sessions-001", "elasticache"),
        ("Network Interface for Transit Gateway Attachment tgw-attach-0a1b", "tgw-attach-0a1b", "transit_gateway"),
        ("arn:aws:ecs:eu-west-1:111122223333:attachment/0a1b-22", "ecs-0a1b-22", "ecs"),
        ("something new", "managed-eni-0a", "managed"),
    ],
)
def test_interfaces_that_aws_manages_are_named_by_what_they_belong_to(description, name, kind):
    ((found_name, variables),) = found(interfaces=[interface(description)]).items()
    assert (found_name, variables["ringfence_aws"]["kind"]) == (name, kind)
    assert variables["ringfence_workload"] is False


def test_a_database_is_named_where_it_alone_can_be_meant():
    place = {"AvailabilityZone": "eu-west-1a", "Groups": [{"GroupId": "sg-1", "GroupName": "db"}]}

    def database(name, group="sg-1"):
        return {
            "DBInstanceIdentifier": name,
            "AvailabilityZone": "eu-west-1b",
            "SecondaryAvailabilityZone": "eu-west-1a",
            "DBSubnetGroup": {"VpcId": "vpc-1"},
            "VpcSecurityGroups": [{"VpcSecurityGroupId": group}],
            "TagList": [{"Key": "Environment", "Value": "prod"}],
        }

    ours = [interface("RDSNetworkInterface", **place)]
    named = found(interfaces=ours, databases=[database("orders"), database("other", "sg-2")])
    assert named["rds-orders"]["ringfence_aws"]["tags"] == {"Environment": "prod"}
    assert set(found(interfaces=ours, databases=[database("orders"), database("twin")])) == {"rds-eni-0a"}
    forged = [interface("RDSNetworkInterface", managed=False, **place)]
    assert set(found(interfaces=forged, databases=[database("orders")])) == {"eni-0a"}


def test_a_description_that_a_user_wrote_makes_nobody_a_load_balancer():
    mine = interface("ELB app/shop/0123456789abcdef", "eni-0b", "10.0.0.66", managed=False)
    assets_found = found(interfaces=[interface("ELB app/shop/0123456789abcdef"), mine])
    assert assets_found["elb-shop"]["ringfence_addresses"] == ["10.0.0.9"]
    assert assets_found["eni-0b"]["ringfence_aws"]["kind"] == "interface"


def test_all_interfaces_of_one_owner_are_one_asset():
    parts = [interface("ELB app/shop/0123456789abcdef", f"eni-{n}", f"10.0.{n}.9", SubnetId=f"s-{n}") for n in (1, 2)]
    (variables,) = found(interfaces=parts).values()
    assert variables["ringfence_addresses"] == ["10.0.1.9", "10.0.2.9"]
    assert "aws_subnet" not in variables["ringfence_labels"]


def test_interfaces_of_instances_are_no_assets_of_their_own():
    assert not found(interfaces=[interface("", managed=False, Attachment={"InstanceId": "i-1"})])


def test_names_are_unique_and_hold_nothing_that_could_be_taken_for_something_else():
    names = ("web", "web", "all", "x; {{ y }}[1:3]\n", "", "web_i-1")
    machines = [instance(f"i-{number}", name) for number, name in enumerate(names)]
    assert set(found(instances=machines)) == {"web_i-0", "web_i-1_2", "all_i-2", "x_y_1_3", "i-4", "web_i-1"}


def test_what_is_gone_and_what_is_no_address_is_left_out():
    gone = instance("i-2", "gone", State={"Name": "terminated"})
    assert set(found(instances=[instance(name="web"), gone])) == {"web"}
    assert found(instances=[instance(name="odd", address="10.0.0.300")])["odd"]["ringfence_addresses"] == [
        "198.51.100.7"
    ]


def test_windows_and_linux_are_reached_in_their_ways():
    machines = [instance("i-1", "lin"), instance("i-2", "win", Platform="windows")]
    ours = found(instances=machines)
    assert ours["lin"]["ansible_host"] == "10.0.0.5"
    assert "ansible_connection" not in ours["lin"]
    assert (ours["win"]["ansible_connection"], ours["win"]["ringfence_enforcer"]) == ("psrp", "windows")
    public = found(Shape(reach_by=("public",)), instances=machines)
    assert public["lin"]["ansible_host"] == "198.51.100.7"
    managed = found(Shape(connection="ssm", windows_connection="ssm", ssm_bucket="b"), instances=machines)
    assert managed["win"]["ansible_shell_type"] == "powershell"
    assert managed["lin"]["ansible_aws_ssm_instance_id"] == "i-1"


def test_labels_come_from_the_tags_of_aws_and_are_text():
    tags = [
        {"Key": "kubernetes.io/cluster/kube", "Value": "owned"},
        {"Key": "aws:autoscaling:groupName", "Value": "fleet\x07"},
    ]
    labels = found(Shape(label_prefix=""), instances=[instance(Tags=tags)])["i-1"]["ringfence_labels"]
    assert labels == {"account": ACCOUNT, "region": REGION, "eks_cluster": "kube"}


def test_overlaps_and_realms_follow_from_vpcs_and_active_peerings():
    vpcs = [
        {"VpcId": f"vpc-{n}", "CidrBlock": cidr}
        for n, cidr in enumerate(("10.0.0.0/8", "10.1.0.0/16", "172.31.0.0/16"))
    ]
    peerings = [
        {
            "VpcPeeringConnectionId": f"pcx-{code}",
            "RequesterVpcInfo": {"VpcId": "vpc-0"},
            "AccepterVpcInfo": {"VpcId": other},
            "Status": {"Code": code},
        }
        for code, other in (("active", "vpc-2"), ("deleted", "vpc-1"))
    ]
    known = networks([RegionAnswer(ACCOUNT, REGION, {"vpcs": vpcs, "peerings": peerings})])
    assert overlaps(known, ["vpc-0", "vpc-1", "vpc-2"]) == ["vpc-0 and vpc-1 both have 10.1.0.0/16"]
    assert overlaps(known, ["vpc-0", "vpc-2"]) == []
    assert known["suggested_realms"] == {"vpc-0": {"sees": ["vpc-2"]}, "vpc-2": {"sees": ["vpc-0"]}}
