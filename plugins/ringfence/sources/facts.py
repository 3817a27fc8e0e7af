"""What gathered facts say of a host, no more than is asked for: addresses, what label rules and identity see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ringfence.model.addresses import point_of
from ringfence.model.errors import InputError
from ringfence.sources.fact_files import Facts
from ringfence.sources.fact_summary import gathered
from ringfence.sources.host_variables import can_be_held, shown, sorted_points
from ringfence.sources.identifying import identifying_point, is_bridge_address, is_inner_interface
from ringfence.wire.first_few import first_few

# Addresses of one host that are believed; what tells more is no host.
MOST_ADDRESSES = 1024
# What label rules see of the facts: what tells hosts apart and does not change from one gathering to the next.
_KEPT = (
    *("hostname", "fqdn", "domain", "nodename", "architecture", "system", "kernel", "os_family", "service_mgr"),
    *("distribution", "distribution_major_version", "distribution_version", "distribution_release"),
    *("product_uuid", "product_serial", "board_asset_tag", "system_vendor", "product_name", "interfaces", "local"),
    *("os_name", "windows_domain", "windows_domain_member", "windows_domain_role"),
    *("virtualization_role", "virtualization_type"),
)
# What else a cache holds that no `set_fact` put there.
_OF_ANSIBLE = ("ansible_", "discovered_", "module_setup", "gather_subset", "ringfence_")
_OF_MODULES = frozenset({"packages", "services", "tcp_listen", "udp_listen"})
# What the collection's playbook `discover` keeps of hosts, under names of their own.
_AT_ROOT = ("listeners", "running_units")
_OURS = re.compile(r"(?:ansible_)?ringfence_.*", re.DOTALL)


def fact_addresses(facts: Facts) -> tuple[int, ...]:
    """Return the addresses that facts say a host has, but those that every host has and those of inner interfaces."""
    texts = set(_address_texts(facts)) - _inner_addresses(facts)
    points = (identifying_point(text) for text in texts)
    found = sorted_points(point for point in points if point is not None and not is_bridge_address(point))
    return found if len(found) <= MOST_ADDRESSES else ()


def fact_attributes(facts: Facts) -> dict[str, object]:
    """Return what label rules see of facts, all of it what the host says of itself.

    `facts` has the lasting ones, and under `cached` what somebody's `set_fact` cached; `listeners` and `running_units`
    stand beside it.
    """
    lasting = {name: fact for name in _KEPT if (fact := _fact(facts, name)) is not None} | gathered(facts)
    unprefixed = "all_ipv4_addresses" in facts or "distribution" in facts
    names = () if unprefixed else [name for name in facts if not name.startswith(_OF_ANSIBLE)]
    cached = {name: facts[name] for name in names if name not in _OF_MODULES and name not in _AT_ROOT}
    beside = {name: facts[name] for name in _AT_ROOT if name in facts}
    return {**beside, "facts": {**lasting, **({"cached": cached} if cached else {})}}


def fact_faults(facts: Facts) -> Iterator[str]:
    """Yield what is wrong with the facts of a host, each as the end of a sentence about them."""
    ours = sorted(name for name in facts if _OURS.match(name))
    if ours:
        yield f"hold {first_few([name[:60] for name in ours], 3)}, which no host says of itself: not read"
    texts = _address_texts(facts)
    wrong = [text for text in texts if not _is_address(text)]
    listed = (_fact(facts, f"all_ipv{family}_addresses") for family in (4, 6))
    wrong += [shown(value) for value in listed if value is not None and not isinstance(value, list)]
    if wrong:
        yield f"hold addresses that are none: {', '.join(shown(text) for text in wrong[:3])}"
    if len(set(texts)) > MOST_ADDRESSES:
        yield f"hold more than {MOST_ADDRESSES} addresses: none of them counts"


def _is_address(text: str) -> bool:
    try:
        return can_be_held(point_of(text))
    except InputError:
        return False


def _address_texts(facts: Facts) -> list[str]:
    return [*_texts(_fact(facts, "all_ipv4_addresses")), *_texts(_fact(facts, "all_ipv6_addresses"))]


def _fact(facts: Facts, name: str) -> object:
    """Return a fact, under its own name (`ansible_facts`) or with the prefix that the cache keeps."""
    return facts.get(name, facts.get(f"ansible_{name}"))


def _inner_addresses(facts: Facts) -> set[str]:
    """Return the addresses of interfaces that are a host's own affair, but those that another interface has as well."""
    inner: set[str] = set()
    outer: set[str] = set()
    for interface in _texts(_fact(facts, "interfaces")):
        details = _fact(facts, re.sub(r"[^A-Za-z0-9]", "_", interface))
        if isinstance(details, Mapping):
            device = details.get("device")
            named = (interface, device) if isinstance(device, str) else (interface,)
            (inner if any(map(is_inner_interface, named)) else outer).update(_addresses_of(details))
    return inner - outer


def _addresses_of(details: Mapping[str, object]) -> Iterator[str]:
    v4 = details.get("ipv4")
    entries = [
        *(v4 if isinstance(v4, list) else [v4]),
        *_items(details.get("ipv4_secondaries")),
        *_items(details.get("ipv6")),
    ]
    yield from (str(entry.get("address")) for entry in entries if isinstance(entry, Mapping))


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]
