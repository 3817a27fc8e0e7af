"""Which addresses and MACs a host of NetBox or Nautobot has of its own, and which its out-of-band controller has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import good_addresses, value_text
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox import api as parts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.api import Answer, Row

# A host by the part of the interface that it is in and its id there.
Key = tuple[str, str]
# What vendors call the interface of a server's controller: Dell, HPE, Lenovo, Cisco, Fujitsu, and the standard's name.
_CONTROLLER = re.compile(r"(idrac|ilo|bmc|ipmi|xcc|imm|cimc|irmc|oob)([\s_/-]?\d.*)?", re.IGNORECASE)


@dataclass
class Held:
    """The rows of addresses and the MACs of one side: the host itself, or its controller."""

    rows: list[Row] = field(default_factory=list)
    macs: list[str] = field(default_factory=list)


@dataclass
class Holdings:
    """What every host has, by its key, and what its controller has."""

    own: dict[Key, Held] = field(default_factory=dict)
    controllers: dict[Key, Held] = field(default_factory=dict)

    def of(self, key: Key, is_controllers: bool) -> Held:
        """Return one side of a host, made where it is new."""
        return (self.controllers if is_controllers else self.own).setdefault(key, Held())


def holdings(answer: Answer) -> Holdings:
    """Return the addresses and MACs of every host, but addresses that are not used any more."""
    found = Holdings()
    interfaces = {f"{part}{row.get('id')}": row for part in _INTERFACES for row in answer.rows.get(part, ())}
    for row in answer.rows.get(parts.MANAGEMENT, ()):
        interfaces.setdefault(f"{parts.INTERFACES}{row.get('id')}", row)
    assigned = _assigned(answer, interfaces)
    for row in answer.rows.get(parts.ADDRESSES, ()):
        if word(row.get("status")).lower() == "deprecated":
            continue
        holder = row.get("assigned_object")
        holders = [holder] if isinstance(holder, dict) else []
        seen = set()
        for one in (*holders, *assigned.get(str(row.get("id")), ())):
            for key in _keys(one):
                listed = interfaces.get(f"{_PART_OF[key[0]]}{one.get('id')}", one)
                if key not in seen:
                    seen.add(key)
                    found.of(key, _is_controllers(listed)).rows.append(row)
    for part in _INTERFACES:
        for row in answer.rows.get(part, ()):
            for key in _keys(row):
                held = found.of(key, _is_controllers(row))
                held.macs += [mac for mac in _macs(row) if mac not in held.macs]
    return found


def nested(row: Mapping[str, object], path: str) -> object:
    """Return what stands at a path with dots, None where nothing does."""
    value: object = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: object) -> str:
    """Return what names an object: its slug, its value, or its name; a plain value as a label has it."""
    if isinstance(value, dict):
        told = (value.get(key) for key in ("slug", "value", "name", "display"))
        return next((value_text(one) for one in told if one and not isinstance(one, dict | list)), "")
    return "" if isinstance(value, list) else value_text(value)


def address_of(row: Row, name: str) -> list[str]:
    """Return the address of a field such as `oob_ip`, alone in a list, or none."""
    return good_addresses([nested(row, f"{name}.address")])


_INTERFACES = (parts.INTERFACES, parts.MACHINE_INTERFACES)
_PART_OF = {parts.DEVICES: parts.INTERFACES, parts.MACHINES: parts.MACHINE_INTERFACES}


def _is_controllers(interface: Row) -> bool:
    return interface.get("mgmt_only") is True or _CONTROLLER.fullmatch(str(interface.get("name"))) is not None


def _assigned(answer: Answer, interfaces: Mapping[str, Row]) -> dict[str, list[Row]]:
    """Return the interfaces of every address as Nautobot 2 has them, where an address may be on several."""
    found: dict[str, list[Row]] = {}
    for row in answer.rows.get(parts.ASSIGNMENTS, ()):
        for name, part in (("interface", parts.INTERFACES), ("vm_interface", parts.MACHINE_INTERFACES)):
            interface = interfaces.get(f"{part}{nested(row, f'{name}.id')}")
            if interface is not None:
                found.setdefault(str(nested(row, "ip_address.id")), []).append(interface)
    return found


def _keys(interface: Row) -> Iterator[Key]:
    for name, part in (("device", parts.DEVICES), ("virtual_machine", parts.MACHINES)):
        identity = nested(interface, f"{name}.id")
        if identity is not None:
            yield part, str(identity)


def _macs(row: Row) -> Sequence[str]:
    # Since NetBox 4.2 an interface may have several, of which none need be the primary one.
    several = row.get("mac_addresses")
    listed = (
        [nested(one, "mac_address") for one in several if isinstance(one, dict)] if isinstance(several, list) else []
    )
    return [
        str(one) for one in dict.fromkeys(map(str, [row.get("mac_address") or "", *listed])) if one and one != "None"
    ]
