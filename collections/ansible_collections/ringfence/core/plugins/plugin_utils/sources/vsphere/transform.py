"""Turns what a vCenter answered into assets: a name, addresses, labels, and one fact with everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    SourceRefused,
    good_addresses,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    realm_name,
    without_empty,
    without_secrets,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.answers import Thing
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import VsphereAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.tags import MachineTags
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few

_LABELS = ("vcenter", "datacenter", "cluster", "folder", "pool", "vapp")
_NAMED_IN_A_WARNING = 5
POWER = "runtime.powerState"
# Without these a machine has no addresses; what a login may not read is no passing failure.
_WHERE = ("guest.net", "guest.ipAddress")
_NOT_ALLOWED = ("NoPermission",)


@dataclass(frozen=True)
class Shape:
    """How assets are to look: which machines, which names, which realm, which labels, which connection."""

    vcenter: str
    names: Sequence[str] = ("name",)
    templates: bool = False
    power_states: Sequence[str] = ()
    inner_interfaces: bool = False
    realm: str = "none"
    label_prefix: str = "vsphere_"
    reach_by: Sequence[str] = ("primary", "ipv4", "ipv6")
    connection: str = "ssh"
    windows_connection: str = "psrp"


def tagged(tags: MachineTags, chosen: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the ids of the machines that have one of the chosen tags in each category.

    Raise SourceRefused where the tags could not be read: nothing then says which machines are meant.
    """
    if tags.failure:
        raise SourceRefused(f"'tagged' cannot be applied: {tags.failure}")
    return frozenset(
        machine
        for machine, has in tags.of.items()
        if all(set(values) & set(has.get(category, ())) for category, values in chosen.items())
    )


def assets(answer: VsphereAnswer, tags: MachineTags, shape: Shape, only: frozenset[str] | None = None) -> Found:
    """Return machines and hypervisors, sorted by name, and warn of running machines whose addresses nobody tells.

    `only` are the ids of the machines that are meant, where not all are.
    """
    malformed: list[str] = []

    def turn(thing: Thing) -> Candidate | None:
        if thing.kind == "VirtualMachine" and (only is None or thing.id in only) and _wanted(thing, shape):
            return _machine(thing, answer, tags.of.get(thing.id, {}), shape)
        if thing.kind == "HostSystem" and "config.network.vnic" in thing.properties:
            return _hypervisor(thing, answer, shape)
        return None

    candidates = good_candidates(answer.things.values(), turn, _name, malformed)
    silent = [
        one.wish
        for one in candidates
        if not one.variables["ringfence_addresses"] and one.variables["ringfence_vsphere"].get("power") == "poweredOn"
    ]
    warnings = [*answer.failures, *malformed, *([_silence(sorted(silent))] if silent else ())]
    unreached = {}
    if tags.failure:
        warnings.append(tags.failure)
        unreached[f"vsphere {shape.vcenter} tags"] = tags.failure
    failed = any("ringfence_incomplete" in one.variables for one in candidates)
    hosts = sorted(named(candidates), key=lambda host: host[0])
    return Found(hosts, warnings, unreached, whole=is_whole(malformed) and not failed and not tags.failure)


def _wanted(thing: Thing, shape: Shape) -> bool:
    if thing.properties.get("config.template") and not shape.templates:
        return False
    return not shape.power_states or thing.properties.get(POWER) in shape.power_states


def _machine(thing: Thing, answer: VsphereAnswer, tags: Mapping[str, Sequence[str]], shape: Shape) -> Candidate:
    told = thing.properties
    name = unquote(str(told.get("name", thing.id)))
    nics = told.get("guest.net", ())
    counted = [nic for nic in nics if shape.inner_interfaces or not nic["inner"]]
    addresses = good_addresses(address for nic in counted for address in nic["addresses"])
    primary = told.get("guest.ipAddress")
    if not nics and primary:
        addresses = good_addresses([primary])
    windows = _is_windows(told)
    template = bool(told.get("config.template"))
    given = told.get("customValue", {})
    # Everyone who may read a vCenter sees these; an inventory spreads them further.
    attributes = without_secrets({answer.attributes.get(key, str(key)): given[key] for key in given if given[key]})
    fact = {
        "kind": "template" if template else "machine",
        "id": thing.id,
        "name": name,
        "instance_uuid": told.get("config.instanceUuid"),
        "bios_uuid": told.get("config.uuid"),
        **_places(thing, answer.things, shape),
        "hypervisor": _name_of(told.get("runtime.host"), answer.things),
        "power": told.get(POWER),
        "tools": told.get("guest.toolsRunningStatus"),
        "platform": "windows" if windows else "linux",
        "guest_id": told.get("config.guestId"),
        "hostname": told.get("guest.hostName"),
        "primary_address": primary,
        "interfaces": [without_empty(nic) for nic in nics],
        "macs": list(told.get("config.hardware.device", ())),
        "tags": {category: values[0] if len(values) == 1 else list(values) for category, values in tags.items()},
        "attributes": attributes,
        "notes": told.get("config.annotation"),
    }
    variables = _variables(fact, addresses, shape)
    fault = next((why for path, why in thing.missing if path in _WHERE and why not in _NOT_ALLOWED), None)
    if fault is not None:
        variables["ringfence_incomplete"] = f"its networks were not read: {fault}"
    if template:
        variables |= {"ringfence_workload": False, "ringfence_kind": "template"}
    else:
        variables |= _connection(fact, addresses, windows, shape)
    wish = next((str(fact[key]) for key in shape.names if fact.get(key)), name)
    return Candidate(wish, thing.id, variables)


