"""Turns devices and virtual machines of NetBox and Nautobot into hosts, with the addresses of all their interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils import netbox_api as parts
from ansible_collections.ringfence.core.plugins.plugin_utils.netbox_api import Answer, Row
from ansible_collections.ringfence.core.plugins.plugin_utils.source_found import (
    Candidate,
    Found,
    good_addresses,
    good_labels,
    host_name,
    named,
    reached_as_windows,
    without_empty,
    without_secrets,
)

# A host by the part of the interface that it is in and its id there.
Key = tuple[str, str]
_NAMED = {
    parts.DEVICES: "devices",
    parts.MACHINES: "virtual machines",
    parts.ADDRESSES: "addresses",
    parts.ASSIGNMENTS: "assignments of addresses",
    parts.INTERFACES: "interfaces of devices",
    parts.MACHINE_INTERFACES: "interfaces of virtual machines",
    parts.NAMESPACES: "namespaces",
}
# Nautobot's own namespace, which everything is in that is not told otherwise.
_GLOBAL = "Global"
_LABELS = ("site", "location", "role", "tenant", "platform", "cluster", "status")


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: which devices are workloads, which labels they get, whether a VRF is a realm."""

    labels: Mapping[str, str] = field(default_factory=dict)
    label_prefix: str = "netbox_"
    workload_roles: Sequence[str] = ("server",)
    realm: str = "none"
    windows_connection: str = "psrp"


def hosts(answer: Answer, shape: Shape) -> Found:
    """Return devices and virtual machines as hosts, and warnings of what was not read."""
    held = _addresses(answer)
    macs = _macs(answer)
    spaces = {str(row.get("id")): _word(row) for row in answer.rows.get(parts.NAMESPACES, ())}
    candidates = []
    warnings = []
    for part in (parts.DEVICES, parts.MACHINES):
        for row in answer.rows.get(part, ()):
            key = (part, str(row.get("id")))
            candidate, realms = _candidate(key, row, held.get(key, ()), macs.get(key, ()), spaces, shape)
            candidates.append(candidate)
            if shape.realm == "vrf" and len(realms) > 1:
                warnings.append(
                    f"'{candidate.wish}' has addresses in the VRFs {', '.join(realms)}: it is in none of them"
                )
    warnings += [f"{_NAMED.get(part, part)} were not read: {why}" for part, why in answer.failures.items()]
    if answer.failures:
        warnings.append(f"{len(answer.failures)} parts were not read, or not wholly; the rest is there")
    return Found(sorted(named(candidates)), warnings, _unreached(answer))


def _unreached(answer: Answer) -> dict[str, str]:
    """Return the parts that failed; without addresses neither devices nor machines are what they were."""
    whole = next((why for part, why in answer.failures.items() if part not in (parts.DEVICES, parts.MACHINES)), None)
    found = {part: answer.failures.get(part, whole) for part in (parts.DEVICES, parts.MACHINES)}
    return {f"netbox {_NAMED[part]}": why for part, why in found.items() if why is not None}


def _candidate(
    key: Key, row: Row, held: Sequence[Row], macs: Sequence[str], spaces: Mapping[str, str], shape: Shape
) -> tuple[Candidate, list[str]]:
    is_device = key[0] == parts.DEVICES
    kind = "device" if is_device else "virtual-machine"
    primary = [_nested(row, f"{name}.address") for name in ("primary_ip", "primary_ip4", "primary_ip6")]
    addresses = good_addresses([*primary, *(one.get("address") for one in held)])
    role = _word(row.get("role") or row.get("device_role"))
    realms = sorted({_space(one, spaces) for one in held})
    usual = {name: _word(row.get(name)) for name in _LABELS} | {"role": role}
    custom = row.get("custom_fields")
    fact = {
        "kind": kind,
        # No "id": Nautobot's is a UUID, and not the machine's.
        "record": key[1],
        **usual,
        "rack": _word(row.get("rack")),
        "type": _nested(row, "device_type.model"),
        "manufacturer": _word(_nested(row, "device_type.manufacturer")),
        "serial": row.get("serial"),
        "asset_tag": row.get("asset_tag"),
        "mac": list(macs),
        "names": sorted({str(one["dns_name"]) for one in held if one.get("dns_name")}),
        "vrfs": [name for name in realms if name],
        "tags": [word for one in _list(row.get("tags")) if (word := _word(one))],
        "custom_fields": without_secrets(custom) if isinstance(custom, dict) else {},
    }
    own = {label: _word(_nested(row, path)) for label, path in shape.labels.items()}
    variables: dict[str, object] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {**good_labels(usual, shape.label_prefix), **good_labels(own)},
        "ringfence_sources": [f"netbox {_NAMED[key[0]]}"],
        "ringfence_netbox": without_empty(fact),
        **({"ansible_host": addresses[0]} if addresses else {}),
    }
    if is_device and role not in shape.workload_roles:
        variables["ringfence_workload"] = False
    elif "windows" in str(usual["platform"]).lower():
        variables |= reached_as_windows(shape.windows_connection)
    if shape.realm == "vrf" and len(realms) == 1 and realms[0]:
        variables["ringfence_realm"] = host_name(realms[0])
    return Candidate(str(row.get("name") or f"{kind}-{key[1]}"), key[1], variables), [one or "global" for one in realms]


