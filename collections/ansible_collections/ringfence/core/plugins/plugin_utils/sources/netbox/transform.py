"""Turns devices and virtual machines of NetBox and Nautobot into hosts, with the addresses of all their interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    realm_name,
    sorted_addresses,
    without_empty,
    without_secrets,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox import api as parts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.addresses import (
    Held,
    Holdings,
    Key,
    address_of,
    holdings,
    nested,
    word,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.api import Answer, Row

_NAMED = {
    parts.DEVICES: "devices",
    parts.MACHINES: "virtual machines",
    parts.ADDRESSES: "addresses",
    parts.ASSIGNMENTS: "assignments of addresses",
    parts.INTERFACES: "interfaces of devices",
    parts.MACHINE_INTERFACES: "interfaces of virtual machines",
    parts.NAMESPACES: "namespaces",
    parts.MANAGEMENT: "management-only interfaces",
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
    held = holdings(answer)
    spaces = {str(row.get("id")): word(row) for row in answer.rows.get(parts.NAMESPACES, ())}
    # A row that moves to another page while pages are read is there twice.
    rows = {
        (part, str(row.get("id"))): row for part in (parts.DEVICES, parts.MACHINES) for row in answer.rows.get(part, ())
    }
    warnings: list[str] = []
    malformed: list[str] = []
    candidates = []
    for turn in (
        lambda item: _candidate(item[0], item[1], held, spaces, shape, warnings),
        lambda item: _controller(item[0], item[1], held, spaces, shape),
    ):
        candidates += good_candidates(rows.items(), turn, lambda item: item[1].get("name") or item[0][1], malformed)
    warnings += malformed
    warnings += [f"{_NAMED.get(part, part)} were not read: {why}" for part, why in answer.failures.items()]
    if answer.failures:
        warnings.append(f"{len(answer.failures)} parts were not read completely; the rest is used")
    whole = not answer.failures and is_whole(malformed)
    return Found(sorted(named(candidates), key=lambda host: host[0]), warnings, _unreached(answer), whole=whole)


def _unreached(answer: Answer) -> dict[str, str]:
    """Return the parts that failed; without addresses neither devices nor machines are what they were."""
    own = (parts.DEVICES, parts.MACHINES, parts.MANAGEMENT)
    whole = next((why for part, why in answer.failures.items() if part not in own), None)
    found = {part: answer.failures.get(part, whole) for part in (parts.DEVICES, parts.MACHINES)}
    return {f"netbox {_NAMED[part]}": why for part, why in found.items() if why is not None}


def _candidate(
    key: Key, row: Row, holdings: Holdings, spaces: Mapping[str, str], shape: Shape, warnings: list[str]
) -> Candidate:
    is_device = key[0] == parts.DEVICES
    kind = "device" if is_device else "virtual-machine"
    name = str(row.get("name") or f"{kind}-{key[1]}")
    role = word(row.get("role") or row.get("device_role"))
    is_workload = not is_device or role in shape.workload_roles
    primary = _primary(row)
    addresses = good_addresses([*primary, *(one.get("address") for one in holdings.of(key, False).rows)])
    controllers = _controllers_addresses(row, holdings.of(key, True))
    # A switch is managed by the interface that is for that alone; a server is not its controller.
    own = () if is_workload else primary
    addresses = [address for address in addresses if address in own or address not in controllers]
    # The order of pages says nothing: the primary one is first, the others have an order of their own.
    first = [address for address in primary if address in addresses]
    addresses = list(dict.fromkeys([*first, *sorted_addresses(addresses)]))
    held = _rows_of(holdings.of(key, False).rows, addresses)
    realms = sorted({_space(one, spaces) for one in held})
    usual = {field: word(row.get(field)) for field in _LABELS} | {"role": role}
    custom = row.get("custom_fields")
    fact = {
        "kind": kind,
        # No "id": Nautobot's is a UUID, and not the machine's.
        "record": key[1],
        **usual,
        "rack": word(row.get("rack")),
        "type": nested(row, "device_type.model"),
        "manufacturer": word(nested(row, "device_type.manufacturer")),
        "serial": row.get("serial"),
        "asset_tag": row.get("asset_tag"),
        "mac": holdings.of(key, False).macs,
        # What a VIP or an anycast address is called is no name of one of those that hold it.
        "names": sorted({str(one["dns_name"]) for one in held if one.get("dns_name") and not word(one.get("role"))}),
        "vrfs": [name for name in realms if name],
        "tags": [text for one in _list(row.get("tags")) if (text := word(one))],
        "custom_fields": without_secrets(custom) if isinstance(custom, dict) else {},
    }
    labels = {label: word(nested(row, path)) for label, path in shape.labels.items()}
    variables: dict[str, object] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {**good_labels(usual, shape.label_prefix), **good_labels(labels)},
        "ringfence_sources": [f"netbox {_NAMED[key[0]]}"],
        "ringfence_netbox": without_empty(fact),
        **({"ansible_host": addresses[0]} if addresses else {}),
    }
    if not is_workload:
        variables |= {"ringfence_workload": False, "ringfence_kind": "device"}
    elif "windows" in usual["platform"].lower():
        variables |= reached_as_windows(shape.windows_connection)
    if shape.realm == "vrf" and len(realms) == 1 and realms[0]:
        variables["ringfence_realm"] = realm_name(realms[0])
    if shape.realm == "vrf" and len(realms) > 1:
        told = ", ".join(one or "global" for one in realms)
        warnings.append(f"'{name}' has addresses in several VRFs ({told}), so it is assigned to none of them")
    return Candidate(name, key[1], variables)


def _primary(row: Row) -> list[str]:
    return [address for name in ("primary_ip", "primary_ip4", "primary_ip6") for address in address_of(row, name)]


def _controllers_addresses(row: Row, held: Held) -> list[str]:
    return good_addresses([*address_of(row, "oob_ip"), *(one.get("address") for one in held.rows)])


def _controller(key: Key, row: Row, holdings: Holdings, spaces: Mapping[str, str], shape: Shape) -> Candidate | None:
    """Return the out-of-band controller of a device, which is a machine of its own; without the labels of the other."""
    held = holdings.of(key, True)
    role = word(row.get("role") or row.get("device_role"))
    own = () if role in shape.workload_roles else _primary(row)
    addresses = [address for address in _controllers_addresses(row, held) if address not in own]
    if key[0] != parts.DEVICES or not addresses:
        return None
    name = str(row.get("name") or f"device-{key[1]}")
    fact = {"kind": "controller", "record": key[1], "controls": name, "mac": held.macs}
    where = good_labels({field: word(row.get(field)) for field in ("site", "location")}, shape.label_prefix)
    variables: dict[str, object] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": where,
        "ringfence_sources": [f"netbox {_NAMED[key[0]]}"],
        "ringfence_workload": False,
        "ringfence_kind": "controller",
        "ringfence_netbox": without_empty(fact),
    }
    realms = sorted({_space(one, spaces) for one in (*held.rows, *_rows_of(holdings.of(key, False).rows, addresses))})
    if shape.realm == "vrf" and len(realms) == 1 and realms[0]:
        variables["ringfence_realm"] = realm_name(realms[0])
    return Candidate(f"{name}-oob", key[1], variables)


def _rows_of(rows: Sequence[Row], addresses: Sequence[str]) -> list[Row]:
    return [one for one in rows if set(good_addresses([one.get("address")])) & set(addresses)]


def _space(address: Row, spaces: Mapping[str, str]) -> str:
    """Return the VRF of an address, in Nautobot the namespace of the prefix that it is in; none is the usual one."""
    space = word(address.get("vrf")) or spaces.get(str(nested(address, "parent.namespace.id")), "")
    return "" if space == _GLOBAL else space


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