def _hypervisor(thing: Thing, answer: VsphereAnswer, shape: Shape) -> Candidate:
    told = thing.properties
    name = unquote(str(told.get("name", thing.id)))
    nics = told["config.network.vnic"]
    fact = {
        "kind": "hypervisor",
        "id": thing.id,
        "name": name,
        "bios_uuid": told.get("summary.hardware.uuid"),
        **_places(thing, answer.things, shape),
        "product": told.get("summary.config.product.fullName"),
        "interfaces": [without_empty(nic) for nic in nics],
    }
    addresses = good_addresses(address for nic in nics for address in nic["addresses"])
    no_workload = {"ringfence_workload": False, "ringfence_kind": "hypervisor"}
    return Candidate(name, thing.id, {**_variables(fact, addresses, shape), **no_workload})


def _variables(fact: Mapping[str, Any], addresses: Sequence[str], shape: Shape) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "ringfence_addresses": list(addresses),
        "ringfence_labels": good_labels({key: fact.get(key) for key in _LABELS}, shape.label_prefix),
        "ringfence_sources": [f"vsphere {shape.vcenter}"],
        "ringfence_vsphere": without_empty(fact),
    }
    realm = realm_name(str(fact.get(shape.realm) or ""))
    if realm:
        variables["ringfence_realm"] = realm
    return variables


def _connection(fact: Mapping[str, Any], addresses: Sequence[str], windows: bool, shape: Shape) -> dict[str, Any]:
    """Return the variables by which Ansible reaches a machine, and what enforces on it."""
    ways = {
        "primary": fact["primary_address"] if fact["primary_address"] in addresses else None,
        "ipv4": next((address for address in addresses if ":" not in address), None),
        "ipv6": next((address for address in addresses if ":" in address), None),
        "hostname": fact["hostname"],
    }
    host = next((ways[way] for way in shape.reach_by if ways[way]), None)
    variables: dict[str, Any] = {"ansible_host": host} if host else {}
    if windows:
        variables |= reached_as_windows(shape.windows_connection)
    elif shape.connection != "ssh":
        variables["ansible_connection"] = shape.connection
    return variables


def _places(thing: Thing, things: Mapping[str, Thing], shape: Shape) -> dict[str, Any]:
    """Return where an object is: its datacenter, the folders below that, its cluster, its pool and its vApp."""
    upward = [*_upward(thing, "parent", things)]
    datacenter = next((one for one in upward if one.kind == "Datacenter"), None)
    below = upward[: upward.index(datacenter)] if datacenter else upward
    folders = [one for one in below if one.kind == "Folder"]
    # The last one is the folder `vm`, `host` … that each datacenter has, or the root.
    folder = "/".join(_name(one) for one in reversed(folders[:-1]))
    pools = [*_upward(thing, "resourcePool", things)]
    owner = things.get(str(thing.properties.get("runtime.host", "")), thing)
    cluster = next((one for one in _upward(owner, "parent", things) if one.kind == "ClusterComputeResource"), None)
    # The first pool of a host or cluster is the one called `Resources` that each has.
    inner = [one for one in pools if one.kind == "ResourcePool"][:-1]
    return {
        "vcenter": shape.vcenter,
        "datacenter": _name(datacenter) if datacenter else None,
        "folder": folder if thing.kind == "VirtualMachine" else None,
        "cluster": _name(cluster) if cluster else None,
        "pool": "/".join(_name(one) for one in reversed(inner)),
        "vapp": next((_name(one) for one in pools if one.kind == "VirtualApp"), None),
    }


def _upward(thing: Thing, first: str, things: Mapping[str, Thing]) -> Iterator[Thing]:
    """Yield what an object is in, from the nearest; what this login may not read is where it ends."""
    seen = {thing.id}
    above = thing.properties.get(first) or (thing.properties.get("parentVApp") if first == "parent" else None)
    while isinstance(above, str) and above not in seen and above in things:
        seen.add(above)
        yield things[above]
        above = things[above].properties.get("parent")


def _name(thing: Thing) -> str:
    return unquote(str(thing.properties.get("name", thing.id)))


def _name_of(identity: Any, things: Mapping[str, Thing]) -> str | None:
    return _name(things[identity]) if isinstance(identity, str) and identity in things else None


def _is_windows(told: Mapping[str, Any]) -> bool:
    """Return whether Tools, or else the machine's setting, says Windows (`windows2019srv_64Guest`, `winXPProGuest`)."""
    family = told.get("guest.guestFamily")
    return family == "windowsGuest" if family else str(told.get("config.guestId", "")).startswith("win")


def _silence(names: Sequence[str]) -> str:
    shown = first_few([ascii(name)[1:-1] for name in names], _NAMED_IN_A_WARNING)
    return f"{len(names)} running machines have no address reported by VMware Tools: {shown}"
