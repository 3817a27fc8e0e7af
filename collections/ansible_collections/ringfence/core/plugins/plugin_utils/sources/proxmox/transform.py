"""Turns nodes and guests of a Proxmox VE cluster into hosts: addresses from the guest, else from its configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    without_empty,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inner_interfaces import is_inner
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.api import Answer, Guest, Row, tags_of
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few

_NAMED = 5
_MAC = re.compile(r"(?:^|[=,])((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})(?:,|$)")
_UUID = re.compile(r"(?:^|,)uuid=([0-9A-Fa-f-]{36})(?:,|$)")


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: labels from tags, a label's key to the tags that are its values."""

    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    label_prefix: str = "proxmox_"
    windows_connection: str = "psrp"
    nodes: bool = True


def hosts(answer: Answer, shape: Shape) -> Found:
    """Return nodes and guests as hosts, and warnings: guests that do not tell their addresses, nodes that are away."""
    guests = [guest for guest in answer.guests if not guest.gone]
    warnings: list[str] = []
    candidates = good_candidates(guests, lambda guest: _guest(guest, shape), _called, warnings)
    if shape.nodes:
        candidates += good_candidates(answer.nodes, _node, lambda row: row.get("name"), warnings)
    whole = is_whole(warnings) and not any(guest.failure for guest in guests)
    warnings = [*_warnings(answer, guests), *warnings]
    return Found(sorted(named(candidates), key=lambda host: host[0]), warnings, _unreached(answer, guests), whole=whole)


def _called(guest: Guest) -> str:
    return str(guest.row.get("name") or guest.row.get("vmid"))


def _warnings(answer: Answer, guests: Sequence[Guest]) -> list[str]:
    silent = [_called(guest) for guest in guests if guest.agentless]
    failed = [guest for guest in guests if guest.failure]
    gone = len(answer.guests) - len(guests)
    found = [*answer.notes, *(f"the nodes were not read: {why}" for why in answer.failures.values())]
    if silent:
        found.append(
            f"{len(silent)} running machines do not tell their addresses (install qemu-guest-agent there): "
            f"{_listed(silent)}"
        )
    for node in sorted({str(guest.row.get("node")) for guest in failed}):
        there = [guest for guest in failed if str(guest.row.get("node")) == node]
        found.append(
            f"{len(there)} machines on the node {node} were not read wholly: {there[0].failure} "
            f"({_listed([_called(guest) for guest in there])})"
        )
    if gone:
        found.append(f"{gone} machines were deleted while the cluster was read")
    return found


def _listed(names: Sequence[str]) -> str:
    return first_few(names, _NAMED)


def _unreached(answer: Answer, guests: Sequence[Guest]) -> dict[str, str]:
    """Return the nodes that are away; a guest that fails by itself says so itself."""
    away = {f"proxmox {guest.row.get('node')}": guest.failure for guest in guests if guest.away}
    return {**away, **{f"proxmox {part}": why for part, why in answer.failures.items()}}


def _guest(guest: Guest, shape: Shape) -> Candidate:
    row, configuration = guest.row, guest.configuration
    told = [without_empty(one) for one in _told(guest.interfaces)]
    configured = list(_configured(configuration))
    addresses = good_addresses(text for one in told for text in one.get("addresses", ()))
    if not addresses:
        addresses = good_addresses(text for one in configured for text in one["addresses"])
    tags = tags_of(row)
    system = str(configuration.get("ostype", ""))
    uuid = _UUID.search(str(configuration.get("smbios1", "")))
    fact = {
        "kind": "container" if row.get("type") == "lxc" else "vm",
        "id": str(row.get("vmid")),
        "uuid": uuid[1].lower() if uuid else None,
        "node": row.get("node"),
        "pool": row.get("pool"),
        "state": row.get("status"),
        "os": system,
        "mac": [one["mac"] for one in configured if one["mac"]],
        "interfaces": told,
        "networks": [without_empty(one) for one in configured],
        "tags": tags,
    }
    usual = good_labels({key: row.get(key) for key in ("node", "pool")}, shape.label_prefix)
    own = {key: next((tag for tag in tags if tag in values), None) for key, values in shape.labels.items()}
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {**usual, **good_labels(own)},
        "ringfence_sources": [f"proxmox {row.get('node')}"],
        "ringfence_proxmox": without_empty(fact),
        **({"ansible_host": addresses[0]} if addresses else {}),
    }
    if guest.failure and not guest.away:
        variables["ringfence_incomplete"] = guest.failure
    # wxp, w2k8, wvista, win11: qemu-server's names of Windows all begin so, and no other does.
    if row.get("type") == "qemu" and system.startswith("w"):
        variables |= reached_as_windows(shape.windows_connection)
    return Candidate(str(row.get("name") or ""), str(row.get("vmid")), variables)


def _node(row: Row) -> Candidate | None:
    if not row.get("name"):
        return None
    addresses = good_addresses([row.get("ip")])
    fact = {"kind": "node", "id": str(row.get("name")), "state": "online" if row.get("online") else "offline"}
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {},
        "ringfence_sources": ["proxmox nodes"],
        "ringfence_proxmox": fact,
        **({"ansible_host": addresses[0]} if addresses else {}),
    }
    return Candidate(str(row.get("name")), "node", variables)


def _told(interfaces: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield the interfaces that a guest tells of: in the words of qemu's agent, or of the container's."""
    for one in interfaces:
        name = str(one.get("name", ""))
        if is_inner(name):
            continue
        listed = one.get("ip-addresses")
        texts = (
            [item.get("ip-address") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        )
        texts += [one.get("inet"), one.get("inet6")]
        yield {
            "name": name,
            "mac": str(one.get("hardware-address") or one.get("hwaddr") or ""),
            "addresses": good_addresses(text for text in texts if text),
        }


def _configured(configuration: Row) -> Iterator[dict[str, Any]]:
    """Yield the network devices of a configuration, `net0` and so on, with addresses that are written there."""
    for key in sorted(configuration):
        if not re.fullmatch(r"net\d+", key):
            continue
        device = str(configuration[key])
        words = dict(part.partition("=")[::2] for part in device.split(","))
        addressing = str(configuration.get(key.replace("net", "ipconfig"), ""))
        words |= dict(part.partition("=")[::2] for part in addressing.split(",") if part)
        mac = _MAC.search(device)
        yield {
            "name": key,
            "bridge": words.get("bridge"),
            "vlan": words.get("tag"),
            "mac": mac[1].lower() if mac else "",
            "addresses": good_addresses([words.get("ip"), words.get("ip6")]),
        }
