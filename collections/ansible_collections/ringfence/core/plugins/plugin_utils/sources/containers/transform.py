"""Turns containers into hosts: addresses on networks that others can meet or in a realm of their host, and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_interface
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import Answered, EngineAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    host_name,
    is_whole,
    named,
    without_empty,
    without_secrets,
)

_PROJECT = ("com.docker.compose.project", "io.podman.compose.project")
_SERVICE = ("com.docker.compose.service", "io.podman.compose.service")
# Networks whose addresses are told apart outside of the host; a bridge's are not, every Docker has 172.17.0.2.
_SHARED_DRIVERS = ("macvlan", "ipvlan", "overlay")


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: labels from container labels; whether bridges are realms of their host; `enforce`."""

    labels: Mapping[str, str] = field(default_factory=dict)
    label_prefix: str = "container_"
    realm: str = "host"
    enforce: bool = False


def hosts(answers: Sequence[EngineAnswer], shape: Shape) -> Found:
    """Return the containers of all engines as hosts, and warnings of the engines that were not reached."""
    malformed: list[str] = []
    candidates = []
    for answer in answers:
        candidates += good_candidates(answer.containers, partial(_candidate, answer, shape), _name, malformed)
    failed = [answer for answer in answers if answer.failure]
    warnings = [f"the engine of {answer.engine.host} was not reached: {answer.failure}" for answer in failed]
    if failed:
        warnings.append(f"{len(failed)} of {len(answers)} engines were not reached; the rest is used")
    unreached = {f"containers {answer.engine.host}": answer.failure for answer in failed}
    hosts = sorted(named(candidates), key=lambda host: host[0])
    return Found(hosts, [*warnings, *malformed], unreached, whole=not failed and is_whole(malformed))


def _name(container: Answered) -> str:
    """Return the name of a container; what others call it by a link is listed as well, with their name before it."""
    names = container.get("Names")
    listed = [str(name).lstrip("/") for name in names] if isinstance(names, list) else []
    return next((name for name in listed if name and "/" not in name), str(container.get("Id", ""))[:12])


def _candidate(answer: EngineAnswer, shape: Shape, container: Answered) -> Candidate:
    host = answer.engine.host
    identity = str(container.get("Id", ""))[:12]
    name = _name(container)
    tags = container.get("Labels")
    tags = without_secrets(tags) if isinstance(tags, dict) else {}
    networks = list(_networks(container, answer))
    shared = [one for one in networks if one["driver"] in _SHARED_DRIVERS]
    # without root they are addresses of a namespace of their user, which nobody outside meets
    owner = _owner(container, answer)
    meetable = [] if answer.rootless or owner else shared or networks
    addresses = good_addresses(address for one in meetable for address in one["addresses"])
    project, service = (next((tags[key] for key in keys if tags.get(key)), "") for keys in (_PROJECT, _SERVICE))
    fact = {
        "kind": "container",
        "host": host,
        "engine": answer.version,
        "rootless": answer.rootless or None,
        "network_mode": f"container:{_called(owner, answer)}" if owner else _network_mode(container),
        "id": container.get("Id"),
        "name": name,
        "image": container.get("Image"),
        "image_id": container.get("ImageID"),
        "state": container.get("State"),
        "project": project,
        "service": service,
        "networks": [without_empty(one) for one in networks],
        "mac": [one["mac"] for one in shared if one["mac"]],
        "ports": list(_ports(container)),
        "tags": tags,
    }
    usual = good_labels({"host": host, "project": project, "service": service}, shape.label_prefix)
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": {**usual, **good_labels({key: tags.get(tag) for key, tag in shape.labels.items()})},
        "ringfence_workload": bool(shape.enforce and addresses),
        "ringfence_kind": "container",
        "ringfence_sources": [f"containers {host}"],
        "ringfence_containers": without_empty(fact),
    }
    if shape.enforce:
        # also of one that is no workload: a plan says why
        variables["ringfence_enforcer"] = "containers"
    if addresses and not shared and shape.realm == "host":
        variables["ringfence_realm"] = "containers-" + host_name(host)
    return Candidate(f"{name}.{host}", identity, variables)


def _network_mode(container: Answered) -> str:
    """Return the network that a container was made with, `host` or `container:ID` where it has none of its own."""
    settings = container.get("HostConfig")
    return str(settings.get("NetworkMode") or "") if isinstance(settings, dict) else ""


def _owner(container: Answered, answer: EngineAnswer) -> str:
    """Return the identity of the container whose network another is in, empty for one with a network of its own.

    Podman says of both the same networks and addresses; the aliases there have the beginning of the owner's identity.
    """
    mode, _, named = _network_mode(container).partition(":")
    if mode == "container":
        return named
    own = str(container.get("Id", ""))
    settings = container.get("NetworkSettings")
    networks = settings.get("Networks") if isinstance(settings, dict) else None
    told = (
        [one.get("Aliases") for one in networks.values() if isinstance(one, dict)] if isinstance(networks, dict) else []
    )
    aliases = {str(one) for listed in told if isinstance(listed, list) for one in listed}
    others = (str(one.get("Id", "")) for one in answer.containers)
    return next((one for one in others if one != own and one[:12] in aliases), "") if own[:12] not in aliases else ""


def _called(identity: str, answer: EngineAnswer) -> str:
    """Return the name of a container by its identity, or the identity where the engine does not tell of it."""
    return next((_name(one) for one in answer.containers if str(one.get("Id", "")) == identity), "") or identity


def _networks(container: Answered, answer: EngineAnswer) -> Iterator[dict[str, Any]]:
    settings = container.get("NetworkSettings")
    networks = settings.get("Networks") if isinstance(settings, dict) else None
    for name, one in networks.items() if isinstance(networks, dict) else ():
        if isinstance(one, dict):
            yield {
                "name": name,
                "driver": str(answer.networks.get(name, {}).get("Driver", "")),
                "addresses": good_addresses([one.get("IPAddress"), one.get("GlobalIPv6Address")]),
                "subnets": list(_subnets(one)),
                "gateways": good_addresses([one.get("Gateway"), one.get("IPv6Gateway")]),
                "mac": one.get("MacAddress"),
            }


def _subnets(network: dict[str, Any]) -> Iterator[str]:
    """Yield the subnets that the addresses of a container lie in, as far as its engine says how large they are."""
    for address, length in (("IPAddress", "IPPrefixLen"), ("GlobalIPv6Address", "GlobalIPv6PrefixLen")):
        if network.get(address) and network.get(length):
            with suppress(ValueError):
                yield str(ip_interface(f"{network[address]}/{network[length]}").network)


def _ports(container: Answered) -> Iterator[dict[str, Any]]:
    ports = container.get("Ports")
    for one in ports if isinstance(ports, list) else ():
        if isinstance(one, dict):
            names = {"port": "PrivatePort", "protocol": "Type", "published": "PublicPort", "published_at": "IP"}
            yield without_empty({key: one.get(name) for key, name in names.items()})
