"""Interfaces that belong to no instance become assets of what they belong to: a load balancer, a database, a function.

AWS says whose an interface is in its description alone, in words that the services have used for years. Whoever may
make an interface may write any description, so only those count that AWS itself manages. NAT gateways and endpoints
are known from their own lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.addresses import Answer, groups_of, tags_of

_Place = tuple[str, str, frozenset[str]]

# kind, the start of the asset's name, the description with the owner as `id` and its people's name as `name`
_DESCRIPTIONS = (
    ("load_balancer", "elb", r"ELB (?P<id>(?:app|net|gwy)/(?P<name>[\w-]+)/[0-9a-f]+)"),
    ("load_balancer", "elb", r"ELB (?P<id>[\w-]+)"),
    ("lambda", "lambda", r"AWS Lambda VPC ENI-(?P<id>(?P<name>[\w-]+?)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+)"),
    ("lambda", "lambda", r"AWS Lambda VPC ENI[-: ]+(?P<id>[\w-]+).*"),
    ("eks", "eks", r"Amazon EKS (?P<id>[\w-]+)"),
    ("nat_gateway", "", r"Interface for NAT Gateway (?P<id>nat-[0-9a-f]+)"),
    ("endpoint", "", r"VPC Endpoint Interface (?P<id>vpce-[0-9a-f]+)"),
    ("transit_gateway", "", r"Network Interface for Transit Gateway Attachment (?P<id>tgw-attach-[0-9a-f]+)"),
    ("efs", "efs", r"EFS mount target for (?P<id>fs-[0-9a-f]+) .*"),
    ("elasticache", "elasticache", r"ElastiCache (?P<id>[\w-]+).*"),
    ("directory", "directory", r"AWS created network interface for (?:directory )?(?P<id>d-[0-9a-f]+)"),
    ("resolver", "", r"Route 53 Resolver: (?P<id>rslvr-(?:in|out)-[0-9a-f]+):.*"),
    ("ecs", "ecs", r"arn:[\w-]+:ecs:[\w-]+:\d+:attachment/(?P<id>[0-9a-f-]+)"),
    ("kafka", "kafka", r".*\barn:[\w-]+:kafka:[\w-]+:\d+:cluster/(?P<id>(?P<name>[\w.-]+)/\S+)"),
    ("rds", "rds", r"RDSNetworkInterface"),
    ("redshift", "redshift", r"RedshiftNetworkInterface"),
)
_PATTERNS = tuple((kind, start, re.compile(pattern)) for kind, start, pattern in _DESCRIPTIONS)


@dataclass(frozen=True)
class Owner:
    """What interfaces belong to: its kind, AWS's id of it, the name of the asset, and what its own list told."""

    kind: str
    id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    service: str = field(default="", hash=False)


def owners_of(
    interfaces: Iterable[Answer],
    endpoints: Iterable[Answer] = (),
    nats: Iterable[Answer] = (),
    databases: Iterable[Answer] = (),
) -> dict[str, Owner]:
    """Return the owner of each interface, by its id; those of instances have none here."""
    listed = {**_endpoints(endpoints), **_nat_gateways(nats)}
    known = _databases(databases)
    found = {}
    for interface in interfaces:
        if not (interface.get("Attachment") or {}).get("InstanceId"):
            identity = interface["NetworkInterfaceId"]
            owner = listed.get(identity) or _described(interface)
            found[identity] = _database(interface, known) or owner if owner.kind == "rds" else owner
    return found


def _described(interface: Answer) -> Owner:
    identity = interface["NetworkInterfaceId"]
    if not _is_managed(interface):
        return Owner("interface", identity, identity)
    description = interface.get("Description", "")
    for kind, start, pattern in _PATTERNS:
        match = pattern.fullmatch(description)
        if match:
            groups = match.groupdict()
            owner = groups.get("id") or identity
            return Owner(kind, owner, "-".join(part for part in (start, groups.get("name") or owner) if part))
    kind = interface.get("InterfaceType", "interface")
    service = re.sub(r"^amazon-", "", interface.get("RequesterId", "")) if kind == "interface" else kind
    named = service if re.fullmatch(r"[a-z][a-z_-]*", service) else "managed"
    return Owner(named, identity, f"{named}-{identity}")


def _is_managed(interface: Answer) -> bool:
    """Return whether AWS made the interface: users choose neither of the two, and only some of the types."""
    own_types = ("interface", "efa", "efa-only", "trunk", "branch")
    return bool(interface.get("RequesterManaged")) or interface.get("InterfaceType", "interface") not in own_types


def _endpoints(endpoints: Iterable[Answer]) -> dict[str, Owner]:
    found = {}
    for endpoint in endpoints:
        identity = endpoint["VpcEndpointId"]
        owner = Owner("endpoint", identity, identity, tags_of(endpoint.get("Tags")), endpoint.get("ServiceName", ""))
        found.update(dict.fromkeys(endpoint.get("NetworkInterfaceIds", ()), owner))
    return found


def _databases(databases: Iterable[Answer]) -> dict[_Place, list[Owner]]:
    """Return databases by where their interfaces are: VPC, zone (both of one that stands by), security groups."""
    found: dict[_Place, list[Owner]] = {}
    for database in databases:
        name = database["DBInstanceIdentifier"]
        owner = Owner("rds", name, f"rds-{name}", tags_of(database.get("TagList")), database.get("Engine", ""))
        groups = frozenset(one["VpcSecurityGroupId"] for one in database.get("VpcSecurityGroups", ()))
        vpc = (database.get("DBSubnetGroup") or {}).get("VpcId", "")
        zones = {database.get("AvailabilityZone"), database.get("SecondaryAvailabilityZone")}
        for zone in filter(None, zones):
            found.setdefault((vpc, zone, groups), []).append(owner)
    return found


def _database(interface: Answer, known: Mapping[_Place, list[Owner]]) -> Owner | None:
    """Return the database that an interface belongs to, where one alone is in its place."""
    groups = frozenset(groups_of(interface.get("Groups")))
    there = known.get((interface.get("VpcId", ""), interface.get("AvailabilityZone", ""), groups), [])
    return there[0] if len(there) == 1 else None


def _nat_gateways(nats: Iterable[Answer]) -> dict[str, Owner]:
    found = {}
    for nat in nats:
        owner = Owner("nat_gateway", nat["NatGatewayId"], nat["NatGatewayId"], tags_of(nat.get("Tags")))
        interfaces = (one.get("NetworkInterfaceId") for one in nat.get("NatGatewayAddresses", ()))
        found.update({interface: owner for interface in interfaces if interface})
    return found
