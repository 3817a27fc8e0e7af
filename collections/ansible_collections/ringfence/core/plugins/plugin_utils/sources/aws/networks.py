"""The networks that assets of AWS live in: what there is, which overlap, and which realms should see each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations, product
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.addresses import Answer, tags_of
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import RegionAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import sound, without_empty

Network = IPv4Network | IPv6Network


def networks(answers: Iterable[RegionAnswer], malformed: list[str] | None = None) -> dict[str, Any]:
    """Return VPCs, subnets, security groups, peerings and prefix lists of all regions, by their ids, as plain data.

    What cannot be read is left out, and told in `malformed`.
    """
    told: list[str] = [] if malformed is None else malformed
    found: dict[str, dict[str, Any]] = {name: {} for name in _READ}
    for answer in answers:
        where = {"account": answer.account, "region": answer.region}
        for name, (key, read) in _READ.items():
            for one in sound(answer.lists.get(name, ()), partial(_check, key, read), partial(_name, key), told):
                found[name].setdefault(one[key], without_empty({**where, **read(one)}))
    return {**found, "suggested_realms": suggested_realms(found["peerings"].values())}


def _check(key: str, read: Callable[[Answer], Mapping[str, Any]], one: Answer) -> None:
    for text in read(one).get("cidrs", ()):
        ip_network(text.strip())
    hash(one[key])


def _name(key: str, one: Answer) -> Any:
    return one.get(key)


def suggested_realms(peerings: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """Return `realms` for ringfence.yml: two VPCs with an active peering see each other's addresses."""
    sees: dict[str, set[str]] = {}
    for peering in peerings:
        one, other = peering.get("requester"), peering.get("accepter")
        if peering.get("state") == "active" and one and other:
            sees.setdefault(one, set()).add(other)
            sees.setdefault(other, set()).add(one)
    return {vpc: {"sees": sorted(others)} for vpc, others in sorted(sees.items())}


def overlaps(known: Mapping[str, Any], used: Iterable[str]) -> list[str]:
    """Return a line for every two of the VPCs in use that have addresses in common."""
    vpcs = known["vpcs"]
    cidrs = {vpc: [ip_network(cidr) for cidr in vpcs[vpc].get("cidrs", ())] for vpc in sorted(set(used)) if vpc in vpcs}
    lines = []
    for one, other in combinations(cidrs, 2):
        common = next(_common(cidrs[one], cidrs[other]), None)
        if common is not None:
            lines.append(f"{one} and {other} both have {common}")
    return lines


def _common(one: Sequence[Network], other: Sequence[Network]) -> Iterator[str]:
    for left, right in product(one, other):
        if left.version == right.version and left.overlaps(right):
            yield str(left if left.prefixlen >= right.prefixlen else right)


def _vpc(vpc: Answer) -> dict[str, Any]:
    four = [one["CidrBlock"] for one in vpc.get("CidrBlockAssociationSet", ()) if _stands(one, "CidrBlockState")]
    six = [
        one["Ipv6CidrBlock"] for one in vpc.get("Ipv6CidrBlockAssociationSet", ()) if _stands(one, "Ipv6CidrBlockState")
    ]
    cidrs = [*(four or [vpc["CidrBlock"]]), *six]
    return {"cidrs": cidrs, "default": vpc.get("IsDefault", False) or None, "tags": tags_of(vpc.get("Tags"))}


def _subnet(subnet: Answer) -> dict[str, Any]:
    six = subnet.get("Ipv6CidrBlockAssociationSet", ())
    return {
        "vpc": subnet.get("VpcId"),
        "zone": subnet.get("AvailabilityZone"),
        "cidrs": [
            *([subnet["CidrBlock"]] if subnet.get("CidrBlock") else ()),
            *(one["Ipv6CidrBlock"] for one in six if _stands(one, "Ipv6CidrBlockState")),
        ],
        "tags": tags_of(subnet.get("Tags")),
    }


def _security_group(group: Answer) -> dict[str, Any]:
    return {
        "name": group.get("GroupName"),
        "description": group.get("Description"),
        "vpc": group.get("VpcId"),
        "tags": tags_of(group.get("Tags")),
    }


def _peering(peering: Answer) -> dict[str, Any]:
    ends = {
        end: (peering.get(info) or {}).get("VpcId")
        for end, info in (("requester", "RequesterVpcInfo"), ("accepter", "AccepterVpcInfo"))
    }
    return {
        **{end: vpc for end, vpc in ends.items() if isinstance(vpc, str)},
        "state": (peering.get("Status") or {}).get("Code"),
        "tags": tags_of(peering.get("Tags")),
    }


def _prefix_list(prefix_list: Answer) -> dict[str, Any]:
    return {
        "name": prefix_list.get("PrefixListName"),
        "cidrs": [entry["Cidr"] for entry in prefix_list.get("Entries", ())],
        "tags": tags_of(prefix_list.get("Tags")),
    }


def _stands(association: Answer, state: str) -> bool:
    return (association.get(state) or {}).get("State", "associated") == "associated"


_READ = {
    "vpcs": ("VpcId", _vpc),
    "subnets": ("SubnetId", _subnet),
    "security_groups": ("GroupId", _security_group),
    "peerings": ("VpcPeeringConnectionId", _peering),
    "prefix_lists": ("PrefixListId", _prefix_list),
}
