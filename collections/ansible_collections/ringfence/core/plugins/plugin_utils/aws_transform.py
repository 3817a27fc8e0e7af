"""Turns what AWS answered into assets: a name, addresses, labels, and one fact with everything else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils import aws_addresses as told
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_api import RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_owners import Owner, owners_of

# Names that mean something else to Ansible.
_TAKEN = ("all", "ungrouped", "localhost", "127.0.0.1", "::1")
_LONGEST_NAME = 200
_GONE = ("shutting-down", "terminated")
_EKS_TAGS = ("aws:eks:cluster-name", "eks:cluster-name")
_EKS_TAG_START = "kubernetes.io/cluster/"


@dataclass(frozen=True)
class Shape:
    """How assets are to look: which names, which realm, which labels, which connection."""

    names: Sequence[str] = ("tag:Name", "id")
    realm: str = "none"
    label_prefix: str = "aws_"
    reach_by: Sequence[str] = ("private", "public", "ipv6")
    connection: str = "ssh"
    windows_connection: str = "psrp"
    ssm_bucket: str | None = None
    profile: str | None = None


@dataclass(frozen=True)
class Found:
    """An asset before it has a name that is its alone: the name it would have, and what tells it from another."""

    wish: str
    unique: str
    fact: Mapping[str, object]
    addresses: Sequence[str]
    reached: Mapping[str, str] = field(default_factory=dict)


def assets(answers: Iterable[RegionAnswer], shape: Shape) -> list[tuple[str, dict[str, object]]]:
    """Return names and variables of all assets, sorted by name."""
    found = [one for answer in answers for one in (*_instances(answer, shape), *_owned(answer))]
    return sorted((name, _variables(one, shape)) for name, one in _named(found))


def _instances(answer: RegionAnswer, shape: Shape) -> Iterable[Found]:
    for reservation in answer.lists.get("instances", ()):
        for instance in reservation.get("Instances", ()):
            if (instance.get("State") or {}).get("Name") not in _GONE:
                yield _instance(instance, answer, shape)


def _instance(instance: told.Answer, answer: RegionAnswer, shape: Shape) -> Found:
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
    return Found(wish, identity, told.without_empty(fact), [*private, *public, *ipv6], reached)


def _owned(answer: RegionAnswer) -> Iterable[Found]:
    interfaces = answer.lists.get("interfaces", ())
    owners = owners_of(interfaces, *(answer.lists.get(name, ()) for name in ("endpoints", "nat_gateways", "databases")))
    held: dict[tuple[Owner, str], list[told.Answer]] = {}
    for interface in interfaces:
        owner = owners.get(interface["NetworkInterfaceId"])
        if owner is not None:
            held.setdefault((owner, interface.get("VpcId", "")), []).append(interface)
    return [_owner(owner, vpc, interfaces, answer) for (owner, vpc), interfaces in held.items()]


def _owner(owner: Owner, vpc: str, interfaces: Sequence[told.Answer], answer: RegionAnswer) -> Found:
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
    return Found(owner.name, unique, told.without_empty(fact), [*private, *public, *ipv6])


def _interface(interface: told.Answer, subnet: object) -> dict[str, object]:
    """Return an interface; its subnet only where that is not the one of the asset."""
    own = interface.get("SubnetId")
    return told.without_empty(
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


def _variables(found: Found, shape: Shape) -> dict[str, object]:
    fact = found.fact
    addresses = [address for address in dict.fromkeys(found.addresses) if told.is_address(address)]
    labels = ("account", "region", "zone", "vpc", "subnet", "asg", "stack", "eks_cluster")
    variables: dict[str, object] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {shape.label_prefix + key: fact[key] for key in labels if _is_label(fact.get(key))},
        "ringfence_aws": fact,
    }
    if shape.realm == "vpc" and fact.get("vpc"):
        variables["ringfence_realm"] = fact["vpc"]
    if fact["kind"] != "instance":
        return {**variables, "ringfence_workload": False}
    if fact["platform"] == "windows":
        variables["ringfence_enforcer"] = "windows"
    return {**variables, **_connection(found, shape)}


def _connection(found: Found, shape: Shape) -> dict[str, object]:
    """Return the variables by which Ansible reaches an instance."""
    windows = found.fact["platform"] == "windows"
    way = shape.windows_connection if windows else shape.connection
    host = next((found.reached[by] for by in shape.reach_by if found.reached.get(by)), None)
    if way != "ssm":
        plain = {} if way == "ssh" and not windows else {"ansible_connection": way}
        shell = {"ansible_shell_type": "powershell"} if way == "ssh" and windows else {}
        return {**({"ansible_host": host} if host else {}), **plain, **shell}
    more = {
        "ansible_aws_ssm_bucket_name": shape.ssm_bucket,
        "ansible_aws_ssm_profile": shape.profile,
        "ansible_shell_type": "powershell" if windows else None,
    }
    return {
        "ansible_connection": "amazon.aws.aws_ssm",
        "ansible_aws_ssm_instance_id": found.fact["id"],
        "ansible_aws_ssm_region": found.fact["region"],
        **told.without_empty({"ansible_host": host, **more}),
    }


def _named(found: Sequence[Found]) -> Iterable[tuple[str, Found]]:
    """Return names that are each one asset's: who shares the one it would have is told apart by its id, all of them."""
    wishes = [_as_name(one.wish) or one.unique for one in found]
    count = Counter(wishes)
    used = {wish for wish in wishes if count[wish] == 1 and wish not in _TAKEN}
    for wish, one in zip(wishes, found, strict=True):
        if wish in used and count[wish] == 1:
            yield wish, one
            continue
        start = name = f"{wish}_{one.unique}"
        number = 1
        while name in used:
            number += 1
            name = f"{start}_{number}"
        used.add(name)
        yield name, one


def _as_name(text: str) -> str:
    """Return a text as the name of a host: what Ansible or a shell could take for something else becomes `_`."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("_.-")[:_LONGEST_NAME]


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


def _is_label(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _with(addresses: list[str], address: object) -> list[str]:
    return [*addresses, str(address)] if address and address not in addresses else addresses


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _single(values: Iterable[object]) -> object:
    found = set(values)
    return found.pop() if len(found) == 1 else None
