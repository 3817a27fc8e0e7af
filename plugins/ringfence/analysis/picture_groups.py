"""The groups of a picture: which of them an end belongs to, by an ordered list of label keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import NamedTuple

from ringfence.model.assets import Asset, Snapshot
from ringfence.model.picture import GroupKind, PictureGroup

# Levels that are no label: one group an asset, one group a process of it.
ASSET = "asset"
PROCESS = "process"
_ORDER = (GroupKind.LABELS, GroupKind.ASSET, GroupKind.NETWORK, GroupKind.UNKNOWN, GroupKind.INTERNET)
_NO_ASSETS = frozenset({GroupKind.UNKNOWN, GroupKind.INTERNET, GroupKind.NETWORK})


class Node(NamedTuple):
    """Who an end of a flow is now: an asset, or an address, of the internet or of nobody known.

    `point` is the address that it is judged by.
    """

    address: str
    asset: str | None
    internet: bool
    process: str | None
    point: int = 0


@dataclass(frozen=True)
class Grouping:
    """The groups in their order, and the number of that of each client and of each server; None where it has none.

    `within` are the numbers of those that are inside the narrowed group: all where there is none.
    """

    groups: tuple[PictureGroup, ...]
    clients: tuple[int | None, ...]
    servers: tuple[int | None, ...]
    within: frozenset[int]


class Grouper:
    """Groups the ends of flows by the labels of their assets."""

    def __init__(self, snapshot: Snapshot, levels: Sequence[str], inside: PictureGroup | None = None) -> None:
        self._assets = snapshot.named()
        self._levels = tuple(levels)
        self._inside = inside
        self._labels: dict[object, tuple[str | None, ...]] = {}
        self._groups: dict[tuple[object, ...], PictureGroup] = {}

    def group(self, node: Node) -> tuple[PictureGroup, bool]:
        """Return the group of an end without its count of assets, one object for each, and whether it is inside."""
        asset = self._assets.get(node.asset) if node.asset is not None else None
        if asset is None:
            return self._of_nobody(node)
        labels = self._values(asset, node.process)
        inside = self._inside
        if inside is None:
            return self._made(asset, labels), True
        if inside.kind in _NO_ASSETS:
            return self._made(asset, labels), False
        depth = len(inside.labels)
        if labels[:depth] == inside.labels:
            return self._made(asset, labels), True
        return self._made(asset, labels[:depth]), False

    def belongs(self, node: Node, group: PictureGroup) -> bool:
        """Return whether an end is in a group, of whatever picture of these levels."""
        asset = self._assets.get(node.asset) if node.asset is not None else None
        if asset is not None:
            return group.kind not in _NO_ASSETS and (
                self._values(asset, node.process)[: len(group.labels)] == group.labels
            )
        if group.kind is GroupKind.NETWORK:
            return network_of(node.address) == group.name
        return group.kind is (GroupKind.INTERNET if node.internet else GroupKind.UNKNOWN)

    def grouping(self, clients: Iterable[Node], servers: Iterable[Node]) -> Grouping:
        """Return the groups of all assets and of these ends, in their order."""
        every: dict[int, PictureGroup] = {}
        counts: dict[int, int] = {}
        within: set[int] = set()
        of_assets: dict[str, PictureGroup] = {}
        with_processes = PROCESS in self._levels

        def met(node: Node) -> PictureGroup:
            group, inside = self.group(node)
            every[id(group)] = group
            if inside:
                within.add(id(group))
            return group

        if not with_processes:
            for name in self._assets:
                group = of_assets[name] = met(Node("", name, False, None))
                counts[id(group)] = counts.get(id(group), 0) + 1
        known: dict[Node, PictureGroup] = {}
        found: list[list[int]] = []
        for nodes in (clients, servers):
            of_side = []
            for node in nodes:
                one = of_assets.get(node.asset) if node.asset is not None else None
                if one is None:
                    one = known.get(node)
                if one is None:
                    one = known[node] = met(node)
                of_side.append(id(one))
            found.append(of_side)
        ordered = sorted(every.values(), key=_order)
        numbers = {id(group): number for number, group in enumerate(ordered)}
        groups = tuple(PictureGroup(one.kind, one.labels, counts.get(id(one), 0), one.name) for one in ordered)
        sides = [tuple(numbers[one] for one in of_side) for of_side in found]
        return Grouping(groups, sides[0], sides[1], frozenset(numbers[one] for one in within))

    def _of_nobody(self, node: Node) -> tuple[PictureGroup, bool]:
        kind = GroupKind.INTERNET if node.internet else GroupKind.UNKNOWN
        inside = self._inside
        if inside is None or inside.kind not in _NO_ASSETS:
            return self._nobodys(kind), inside is None
        network = network_of(node.address)
        if inside.kind is kind or (inside.kind is GroupKind.NETWORK and inside.name == network):
            return self._nobodys(GroupKind.NETWORK, network), True
        return self._nobodys(kind), False

    def _nobodys(self, kind: GroupKind, name: str = "") -> PictureGroup:
        key = (kind.value, name)
        if key not in self._groups:
            self._groups[key] = PictureGroup(kind, (), 0, name)
        return self._groups[key]

    def _made(self, asset: Asset, labels: tuple[str | None, ...]) -> PictureGroup:
        single = ASSET in self._levels[: len(labels)]
        key = (labels, asset.name) if single else (labels,)
        group = self._groups.get(key)
        if group is None:
            kind, name = (GroupKind.ASSET, asset.name) if single else (GroupKind.LABELS, "")
            group = self._groups[key] = PictureGroup(kind, labels, 0, name)
        return group

    def _values(self, asset: Asset, process: str | None) -> tuple[str | None, ...]:
        # assets of a kept answer share their labels
        key = asset.name if ASSET in self._levels else id(asset.labels)
        known = self._labels.get(key)
        if known is None:
            values: Mapping[str, str] = asset.label_values()
            known = self._labels[key] = tuple(
                asset.name if level == ASSET else values.get(level) for level in self._levels
            )
        if PROCESS not in self._levels:
            return known
        return tuple(process if level == PROCESS else value for level, value in zip(self._levels, known, strict=True))


def bare(group: PictureGroup) -> PictureGroup:
    """Return a group without its count of assets: what it is known by."""
    return PictureGroup(group.kind, group.labels, 0, group.name)


def network_of(address: str) -> str:
    """Return the network that an address of nobody is shown in: /24 of IPv4, /64 of IPv6."""
    width = 64 if ":" in address else 24
    return str(ip_network((address.partition("%")[0], width), strict=False))


def _order(group: PictureGroup) -> tuple[object, ...]:
    return (_ORDER.index(group.kind), [(value is None, value or "") for value in group.labels], group.name)
