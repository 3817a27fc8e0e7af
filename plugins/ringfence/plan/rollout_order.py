"""The order of a rollout: which host is the canary and why, and which hosts come last because others hang on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.analysis.peer_resolution import chosen_addresses, points_of
from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Settings
from ringfence.model.selectors import AssetNamed, Selector
from ringfence.plan.artefact import Canary
from ringfence.plan.jump_hosts import Named

ROLE = "role"
# Variables that hold arguments of ssh, or a command that leads to the host.
_PROXY_VARIABLES = re.compile(r"ansible_(ssh_.*args|.*proxy_command|ssh_proxy.*)")
_PROXY = re.compile(r"proxy|-J", re.IGNORECASE)
_WORDS = re.compile(r"[^\s\"'=,@\[\](){}]+")


@dataclass(frozen=True, slots=True)
class RolloutOrder:
    """The hosts that change, the best canary first, and those that come last, each with the reason."""

    ranked: tuple[str, ...]
    canary: Canary | None
    last: Mapping[str, str]


def rollout_order(
    snapshot: Snapshot, settings: Settings, hosts: Mapping[str, bool], here: Collection[int] = ()
) -> RolloutOrder:
    """Return the order for the hosts of a plan, by name with whether they change. Equal input gives equal order.

    `here` are those addresses (points) of the hosts that are this machine's own.

    What `waves: {canary: …}` chooses comes first. Else, and among those: no bastion, no host that Ansible comes from,
    and not the only host of its role (without a role: of its labels).
    """
    assets = {asset.name: asset for asset in snapshot.assets if asset.name in hosts}
    last = {**_managing(assets, settings, frozenset(here)), **_bastions(assets, snapshot)}
    alone = _alone(assets)
    wanted = {name for name in assets if settings.canary is None or _chosen(settings.canary, assets[name])}
    candidates = sorted(name for name in assets if hosts[name]) or sorted(assets)
    ranked = sorted(candidates, key=lambda name: (name not in wanted, name in last, name in alone, name))
    if not ranked:
        return RolloutOrder((), None, last)
    first = ranked[0]
    drawbacks = [words for found in (last, alone) if (words := found.get(first))]
    why = _why(settings.canary, first in wanted, drawbacks, lone=len(ranked) == 1)
    return RolloutOrder(tuple(ranked), Canary(host=first, why=why), last)


def _why(selector: Selector | None, wanted: bool, drawbacks: Sequence[str], *, lone: bool) -> str:
    if selector is not None and wanted:
        return "waves.canary chooses it" + (f", although {' and '.join(drawbacks)}" if drawbacks else "")
    if lone:
        why = "it is the only host that changes"
    elif drawbacks:
        why = f"no other host is better, although {' and '.join(drawbacks)}"
    else:
        why = "no other host is reached through it, and it is not the only one of its role"
    return f"waves.canary chooses no host that changes; {why}" if selector is not None else why


def _chosen(selector: Selector, asset: Asset) -> bool:
    if isinstance(selector, AssetNamed):
        return selector.name in (asset.name, *asset.also)
    return bool(chosen_addresses(selector, asset, points_of(asset)))


def _alone(assets: Mapping[str, Asset]) -> dict[str, str]:
    """Return the hosts that are the only one of their role, or of their labels where they have none, with the words."""
    kinds = {name: _kind(asset) for name, asset in assets.items()}
    counts = Counter(kinds.values())
    return {name: f"it is the only host {_kind_text(kind)}" for name, kind in kinds.items() if counts[kind] == 1}


def _kind(asset: Asset) -> tuple[tuple[str, str], ...]:
    labels = asset.label_values()
    return ((ROLE, labels[ROLE]),) if ROLE in labels else tuple(sorted(labels.items()))


def _kind_text(kind: tuple[tuple[str, str], ...]) -> str:
    return f"of {', '.join(f'{key}={value}' for key, value in kind)}" if kind else "without labels"


def _managing(assets: Mapping[str, Asset], settings: Settings, here: frozenset[int]) -> dict[str, str]:
    """Return the hosts that Ansible comes from: the controller itself, and those that stand in a control path.

    A network that holds more than half of the hosts says nothing of any of them.
    """
    found = {
        name: "it is the controller"
        for name, asset in assets.items()
        if _text(asset, "ansible_connection") == "local" or not here.isdisjoint(asset.addresses)
    }
    controls = {asset.control for asset in assets.values()} | {settings.control}
    for network in sorted({text for control in controls if control for text in control.networks}):
        addresses = addresses_of([network])
        inside = [name for name, asset in assets.items() if any(point in addresses for point in asset.addresses)]
        single = all(low == high for low, high in addresses)
        if single or 2 * len(inside) <= len(assets):
            found.update({name: f"Ansible comes from it ({network})" for name in inside if name not in found})
    return found


def _bastions(assets: Mapping[str, Asset], snapshot: Snapshot) -> dict[str, str]:
    """Return the hosts that the connections of others lead through, as far as their variables say so."""
    named = Named(assets.values())
    found: dict[str, str] = {}
    for asset in snapshot.assets:
        for word in _proxy_words(asset):
            through = named.called(word)
            if through is not None and through != asset.name:
                found.setdefault(through, f"other hosts are reached through it ({asset.name})")
    return found


def _proxy_words(asset: Asset) -> Iterator[str]:
    for key, value in asset.attributes.items():
        if _PROXY_VARIABLES.fullmatch(key) and isinstance(value, str) and (_PROXY.search(value) or "proxy" in key):
            for word in _WORDS.findall(value):
                bare = word.removeprefix("-J")
                # `-J` that stands alone leaves nothing, which no host is called.
                yield from filter(None, (bare, bare.rpartition(":")[0]))


def _text(asset: Asset, key: str) -> str:
    value = asset.attributes.get(key)
    return value if isinstance(value, str) else ""
