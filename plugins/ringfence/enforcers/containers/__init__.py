"""Containers: workloads whose tables the enforcer of their host renders into its own ruleset.

What is known of one is what the source `ringfence.core.containers` tells, its variable `ringfence_containers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.enforcers import Contained, Facts, Network, Profile, Reason, Rendered, Renderer, Targets, told_of
from ringfence.model.abilities import LINUX, Where
from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.intervals import IntervalSet
from ringfence.model.tables import VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue

# What Docker and Podman take as names; their identities are such, too.
_CALLED = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,255}", re.ASCII)
_ROOTLESS = "it is rootless: what it sends and receives are sockets of its user or unit, in the table of its host"
_SOURCE = "let the source ringfence.core.containers tell of it"
# How the source names the driver of a bridge network; a driver that it does not know is taken for one.
_BRIDGING = (None, "", "bridge")


class ContainersEnforcer:
    """`ringfence.enforcers.Enforcer` for what a host holds: it renders nothing, its host's enforcer does."""

    name = "containers"
    suffix = "none"
    # Processes inside of a container are none of the host's packet filter, and Ansible has no line there.
    abilities = replace(LINUX, inbound=frozenset(), outbound=frozenset(), control=False, where=Where.API)

    def facts(self, told: Mapping[str, JsonValue]) -> Facts:
        """Return the host that holds the container, its name there, and its networks."""
        return {key: told[key] for key in ("host", "name", "networks", "rootless") if key in told}

    def lacks(self, facts: Facts) -> str:
        """Return nothing: no host gets this enforcer by its facts."""
        return ""

    def profile(self, facts: Facts) -> Profile:
        """Return nothing: there is no text."""
        return {}

    def refusals(self, table: VerdictTable, facts: Facts, asset: Asset) -> list[Reason]:
        """Return why its host's packet filter does not see what this container sends and receives."""
        return self._unseen(facts, asset)

    def held_at(self, asset: Asset) -> tuple[str, str] | None:
        """Return the host that holds a container, and its name there, None where its packets are not seen there."""
        facts = self.facts(told_of(asset, asset.enforcer, {}))
        return None if self._unseen(facts, asset) else (str(facts["host"]), str(facts["name"]))

    def _unseen(self, facts: Facts, asset: Asset) -> list[Reason]:
        if not isinstance(facts.get("host"), str) or not _CALLED.fullmatch(str(facts.get("name", ""))):
            return [("no host is known to hold this container", _SOURCE)]
        if facts.get("rootless") is True:
            return [(_ROOTLESS, _SOURCE)]
        try:
            networks = _networks(facts)
        except InputError as error:
            return [(f"its networks cannot be read: {error.message}", _SOURCE)]
        others = [one for one in _listed(facts) if one.get("driver") not in _BRIDGING]
        if others:
            name = f"{others[0].get('driver')} network {others[0].get('name')}"
            return [(f"its {name} goes past its host's packet filter", "attach it to bridge networks alone")]
        outside = [one for one in asset.addresses if not any(one in network.addresses for network in networks)]
        if outside or not networks:
            return [("it has an address of no bridge network whose subnet is known", _SOURCE)]
        return []

    def contained(self, asset: Asset, table: VerdictTable, facts: Facts) -> Contained:
        """Return what its host's enforcer must know of a container."""
        host, called = str(facts["host"]), str(facts["name"])
        return Contained(asset.name, host, called, asset.addresses, _networks(facts), table)

    def unseen(self, asset: Asset) -> str:
        """Return why a container has no packets of its own on its host, empty for all others."""
        told = told_of(asset, self.name, {})
        mode = str(told.get("network_mode", ""))
        if told.get("rootless") is True:
            return _ROOTLESS
        if mode == "host" or [one.get("name") for one in _listed(told)] == ["host"]:
            return "it is in the network of its host, whose table judges it"
        if mode.startswith("container:"):
            owner = mode.partition(":")[2]
            called = owner[:12] if re.fullmatch("[0-9a-f]{64}", owner) else owner
            return f"it is in the network of container {called}, whose table judges it"
        if not mode and not _listed(told) and told.get("state") == "running":
            # Podman's list says no more of one in the network of its host
            return "its engine tells of no network of its own: in that of its host, the host's table judges it"
        return ""

    def bridges(self, asset: Asset) -> tuple[tuple[str, str], ...]:
        """Return the host and the name of every bridge network of a container."""
        facts = told_of(asset, self.name, {})
        host, told = facts.get("host"), [one for one in _listed(facts) if one.get("driver") in _BRIDGING]
        if not isinstance(host, str) or facts.get("rootless") is True:
            return ()
        return tuple((host, str(one.get("name", ""))) for one in told if one.get("subnets") or one.get("addresses"))

    def renderer(self, targets: Targets) -> Renderer:
        """Return this itself."""
        return self

    def render(self, table: VerdictTable, profile: Profile) -> Rendered:
        """Raise RingfenceError: only its host's enforcer renders the table of a container."""
        raise RingfenceError("the table of a container is rendered by the enforcer of its host")


def _listed(facts: Facts) -> list[Mapping[str, object]]:
    listed = facts.get("networks")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _networks(facts: Facts) -> tuple[Network, ...]:
    """Return the networks with their addresses, as far as subnets are told. Raise InputError for what is no address."""
    found = []
    for one in _listed(facts):
        subnets, gateways = _texts(one.get("subnets")), _texts(one.get("gateways"))
        if subnets:
            points = [point_of(text) for text in gateways]
            own = IntervalSet.of((point, point) for point in points)
            found.append(Network(str(one.get("name", "")), addresses_of(subnets) - own))
    return tuple(found)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


ENFORCER = ContainersEnforcer()
