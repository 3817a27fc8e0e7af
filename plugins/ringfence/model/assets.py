"""Assets: anything with an address, the labels it carries, and a dated snapshot of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ringfence.model.addresses import DEFAULT_REALM, network_of, network_texts

# What enforces on a host of which neither a person nor its own facts say otherwise.
USUAL_ENFORCER = "nftables"


@dataclass(frozen=True, slots=True)
class Label:
    """The value of a label and its origin: a label rule's place and key, or `inventory`.

    `told` is the host whose own report the label depends on, empty if it depends on none.
    """

    value: str
    rule: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """The control path: from which networks (text form) and to which TCP port Ansible manages a host."""

    networks: tuple[str, ...]
    port: int = 22

    @staticmethod
    def of(texts: Iterable[str], port: int = 22) -> Control:
        """Return a control path of networks, addresses and ranges as people write them, each in its canonical form.

        Raise InputError for a text that is not valid as one of these.
        """
        return Control(tuple(dict.fromkeys(one for text in texts for one in network_texts(network_of(text)))), port)


@dataclass(frozen=True, slots=True)
class Asset:
    """One host, VM, container or interface of a managed service.

    `addresses` are points of `ringfence.model.addresses`, sorted. `attributes` is what label rules look at: plain JSON
    data from the inventory and gathered facts. `control` overrides the workspace's control path for this host. `also`
    are the names by which further sources know it. `claimed` are addresses that the host alone says it has, and that do
    not count, or not yet.
    """

    name: str
    addresses: tuple[int, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict)
    realm: str = DEFAULT_REALM
    workload: bool = True
    enforcer: str = USUAL_ENFORCER
    sources: tuple[str, ...] = ()
    control: Control | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    claimed: tuple[int, ...] = ()

    def label_values(self) -> dict[str, str]:
        """Return the labels without their provenance."""
        return {key: label.value for key, label in self.labels.items()}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All assets at one time, sorted by name; `taken` is in UTC.

    `sees` maps a realm to the realms whose addresses it can meet, where somebody said that.
    """

    assets: tuple[Asset, ...]
    taken: datetime
    sees: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def named(self) -> dict[str, Asset]:
        """Return the assets by name."""
        return {asset.name: asset for asset in self.assets}

    def called(self) -> dict[str, tuple[Asset, ...]]:
        """Return the assets by every name that one of their sources has for them: one, or several that share it."""
        found: dict[str, tuple[Asset, ...]] = {}
        for asset in self.assets:
            for name in (asset.name, *asset.also):
                found[name] = (*found.get(name, ()), asset)
        return found
