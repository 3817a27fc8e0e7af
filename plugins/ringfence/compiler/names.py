"""Assets by any of their names: a policy may name a machine as any of its sources does; tables know one name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.model.label_texts import label_text
from ringfence.model.rules import Invariant, Peer, Policy, PolicyTest, Rule
from ringfence.model.selectors import AssetNamed, Selector, leaves, renamed

Names = Mapping[str, str]
Spoken = TypeVar("Spoken", Rule, PolicyTest, Invariant)


def by_main_names(policy: Policy, snapshot: Snapshot) -> Policy:
    """Return a policy that calls every asset by its main name, in the code points that the inventory writes it in.

    Raise InputErrors for names of two assets.
    """
    if not any(asset.also or not asset.name.isascii() for asset in snapshot.assets):
        return policy
    called = snapshot.called()
    for name, assets in list(called.items()):
        called.setdefault(label_text(name), assets)
    errors = []
    for place, selector in _selectors(policy):
        for leaf in leaves(selector):
            if isinstance(leaf, AssetNamed) and len(called.get(leaf.name, ())) > 1:
                errors.append(shared(leaf.name, called[leaf.name], place))
    if errors:
        raise InputErrors(errors)
    names = {name: assets[0].name for name, assets in called.items() if assets[0].name != name}
    return replace(
        policy,
        rules=tuple(_ends(one, names) for one in policy.rules),
        enforcement=tuple(replace(one, where=renamed(one.where, names)) for one in policy.enforcement),
        tests=tuple(_ends(one, names) for one in policy.tests),
        invariants=tuple(_ends(one, names) for one in policy.invariants),
    )


def shared(name: str, assets: Sequence[Asset], place: Place | None = None) -> InputError:
    """Return the error of a name that several assets have."""
    listed = " and ".join(f"'{asset.name}' ({', '.join(asset.sources)})" for asset in assets)
    remedy = "write the main name of the one that is meant"
    if any(asset.name == name for asset in assets):
        others = " or ".join(f"'{asset.name}'" for asset in assets if asset.name != name)
        remedy = f"for the other write {others}; for this one its address, or its labels; or rename one at its source"
    return InputError(f"'{name}' stands for {listed}", place, remedy)


def _selectors(policy: Policy) -> Iterator[tuple[Place, Selector]]:
    spoken: tuple[Rule | PolicyTest | Invariant, ...] = (*policy.rules, *policy.tests, *policy.invariants)
    for one in spoken:
        for peer in (*one.sources, *one.destinations):
            yield one.place, peer.selector
    for entry in policy.enforcement:
        yield entry.place, entry.where


def _ends(one: Spoken, names: Names) -> Spoken:
    return replace(one, sources=_peers(one.sources, names), destinations=_peers(one.destinations, names))


def _peers(peers: Sequence[Peer], names: Names) -> tuple[Peer, ...]:
    return tuple(replace(peer, selector=renamed(peer.selector, names)) for peer in peers)
