"""Hosts that come from somewhere else under a name that is taken: a name is no identity, so nothing is written over.

Whoever has the name keeps it, with what Ansible knows of it, and a further host of that name gets one of its own. It
carries the name that it would have had in `ringfence_name`: the engine makes one asset of the two where keys or
addresses say that they are one machine, and else shows two.

Only what is not a machine by itself is laid into the host that has the name: a host of a static file that is a bare
name, as it stands in a group there, and a row of a table that tells neither address nor key and contradicts no label.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from ipaddress import ip_address

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import free_name, host_name

NAME, SOURCES, LABELS, ADDRESSES = "ringfence_name", "ringfence_sources", "ringfence_labels", "ringfence_addresses"
BY_NAME = "ringfence_by_name"
GIVEN = "ringfence_given"
# By these variables a host tells who or where it is, be it one of a static file or of another plug-in.
_TELLING = (
    *("ansible_host", "ansible_ssh_host", ADDRESSES, SOURCES, "ringfence_uuid", "ringfence_mac", "ringfence_fqdn"),
    *("instance_id", "network_interfaces", "private_ip_address", "public_ip_address", "config", "guest", "id", "uuid"),
)
# Fields of a fact in which the engine looks for keys (`identity.keys`), in small letters and without signs.
_KEYS = re.compile(
    r"(system|bios|instance|product)?uuid|(instance|vm)?id|vmid|macs?|mac(address|addresses)|serial(number)?|"
    r"fqdn|dns(name)?|names|hostname|(private|public)dns|interfaces|nics|networks|networkinterfaces"
)


def place_of(variables: Mapping[str, object]) -> str:
    """Return where a host that is there was found: its source, else the file that Ansible read it from first."""
    sources = variables.get(SOURCES)
    if isinstance(sources, list | tuple) and sources:
        return str(sources[0])
    return str(variables.get("inventory_file") or "another inventory")


def is_bare(name: str, variables: Mapping[str, object]) -> bool:
    """Return whether a host that is there is nothing but a name, which may stand in a file to be in a group."""
    if _is_address(name) or any(variables.get(key) for key in _TELLING):
        return False
    return not any(key.startswith("ringfence_") and isinstance(value, dict) for key, value in variables.items())


def tells_nothing(variables: Mapping[str, object], fact: str) -> bool:
    """Return whether a record says neither where a machine is nor by what it could be known."""
    if variables.get(ADDRESSES) or variables.get("ansible_host"):
        return False
    told = variables.get(fact)
    names = told if isinstance(told, dict) else {}
    return not any(value and _KEYS.fullmatch(re.sub(r"[^a-z]", "", str(key).lower())) for key, value in names.items())


def contradicts(there: Mapping[str, object], more: Mapping[str, object]) -> bool:
    """Return whether two records give one label two values."""
    labels = _mapping(there.get(LABELS))
    return any(key in labels and labels[key] != value for key, value in _mapping(more.get(LABELS)).items())


def other_name(wish: str, source: str, taken: Container[str]) -> str:
    """Return a name for a further host of a name: with the file of its source, and a number where that is taken."""
    stem = source.rpartition("/")[2].partition(".")[0]
    return free_name(host_name(f"{wish}_{stem}"), taken)


def is_renamed_of(variables: Mapping[str, object], source: str) -> bool:
    """Return whether a host that is there is one of a source and has another name than it wished for."""
    return bool(variables.get(NAME)) and place_of(variables) == source


def added(there: Mapping[str, object], more: Mapping[str, object], source: str) -> dict[str, object]:
    """Return the variables that a record adds to a host that is there: what that lacks, and labels that it lacks.

    `ringfence_by_name` then says which source was taken to mean this host by its name alone, and what labels it gave.
    """
    found = {key: value for key, value in more.items() if there.get(key) is None}
    labels, new = _mapping(there.get(LABELS)), _mapping(more.get(LABELS))
    by_name = {**_mapping(there.get(BY_NAME)), source: sorted(new.keys() - labels.keys())}
    sources = dict.fromkeys([*_list(there.get(SOURCES)), *_list(more.get(SOURCES))])
    return {**found, LABELS: {**new, **labels}, SOURCES: list(sources), BY_NAME: by_name}


def given(variables: Mapping[str, object]) -> dict[str, object]:
    """Return what sources gave a host that a later file may write over, so that the engine can tell."""
    now = {key: variables[key] for key in ("ansible_host", ADDRESSES, LABELS) if variables.get(key)}
    return {**now, **_mapping(variables.get(GIVEN))}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
