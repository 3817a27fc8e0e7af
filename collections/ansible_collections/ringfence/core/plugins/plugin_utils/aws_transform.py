"""Turns what AWS answered into assets: a name, addresses, labels, and one fact with everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.ringfence.core.plugins.plugin_utils import aws_addresses as told
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_api import Failure, RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_networks import networks, overlaps
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_owners import Owner, owners_of
from ansible_collections.ringfence.core.plugins.plugin_utils.source_found import (
    Candidate,
    Found,
    good_labels,
    named,
    reached_as_windows,
    without_empty,
)

NETWORKS = "ringfence_aws_networks"
_LABELS = ("account", "region", "zone", "vpc", "subnet", "asg", "stack", "eks_cluster")
_GONE = ("shutting-down", "terminated")
_EKS_TAGS = ("aws:eks:cluster-name", "eks:cluster-name")
_EKS_TAG_START = "kubernetes.io/cluster/"


@dataclass(frozen=True)
class Shape:
    """How assets are to look: which names, which realm, which labels, which connection; and whether networks count."""

    names: Sequence[str] = ("tag:Name", "id")
    realm: str = "none"
    label_prefix: str = "aws_"
    reach_by: Sequence[str] = ("private", "public", "ipv6")
    connection: str = "ssh"
    windows_connection: str = "psrp"
    ssm_bucket: str | None = None
    profile: str | None = None
    networks: bool = True


def hosts(answers: Sequence[RegionAnswer], failures: Sequence[Failure], shape: Shape) -> Found:
    """Return all assets, sorted by name, and the networks; warn of what failed and of networks that overlap."""
    found = [one for answer in answers for one in (*_instances(answer, shape), *_owned(answer, shape))]
    known = networks(answers) if shape.networks else {}
    warnings = [f"{_part(one.account, one.region)}: {one.what}: {one.reason}" for one in failures]
    if failures:
        warnings.append(f"{len(failures)} calls to AWS failed; {len(answers)} regions answered")
    if known and shape.realm == "none":
        used = {str(one.variables["ringfence_aws"].get("vpc", "")) for one in found}
        warnings += [f"{line}; set 'realm: vpc' to keep their addresses apart" for line in overlaps(known, used)]
    return Found(
        hosts=sorted(named(found), key=lambda host: host[0]),
        warnings=warnings,
        unreached={_part(one.account, one.region): f"{one.what}: {one.reason}" for one in failures if one.loses},
        tables={NETWORKS: known} if known else {},
        whole=not failures,
    )


def _part(account: str, region: str) -> str:
    """Return the name of a part of the source: an account, or one region of it."""
    return f"aws {account} {region}".strip()


def _instances(answer: RegionAnswer, shape: Shape) -> Iterable[Candidate]:
    for reservation in answer.lists.get("instances", ()):
        for instance in reservation.get("Instances", ()):
            if (instance.get("State") or {}).get("Name") not in _GONE:
                yield _instance(instance, answer, shape)


def _instance(instance: told.Answer, answer: RegionAnswer, shape: Shape) -> Candidate:
    tags = told.tags_of(instance.get("Tags"))
    interfaces = instance.get("NetworkInterfaces", ())
    private, public, ipv6 = _all_addresses(interfaces)
    private = _with(private, instance.get("PrivateIpAddress"))
    public = _with(public, instance.get("PublicIpAddress"))
    identity = instance["InstanceId"]
    names = {"private_dns": instance.get("PrivateDnsName", ""), "public_dns": instance.get("PublicDnsName", "")}
    fact = {
        "kind": "instance",
        "id": identity,
        "account": answer.account,
        "region": answer.region,
        "zone": (instance.get("Placement") or {}).get("AvailabilityZone"),
        "vpc": instance.get("VpcId"),
        "subnet": instance.get("SubnetId"),
        "state": (instance.get("State") or {}).get("Name"),
        "type": instance.get("InstanceType"),
        "image": instance.get("ImageId"),
        "platform": "windows" if str(instance.get("Platform", "")).lower() == "windows" else "linux",
        "instance_profile": (instance.get("IamInstanceProfile") or {}).get("Arn"),
        **names,
        "security_groups": told.groups_of(instance.get("SecurityGroups")),
        "interfaces": [_interface(one, instance.get("SubnetId")) for one in interfaces],
        **_belonging(tags),
        "tags": tags,
    }
    reached = {"private": _first(private), "public": _first(public), "ipv6": _first(ipv6), **names}
    wish = next((text for text in (_name_by(way, tags, fact, reached) for way in shape.names) if text), identity)
    variables = _variables(fact, [*private, *public, *ipv6], shape)
    return Candidate(wish, identity, {**variables, **_connection(fact, reached, shape)})


def _owned(answer: RegionAnswer, shape: Shape) -> Iterable[Candidate]:
    interfaces = answer.lists.get("interfaces", ())
    owners = owners_of(interfaces, *(answer.lists.get(name, ()) for name in ("endpoints", "nat_gateways", "databases")))
    held: dict[tuple[Owner, str], list[told.Answer]] = {}
    for interface in interfaces:
        owner = owners.get(interface["NetworkInterfaceId"])
        if owner is not None:
            held.setdefault((owner, interface.get("VpcId", "")), []).append(interface)
    return [_owner(owner, vpc, interfaces, answer, shape) for (owner, vpc), interfaces in held.items()]


def _owner(owner: Owner, vpc: str, interfaces: Sequence[told.Answer], answer: RegionAnswer, shape: Shape) -> Candidate:
    private, public, ipv6 = _all_addresses(interfaces)
    subnet = _single(interface.get("SubnetId") for interface in interfaces)
    tags = dict(owner.tags)
    for interface in interfaces:
        tags = {**told.tags_of(interface.get("TagSet")), **tags}
    groups = {key: name for one in interfaces for key, name in told.groups_of(one.get("Groups")).items()}
    fact = {
        "kind": owner.kind,
        "id": owner.id,
        "account": answer.account,
        "region": answer.region,
        "zone": _single(interface.get("AvailabilityZone") for interface in interfaces),
        "vpc": vpc,
        "subnet": subnet,
        "service": owner.service,
        "state": _single(interface.get("Status") for interface in interfaces),
        "security_groups": groups,
        "interfaces": [_interface(one, subnet) for one in interfaces],
        **_belonging(tags),
        "tags": tags,
    }
    if owner.kind == "eks":
        fact["eks_cluster"] = owner.id
    unique = owner.id.rpartition("/")[2] if "/" in owner.id else f"{answer.account}-{answer.region}-{vpc}"
    variables = _variables(fact, [*private, *public, *ipv6], shape)
    return Candidate(owner.name, unique, {**variables, "ringfence_workload": False})


def _interface(interface: told.Answer, subnet: object) -> dict[str, object]:
    """Return an interface; its subnet only where that is not the one of the asset."""
    own = interface.get("SubnetId")
    return without_empty(
        {
            "id": interface.get("NetworkInterfaceId"),
            "mac": interface.get("MacAddress"),
            "subnet": None if own == subnet else own,
            "addresses": told.addresses_of(interface),
            "prefixes": told.prefixes(interface),
        }
    )


def _belonging(tags: Mapping[str, str]) -> dict[str, str | None]:
    """Return the autoscaling group, CloudFormation stack and EKS cluster that tags of AWS tell."""
    cluster = next((tags[key] for key in _EKS_TAGS if tags.get(key)), None)
    clusters = [key.removeprefix(_EKS_TAG_START) for key in tags if key.startswith(_EKS_TAG_START)]
    return {
        "asg": tags.get("aws:autoscaling:groupName"),
        "stack": tags.get("aws:cloudformation:stack-name"),
        "eks_cluster": cluster or (clusters[0] if len(clusters) == 1 else None),
    }


def _variables(fact: Mapping[str, object], addresses: Iterable[str], shape: Shape) -> dict[str, object]:
    variables: dict[str, object] = {
        "ringfence_addresses": [address for address in dict.fromkeys(addresses) if told.is_address(address)],
        "ringfence_labels": good_labels({key: fact.get(key) for key in _LABELS}, shape.label_prefix),
        "ringfence_sources": [_part(str(fact["account"]), str(fact["region"]))],
        "ringfence_aws": without_empty(fact),
    }
    if shape.realm == "vpc" and fact.get("vpc"):
        variables["ringfence_realm"] = fact["vpc"]
    return variables


def _connection(fact: Mapping[str, object], reached: Mapping[str, str], shape: Shape) -> dict[str, object]:
    """Return the variables by which Ansible reaches an instance, and what enforces on it."""
    windows = fact["platform"] == "windows"
    way = shape.windows_connection if windows else shape.connection
    host = next((reached[by] for by in shape.reach_by if reached.get(by)), None)
    variables: dict[str, object] = {"ansible_host": host} if host else {}
    if windows:
        variables |= reached_as_windows(way)
    if way == "ssm":
        more = {
            "ansible_aws_ssm_bucket_name": shape.ssm_bucket,
            "ansible_aws_ssm_profile": shape.profile,
            "ansible_shell_type": "powershell" if windows else None,
        }
        variables |= {
            "ansible_connection": "amazon.aws.aws_ssm",
            "ansible_aws_ssm_instance_id": fact["id"],
            "ansible_aws_ssm_region": fact["region"],
            **without_empty(more),
        }
    return variables


def _name_by(way: str, tags: Mapping[str, str], fact: Mapping[str, object], reached: Mapping[str, str]) -> object:
    if way.startswith("tag:"):
        return tags.get(way.removeprefix("tag:"))
    return fact["id"] if way == "id" else reached.get(way)


def _all_addresses(interfaces: Iterable[told.Answer]) -> tuple[list[str], list[str], list[str]]:
    private, public, ipv6 = [], [], []
    for interface in interfaces:
        private += told.private_addresses(interface)
        public += told.public_addresses(interface)
        ipv6 += told.ipv6_addresses(interface)
    return private, public, ipv6


def _with(addresses: list[str], address: object) -> list[str]:
    return [*addresses, str(address)] if address and address not in addresses else addresses


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _single(values: Iterable[object]) -> object:
    found = set(values)
    return found.pop() if len(found) == 1 else None
