"""Gathered facts: where Ansible's cache keeps them, and which addresses they say a host has."""

from __future__ import annotations

import configparser
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ringfence.model.addresses import network_of, point_of
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.attributes import plain_value
from ringfence.sources.gathered import gathered
from ringfence.sources.host_variables import sorted_points

Facts = Mapping[str, object]

# Addresses that say nothing of who a host is: its own loopback, and what only one link knows.
_EVERYWHERE = (*network_of("127.0.0.0/8"), *network_of("::1"), *network_of("fe80::/10"))
# What label rules see of the facts: what tells hosts apart and does not change from one gathering to the next.
_KEPT = (
    *("hostname", "fqdn", "domain", "nodename", "architecture", "system", "kernel", "os_family", "service_mgr"),
    *("distribution", "distribution_major_version", "distribution_version", "distribution_release"),
    *("product_uuid", "board_asset_tag", "os_name", "windows_domain", "windows_domain_member", "windows_domain_role"),
    *("system_vendor", "product_name", "virtualization_role", "virtualization_type", "interfaces", "local"),
)
# What else the cache holds that no `set_fact` put there.
_OF_ANSIBLE = ("ansible_", "discovered_", "module_setup", "gather_subset")
_OF_MODULES = frozenset({"packages", "services", "tcp_listen", "udp_listen"})
# Bridges that container engines and libvirt make with the same addresses on every host.
_PRIVATE_BRIDGE = re.compile(r"(docker|podman|cni|virbr|lxcbr|lxdbr|incusbr)\d*|br_[0-9a-f]{12}")


def fact_cache_of(directory: Path) -> Path | None:
    """Return the directory of a `jsonfile` fact cache that `ansible.cfg` or the environment names, None for no such.

    A relative path in `ansible.cfg` counts from that file, as for Ansible.
    """
    config = Path(os.environ.get("ANSIBLE_CONFIG") or directory / "ansible.cfg")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(config, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(f"it is no ansible.cfg: {error}", Place(str(config))) from error
    defaults = parser["defaults"] if parser.has_section("defaults") else {}
    plugin = os.environ.get("ANSIBLE_CACHE_PLUGIN") or str(defaults.get("fact_caching", ""))
    where = os.environ.get("ANSIBLE_CACHE_PLUGIN_CONNECTION") or str(defaults.get("fact_caching_connection", ""))
    if plugin.rpartition(".")[2] != "jsonfile" or not where:
        return None
    return config.parent / Path(where).expanduser()


def cached_facts(cache: Path, hosts: Iterable[str]) -> tuple[dict[str, Facts], list[Problem]]:
    """Return the facts of hosts from a `jsonfile` cache; a damaged file is a warning and counts as no facts.

    Hosts that were never asked have no file. ansible-core 2.19 puts `s1_` before the name of the host.
    """
    found: dict[str, Facts] = {}
    problems: list[Problem] = []
    if not cache.is_dir():
        return found, problems
    for host in hosts:
        if "/" in host:
            continue
        path = next((path for path in (cache / f"s1_{host}", cache / host) if path.is_file()), None)
        if path is None:
            continue
        try:
            data = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)
        except (OSError, ValueError, RecursionError) as error:
            message = f"the cached facts of '{host}' cannot be read: {error}"
            problems.append(Problem(Severity.WARNING, message, Place(str(path)), "delete the file and gather anew"))
            continue
        if isinstance(data, dict):
            found[host] = _facts_in(data)
    return found, problems


def fact_addresses(facts: Facts) -> tuple[int, ...]:
    """Return the addresses that facts say a host has, without loopback, link-local and container bridges."""
    texts = {*_texts(_fact(facts, "all_ipv4_addresses")), *_texts(_fact(facts, "all_ipv6_addresses"))}
    texts -= _bridge_addresses(facts)
    return sorted_points(identifying_point(text) for text in texts)


def fact_attributes(facts: Facts) -> dict[str, object]:
    """Return what label rules see of facts: lasting ones under `facts`, what `set_fact` cached under its name."""
    lasting = {name: fact for name in _KEPT if (fact := _fact(facts, name)) is not None} | gathered(facts)
    unprefixed = "all_ipv4_addresses" in facts or "distribution" in facts
    names = () if unprefixed else [name for name in facts if not name.startswith(_OF_ANSIBLE)]
    own = {name: facts[name] for name in names if name not in _OF_MODULES}
    return {**own, "facts": lasting}


def identifying_point(text: str) -> int | None:
    """Return the point of an address that tells hosts apart, None for loopback, link-local and no address."""
    try:
        point = point_of(text)
    except InputError:
        return None
    return None if any(low <= point <= high for low, high in _EVERYWHERE) else point


def _facts_in(data: Mapping[str, object]) -> Facts:
    """Unwrap the payload that ansible-core 2.19 writes: JSON text of the facts inside a mapping."""
    payload = data.get("__payload__")
    if isinstance(payload, str):
        try:
            inner = json.loads(payload, object_hook=_untagged, parse_constant=str)
        except (ValueError, RecursionError):
            return {}
        data = inner if isinstance(inner, dict) else {}
    plain = plain_value(data)
    return plain if isinstance(plain, dict) else {}


def _untagged(mapping: dict[str, object]) -> object:
    """Return what ansible-core 2.19 wrapped to keep its origin (`_AnsibleTaggedStr`, …); None for types of its own."""
    kind = mapping.get("__ansible_type")
    if kind is None:
        return mapping
    return mapping.get("value") if str(kind).startswith("_AnsibleTagged") else None


def _fact(facts: Facts, name: str) -> object:
    """Return a fact, under its own name (`ansible_facts`) or with the prefix that the cache keeps."""
    return facts.get(name, facts.get(f"ansible_{name}"))


def _bridge_addresses(facts: Facts) -> set[str]:
    found: set[str] = set()
    for interface in _texts(_fact(facts, "interfaces")):
        name = re.sub(r"[^A-Za-z0-9]", "_", interface)
        details = _fact(facts, name)
        if not _PRIVATE_BRIDGE.fullmatch(name) or not isinstance(details, Mapping):
            continue
        v4 = details.get("ipv4")
        entries = [v4, *_items(details.get("ipv4_secondaries")), *_items(details.get("ipv6"))]
        found.update(str(entry.get("address")) for entry in entries if isinstance(entry, Mapping))
    return found


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]
