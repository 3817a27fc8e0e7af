"""Turns what AWS answered into assets: a name, addresses, labels, and one fact with everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws import addresses as told
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import Failure, RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.networks import networks, overlaps
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.owners import Owner, owners_of
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    can_be_held,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    realm_name,
    sorted_addresses,
    sound,
    without_empty,
)

NETWORKS = "ringfence_aws_networks"
_LABELS = ("account", "region", "zone", "vpc", "subnet", "asg", "stack", "eks_cluster")
_GONE = ("shutting-down", "terminated")
_EKS_TAGS = ("aws:eks:cluster-name", "eks:cluster-name")
_EKS_TAG_START = "kubernetes.io/cluster/"
# What owns interfaces, the VPC that they are in, and the interfaces.
Belonging = tuple[Owner, str, Sequence[told.Answer]]


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
    malformed: list[str] = []
    found = []
    for answer in answers:
        found += good_candidates(_instances(answer), partial(_instance, shape, answer), _instance_id, malformed)
        found += good_candidates(_owned(answer, malformed), partial(_owner, shape, answer), _owner_id, malformed)
    known = networks(answers, malformed) if shape.networks else {}
    warnings = [f"{_part(one.account, one.region)}: {one.what}: {one.reason}" for one in failures]
    if failures:
        warnings.append(f"{len(failures)} calls to AWS failed; {len(answers)} regions answered")
    warnings += malformed
    if known and shape.realm == "none":
        used = {str(one.variables["ringfence_aws"].get("vpc", "")) for one in found}
        warnings += [f"{line}; set 'realm: vpc' to keep their addresses apart" for line in overlaps(known, used)]
    return Found(
        hosts=sorted(named(found), key=lambda host: host[0]),
        warnings=warnings,
        unreached={_part(one.account, one.region): f"{one.what}: {one.reason}" for one in failures if one.loses},
        tables={NETWORKS: known} if known else {},
        whole=not failures and is_whole(malformed),
    )


def _part(account: str, region: str) -> str:
    """Return the name of a part of the source: an account, or one region of it."""
    return f"aws {account} {region}".strip()


def _instances(answer: RegionAnswer) -> list[told.Answer]:
    """Return the instances that there are, each once: one that moves to another page while pages are read is twice."""
    known: dict[Any, told.Answer] = {}
    for number, reservation in enumerate(answer.lists.get("instances", ())):
        listed = reservation.get("Instances") if isinstance(reservation, dict) else None
        for at, instance in enumerate(listed if isinstance(listed, list) else ()):
            identity = instance.get("InstanceId") if isinstance(instance, dict) else None
            known[identity if isinstance(identity, str) else (number, at)] = instance
    return list(known.values())


def _instance_id(instance: told.Answer) -> Any:
    return instance.get("InstanceId")


def _instance(shape: Shape, answer: RegionAnswer, instance: told.Answer) -> Candidate | None:
    state = (instance.get("State") or {}).get("Name")
    if state in _GONE:
        return None
    tags = told.tags_of(instance.get("Tags"))
    interfaces = instance.get("NetworkInterfaces", ())
    private, public, ipv6 = _all_addresses(interfaces)
    private = _with(private, instance.get("PrivateIpAddress"))
    public = _with(public, instance.get("PublicIpAddress"))
    ipv6 = _with(ipv6, instance.get("Ipv6Address"))
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
        "state": state,
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


def _owned(answer: RegionAnswer, malformed: list[str]) -> list[Belonging]:
    """Return what interfaces belong to that are no instance's, with those in each VPC in the order of their ids."""
    checks = {
        "interfaces": (_check_interface, "NetworkInterfaceId"),
        "endpoints": (lambda one: owners_of((), [one]), "VpcEndpointId"),
        "nat_gateways": (lambda one: owners_of((), (), [one]), "NatGatewayId"),
        "databases": (lambda one: owners_of((), (), (), [one]), "DBInstanceIdentifier"),
    }
    read = {
        name: sound(answer.lists.get(name, ()), check, partial(_field, key), malformed)
        for name, (check, key) in checks.items()
    }
    owners = owners_of(*read.values())
    held: dict[tuple[Owner, str], list[told.Answer]] = {}
    for interface in sorted(read["interfaces"], key=lambda one: str(one["NetworkInterfaceId"])):
        owner = owners.get(interface["NetworkInterfaceId"])
        if owner is not None:
            held.setdefault((owner, interface.get("VpcId", "")), []).append(interface)
    return [(owner, vpc, interfaces) for (owner, vpc), interfaces in held.items()]


def _check_interface(interface: told.Answer) -> None:
    for owner in owners_of([interface]).values():
        hash((owner, interface.get("VpcId"), interface.get("AvailabilityZone")))
    _interface(interface, None)
    told.tags_of(interface.get("TagSet"))
    hash((interface.get("SubnetId"), interface.get("Status"), *told.groups_of(interface.get("Groups"))))


def _field(key: str, one: told.Answer) -> Any:
    return one.get(key)


def _owner_id(item: Belonging) -> Any:
    return item[0].id


def _owner(shape: Shape, answer: RegionAnswer, item: Belonging) -> Candidate:
    owner, vpc, interfaces = item
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
    held = [sorted_addresses(filter(can_be_held, some)) for some in (private, public, ipv6)]
    variables = _variables(fact, [address for some in held for address in some], shape)
    kind = owner.kind if owner.kind == "load_balancer" else "managed"
    return Candidate(owner.name, unique, {**variables, "ringfence_workload": False, "ringfence_kind": kind})


def _interface(interface: told.Answer, subnet: Any) -> dict[str, Any]:
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


def _variables(fact: Mapping[str, Any], addresses: Iterable[str], shape: Shape) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "ringfence_addresses": [address for address in dict.fromkeys(addresses) if can_be_held(address)],
        "ringfence_labels": good_labels({key: fact.get(key) for key in _LABELS}, shape.label_prefix),
        "ringfence_sources": [_part(str(fact["account"]), str(fact["region"]))],
        "ringfence_aws": without_empty(fact),
    }
    if shape.realm == "vpc" and fact.get("vpc"):
        variables["ringfence_realm"] = realm_name(str(fact["vpc"]))
    return variables


def _connection(fact: Mapping[str, Any], reached: Mapping[str, str], shape: Shape) -> dict[str, Any]:
    """Return the variables by which Ansible reaches an instance, and what enforces on it."""
    windows = fact["platform"] == "windows"
    way = shape.windows_connection if windows else shape.connection
    host = next((reached[by] for by in shape.reach_by if reached.get(by)), None)
    variables: dict[str, Any] = {"ansible_host": host} if host else {}
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


def _name_by(way: str, tags: Mapping[str, str], fact: Mapping[str, Any], reached: Mapping[str, str]) -> Any:
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


def _with(addresses: list[str], address: Any) -> list[str]:
    """Return addresses with the one that AWS calls the instance's first, whatever the order of interfaces."""
    return [str(address), *(one for one in addresses if one != address)] if address else addresses


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _single(values: Iterable[Any]) -> Any:
    found = set(values)
    return found.pop() if len(found) == 1 else None
