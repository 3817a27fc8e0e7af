"""What runs on a host, out of gathered facts, short enough for label rules and snapshots.

The bulky results of `package_facts`, `service_facts` and `community.general.listen_ports_facts`, and the listeners that
`ringfence flows collect --facts` keeps, become lists of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringfence.sources.identifying import is_inner_interface

# What `setup` tells of the interface of the default route, once more.
_SUMMARIES = ("default_ipv4", "default_ipv6")


def gathered(facts: Mapping[str, object]) -> dict[str, object]:
    """Return what facts say, each where they do.

    `packages` and `services` are names, `units` those that run, `ports` words as `tcp/5432`, `macs` hardware addresses.
    """
    found = {
        "packages": _names(facts.get("packages")),
        "services": _names(facts.get("services")),
        "units": _units(facts),
        "ports": _ports(facts),
        "macs": _macs(facts),
    }
    return {name: words for name, words in found.items() if words}


def _names(told: object) -> list[str]:
    return sorted(str(name) for name in told) if isinstance(told, Mapping) else []


def _units(facts: Mapping[str, object]) -> list[str]:
    services = facts.get("services")
    running = {
        str(name)
        for name, one in (services.items() if isinstance(services, Mapping) else ())
        if isinstance(one, Mapping) and one.get("state") == "running"
    }
    return sorted(running | set(_texts(facts.get("running_units"))))


def _ports(facts: Mapping[str, object]) -> list[str]:
    """Return what a host listens on, as words; loopback is left out, and so are ports that clients are given."""
    found: set[tuple[str, int]] = set()
    for name, protocol in (("tcp_listen", "tcp"), ("udp_listen", "udp"), ("listeners", "")):
        for one in _mappings(facts.get(name)):
            port, spoken = one.get("port"), protocol or one.get("protocol")
            near = str(one.get("address", "")).startswith(("127.", "::1"))
            if isinstance(port, int) and isinstance(spoken, str) and not near and not one.get("ephemeral"):
                found.add((spoken, port))
    return [f"{protocol}/{port}" for protocol, port in sorted(found)]


def _macs(facts: Mapping[str, object]) -> list[str]:
    """Return the hardware addresses of the interfaces that addresses are taken from."""
    found: set[str] = set()
    for name, one in facts.items():
        if not isinstance(one, Mapping) or one.get("type") not in ("ether", "infiniband"):
            continue
        bare = name.removeprefix("ansible_")
        device = one.get("device")
        named = (bare, device) if isinstance(device, str) else (bare,)
        if bare not in _SUMMARIES and not any(map(is_inner_interface, named)):
            found.update(_texts([one.get("perm_macaddress"), one.get("macaddress")]))
    return sorted(found)


def _mappings(value: object) -> Iterable[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