def _space(address: Row, spaces: Mapping[str, str]) -> str:
    """Return the VRF of an address, in Nautobot the namespace of the prefix that it is in; none is the usual one."""
    space = _word(address.get("vrf")) or spaces.get(str(_nested(address, "parent.namespace.id")), "")
    return "" if space == _GLOBAL else space


def _addresses(answer: Answer) -> dict[Key, list[Row]]:
    """Return the addresses of every host, but those that are not used any more."""
    owners = _owners(answer)
    assigned = _assigned(answer, owners)
    found: dict[Key, list[Row]] = {}
    for row in answer.rows.get(parts.ADDRESSES, ()):
        if _word(row.get("status")).lower() == "deprecated":
            continue
        holder = row.get("assigned_object")
        keys = [*_keys(holder if isinstance(holder, dict) else {}), *assigned.get(str(row.get("id")), ())]
        for key in dict.fromkeys(keys):
            found.setdefault(key, []).append(row)
    return found


def _owners(answer: Answer) -> dict[str, Key]:
    """Return which host an interface belongs to, by the interface's part and id."""
    return {
        f"{part}{row.get('id')}": key
        for part in (parts.INTERFACES, parts.MACHINE_INTERFACES)
        for row in answer.rows.get(part, ())
        for key in _keys(row)
    }


def _assigned(answer: Answer, owners: Mapping[str, Key]) -> dict[str, list[Key]]:
    """Return the hosts of every address as Nautobot 2 has them, where an address may be on several interfaces."""
    found: dict[str, list[Key]] = {}
    for row in answer.rows.get(parts.ASSIGNMENTS, ()):
        for name, part in (("interface", parts.INTERFACES), ("vm_interface", parts.MACHINE_INTERFACES)):
            key = owners.get(f"{part}{_nested(row, f'{name}.id')}")
            if key is not None:
                found.setdefault(str(_nested(row, "ip_address.id")), []).append(key)
    return found


def _keys(interface: Row) -> Iterator[Key]:
    for name, part in (("device", parts.DEVICES), ("virtual_machine", parts.MACHINES)):
        identity = _nested(interface, f"{name}.id")
        if identity is not None:
            yield part, str(identity)


def _macs(answer: Answer) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for part in (parts.INTERFACES, parts.MACHINE_INTERFACES):
        for row in answer.rows.get(part, ()):
            # Since NetBox 4.2 an interface may have several, of which none need be the primary one.
            several = [_nested(one, "mac_address") for one in _list(row.get("mac_addresses")) if isinstance(one, dict)]
            told = [str(one) for one in dict.fromkeys([row.get("mac_address"), *several]) if one]
            for key in _keys(row) if told else ():
                found.setdefault(key, []).extend(told)
    return found


def _nested(row: Row, path: str) -> object:
    value: object = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _word(value: object) -> str:
    """Return what names an object: its slug, its value, or its name; a plain value as it is."""
    if isinstance(value, dict):
        return next((str(value[key]) for key in ("slug", "value", "name", "display") if value.get(key)), "")
    return "" if value is None or isinstance(value, list) else str(value)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
