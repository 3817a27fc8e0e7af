"""What the property collector tells of one object, as plain data: references by their ids, networks by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """An object of vSphere: its id (`vm-12`), its type (`VirtualMachine`), and its properties by their paths."""

    id: str
    kind: str
    properties: Mapping[str, object]


def thing(answer: object) -> Thing:
    """Return an `ObjectContent` of pyvmomi as plain data."""
    properties = {}
    for each in answer.propSet:
        convert = _CONVERTED.get(each.name)
        value = each.val
        if convert is not None:
            properties[each.name] = convert(value)
        elif isinstance(value, str | bool | int):
            # pyvmomi gives enumerations as texts of its own types.
            properties[each.name] = str(value) if isinstance(value, str) else value
        elif value is not None:
            properties[each.name] = value._moId
    return Thing(answer.obj._moId, answer.obj._wsdlName, properties)


def _guest_networks(found: list) -> list[dict[str, object]]:
    return [
        {
            "mac": nic.macAddress,
            "network": nic.network,
            "addresses": [str(address) for address in nic.ipAddress],
            # An interface that the guest made, no card of the machine (GuestNicInfo.deviceConfigId).
            "inner": True if (nic.deviceConfigId or 0) < 0 else None,
        }
        for nic in found
    ]


def _cards(found: list) -> list[str]:
    return [device.macAddress for device in found if getattr(device, "macAddress", None)]


def _attributes(found: list) -> dict[int, str]:
    return {each.key: str(each.value) for each in found if isinstance(getattr(each, "value", None), str)}


def _kernel_networks(found: list) -> list[dict[str, object]]:
    networks = []
    for nic in found:
        told = nic.spec.ip
        six = told.ipV6Config.ipV6Address if told is not None and told.ipV6Config is not None else []
        addresses = [told.ipAddress] if told is not None and told.ipAddress else []
        addresses += [each.ipAddress for each in six]
        networks.append(
            {"name": nic.device, "mac": nic.spec.mac, "network": nic.portgroup or None, "addresses": addresses}
        )
    return networks


_CONVERTED = {
    "guest.net": _guest_networks,
    "config.hardware.device": _cards,
    "customValue": _attributes,
    "config.network.vnic": _kernel_networks,
}
