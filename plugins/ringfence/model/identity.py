"""How the same machine is recognised in several sources: by keys, preferred sources and decisions of people."""

from __future__ import annotations

from dataclasses import dataclass

ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """One key, and the JMESPath expressions over an asset's attributes that give its values; `address` has none."""

    name: str
    expressions: tuple[str, ...] = ()


# `source_facts` are what the sources themselves say of a host: the variables `onprem` and `ringfence_<source>`.
DEFAULT_KEYS = (
    IdentityKey(
        "uuid",
        (
            "ringfence_uuid",
            "source_facts[].[uuid, instance_uuid, bios_uuid, instance_id, id, vm_id, vmid, UUID, system_uuid]",
            "instance_id",
            "config.[uuid, instanceUuid]",
            "facts.[product_uuid, board_asset_tag]",
        ),
    ),
    IdentityKey(
        "mac",
        (
            "ringfence_mac",
            "source_facts[].[mac, mac_address, macs, mac_addresses, MAC]",
            "source_facts[].[interfaces, nics, networks, network_interfaces][][].[mac, mac_address]",
            "network_interfaces[].mac_address",
            "facts.macs",
        ),
    ),
    IdentityKey(
        "fqdn",
        (
            "ringfence_fqdn",
            "source_facts[].[fqdn, dns_name, names, hostname, host_name, private_dns, public_dns, FQDN]",
            "facts.fqdn",
            "ansible_host",
            "name",
            "ringfence_name",
        ),
    ),
    IdentityKey(ADDRESS),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """`identity` of `ringfence.yml`: keys, the strongest first, and decisions that no key overrules.

    `prefer` names sources, the preferred one first; `same` and `different` are groups of names of assets.
    """

    keys: tuple[IdentityKey, ...] = DEFAULT_KEYS
    prefer: tuple[str, ...] = ()
    same: tuple[tuple[str, ...], ...] = ()
    different: tuple[tuple[str, ...], ...] = ()


DEFAULT_IDENTITY = Identity()
