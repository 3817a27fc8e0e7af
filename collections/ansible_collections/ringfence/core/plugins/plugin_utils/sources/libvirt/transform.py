"""Turns what libvirt answered into assets: a name, addresses, labels, and one fact with everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.etree import ElementTree

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
    without_empty,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.api import Domain, HostAnswer, shown_uri
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few

# The namespace of libosinfo in definitions, written by virt-install, virt-manager and Cockpit.
_OS = ".//{http://libosinfo.org/xmlns/libvirt/domain/1.0}os"
_INSIDE = {"libvirt_qemu": "community.libvirt.libvirt_qemu", "libvirt_lxc": "community.libvirt.libvirt_lxc"}
_NAMED_IN_A_WARNING = 5


@dataclass(frozen=True)
class Shape:
    """How assets are to look: which names, which realm, which labels, which connection."""

    names: Sequence[str] = ("name",)
    inner_interfaces: bool = False
    realm: str = "none"
    label_prefix: str = "libvirt_"
    connection: str = "ssh"
    windows_connection: str = "psrp"


def assets(answers: Iterable[HostAnswer], shape: Shape) -> Found:
    """Return the domains of all hosts, sorted by name; hosts that did not answer are named with their reason."""
    warnings = []
    unreached = {}
    kept: dict[tuple[Any, ...], tuple[HostAnswer, Domain]] = {}
    for answer in answers:
        shown = shown_uri(answer.uri)
        warnings += [f"{shown}: {warning}" for warning in answer.warnings]
        if answer.failure is not None:
            unreached[f"libvirt {shown}"] = answer.failure
        for domain in answer.domains:
            # A domain that moved is still defined where it was, and the one that runs is meant; two that run are two,
            # whose definition somebody copied.
            key: tuple[Any, ...] = (domain.uuid,)
            if key in kept and kept[key][1].state == "running" and domain.state == "running":
                key = (domain.uuid, answer.uri)
            if key not in kept or kept[key][1].state != "running":
                kept[key] = (answer, domain)
    malformed: list[str] = []
    found = good_candidates(kept.values(), partial(_candidate, shape), lambda item: item[1].name, malformed)
    silent = sorted(
        one.wish
        for one in found
        if one.variables["ringfence_libvirt"].get("state") == "running" and not one.variables["ringfence_addresses"]
    )
    if silent:
        shown = first_few([ascii(name)[1:-1] for name in silent], _NAMED_IN_A_WARNING)
        warnings.append(f"{len(silent)} running domains have no address that an agent, lease or ARP tells: {shown}")
    warnings += [*malformed, *(f"{part}: {why}" for part, why in unreached.items())]
    failed = any("ringfence_incomplete" in one.variables for one in found)
    hosts = sorted(named(found), key=lambda host: host[0])
    return Found(hosts, warnings, unreached, whole=is_whole(malformed) and not failed)


def _candidate(shape: Shape, item: tuple[HostAnswer, Domain]) -> Candidate:
    answer, domain = item
    # What was not read has no definition. Else libvirt parsed and wrote it; expat has no entities here.
    definition = ElementTree.fromstring(domain.definition or "<domain/>")  # noqa: S314
    interfaces = [_interface(element, domain) for element in definition.iterfind("./devices/interface")]
    own = [address for interface in interfaces for address in interface["addresses"]]
    if shape.inner_interfaces:
        own += [address for told in domain.addresses.get("agent", {}).values() for address in told]
    addresses = good_addresses(own)
    element = definition.find(_OS)
    system = str(domain.guest.get("os.id") or (element.get("id", "") if element is not None else ""))
    windows = "mswindows" in system or "microsoft.com" in system
    networks = {str(interface["network"]) for interface in interfaces if interface["network"]}
    fact = {
        "kind": "domain",
        "uuid": domain.uuid,
        "name": domain.name,
        "host": answer.host,
        "uri": shown_uri(answer.uri),
        "type": definition.get("type"),
        "state": domain.state,
        "platform": "windows" if windows else "linux",
        "system": domain.guest.get("os.pretty-name") or system,
        "hostname": domain.guest.get("hostname"),
        "title": definition.findtext("title"),
        "description": definition.findtext("description"),
        "interfaces": [without_empty(interface) for interface in interfaces],
    }
    labels = {"host": answer.host, "type": fact["type"], "network": networks.pop() if len(networks) == 1 else None}
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": good_labels(labels, shape.label_prefix),
        "ringfence_sources": [f"libvirt {fact['uri']}"],
        "ringfence_libvirt": without_empty(fact),
        **_connection(domain, answer.uri, addresses, windows, shape),
    }
    if domain.failure:
        variables["ringfence_incomplete"] = domain.failure
    if shape.realm == "host" and answer.host:
        variables["ringfence_realm"] = realm_name(answer.host)
    wish = next((str(fact[key]) for key in shape.names if fact.get(key)), domain.name)
    return Candidate(wish, domain.uuid, variables)


def _interface(element: ElementTree.Element, domain: Domain) -> dict[str, Any]:
    """Return a network card with its addresses: the agent's, else what leases and the ARP table know of it."""
    mac = _attribute(element, "mac", "address").lower()
    told = domain.addresses
    sources = ["agent"] if told.get("agent", {}).get(mac) else ["lease", "arp"]
    return {
        "mac": mac,
        "kind": element.get("type"),
        "network": _attribute(element, "source", "network"),
        "bridge": _attribute(element, "source", "bridge"),
        "device": _attribute(element, "target", "dev"),
        "addresses": list(dict.fromkeys(each for source in sources for each in told.get(source, {}).get(mac, ()))),
    }


def _attribute(element: ElementTree.Element, child: str, name: str) -> str:
    found = element.find(child)
    return found.get(name, "") if found is not None else ""


def _connection(domain: Domain, uri: str, addresses: Sequence[str], windows: bool, shape: Shape) -> Mapping[str, Any]:
    """Return the variables by which Ansible reaches a domain, and what enforces on it."""
    if shape.connection in _INSIDE and not windows:
        inside = {"ansible_connection": _INSIDE[shape.connection], "ansible_libvirt_uri": uri}
        return {**inside, "ansible_host": domain.name}
    host = {"ansible_host": addresses[0]} if addresses else {}
    return {**host, **reached_as_windows(shape.windows_connection)} if windows else host
