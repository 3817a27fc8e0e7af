"""What the property collector tells, read from its XML: references by their ids, networks by their fields.

pyvmomi makes an object of each element and looks up its type anew each time; for thousands of machines that costs more
than everything else. The shapes are those of the vSphere Web Services API: PropertyCollector.RetrieveResult,
ObjectContent, GuestNicInfo, VirtualEthernetCard, CustomFieldStringValue, HostVirtualNic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import MALFORMED

_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# What stands for the name of a fault where the server answers a property in another form than it should.
MALFORMED_PROPERTY = "its answer is malformed"
_INTEGERS = ("int", "short", "long", "byte")

Element = ElementTree.Element


@dataclass(frozen=True)
class Thing:
    """An object of vSphere: its id (`vm-12`), its type (`VirtualMachine`), and its properties by their paths.

    `missing` are the paths that could not be read, each with the name of the fault.
    """

    id: str
    kind: str
    properties: Mapping[str, Any]
    missing: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Page:
    """A part of an answer, and the token that the next one is asked for with, where there is one."""

    objects: Sequence[Thing]
    token: str | None = None


def page(content: bytes) -> Page:
    """Return the page in an answer; raise ValueError where it is none."""
    try:
        body = ElementTree.fromstring(content).find(_BODY)  # noqa: S314 - expat as pyvmomi uses it
    except ElementTree.ParseError as error:
        raise ValueError(f"the answer is not valid XML: {error}") from error
    if body is None or not len(body):
        raise ValueError("the answer is not a SOAP response")
    namespace = body[0].tag.partition("}")[0] + "}"
    result = body[0].find(f"{namespace}returnval")
    if result is None:
        return Page(())
    things = []
    for item in result.iterfind(f"{namespace}objects"):
        with suppress(*MALFORMED):
            things.append(_thing(item, namespace))
    return Page(things, result.findtext(f"{namespace}token") or None)


def _thing(item: Element, namespace: str) -> Thing:
    """Return an ObjectContent: the reference, then properties, each a name and a value, then what is missing."""
    reference = item[0]
    properties: dict[str, object] = {}
    missing = []
    for child in item[1:]:
        path = child[0].text or "" if len(child) else ""
        if len(child) < 2:
            missing.append((path, MALFORMED_PROPERTY))
        elif child.tag.endswith("}propSet"):
            convert = _CONVERTED.get(path)
            try:
                properties[path] = _plain(child[1]) if convert is None else convert(child[1], namespace)
            except MALFORMED:
                missing.append((path, MALFORMED_PROPERTY))
        else:
            fault = child[1].find(f"{namespace}fault")
            missing.append((path, _type(fault) if fault is not None else "it gives no reason"))
    return Thing(reference.text or "", reference.get("type", ""), properties, missing)


def _plain(value: Element) -> object:
    """Return a text, a number or a truth value; an enumeration is a text, and a reference its id."""
    kind, text = _type(value), value.text or ""
    if kind == "boolean":
        return text in ("true", "1")
    return int(text) if kind in _INTEGERS else text


def _type(value: Element) -> str:
    return value.get(_TYPE, "").rpartition(":")[2]


def _guest_networks(value: Element, namespace: str) -> list[dict[str, object]]:
    address, device = f"{namespace}ipAddress", f"{namespace}deviceConfigId"
    return [
        {
            "mac": nic.findtext(f"{namespace}macAddress"),
            "network": nic.findtext(f"{namespace}network"),
            "addresses": [each.text or "" for each in nic if each.tag == address],
            # An interface that the guest made, no card of the machine (GuestNicInfo.deviceConfigId).
            "inner": True if int(nic.findtext(device) or 0) < 0 else None,
        }
        for nic in value
    ]


def _cards(value: Element, namespace: str) -> list[str]:
    return [mac for device in value if (mac := device.findtext(f"{namespace}macAddress"))]


def _attributes(value: Element, namespace: str) -> dict[int, str]:
    told = ((each.findtext(f"{namespace}key"), each.findtext(f"{namespace}value")) for each in value)
    return {int(key): text for key, text in told if key and text is not None}


def _kernel_networks(value: Element, namespace: str) -> list[dict[str, object]]:
    def within(nic: Element, *path: str) -> list[str]:
        return [each.text for each in nic.iterfind("/".join(namespace + step for step in path)) if each.text]

    return [
        {
            "name": nic.findtext(f"{namespace}device"),
            "mac": next(iter(within(nic, "spec", "mac")), None),
            "network": nic.findtext(f"{namespace}portgroup") or None,
            "addresses": [
                *within(nic, "spec", "ip", "ipAddress"),
                *within(nic, "spec", "ip", "ipV6Config", "ipV6Address", "ipAddress"),
            ],
        }
        for nic in value
    ]


_CONVERTED: dict[str, Callable[[Element, str], object]] = {
    "guest.net": _guest_networks,
    "config.hardware.device": _cards,
    "customValue": _attributes,
    "config.network.vnic": _kernel_networks,
}
