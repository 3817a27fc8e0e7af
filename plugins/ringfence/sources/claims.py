"""Addresses that a host alone says it has: which of them count, and what to tell of those that do not.

One that a source gives to somebody else never counts. The first gathering counts as a whole; from then on a new one
counts where `ringfence.yml` trusts its network, or when somebody accepted it. What Ansible comes from counts only when
somebody accepted it: whoever has it decides whether others can be managed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ringfence.model.addresses import address_text, addresses_of
from ringfence.model.assets import Asset
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Settings
from ringfence.sources.host_told import CLAIMED
from ringfence.sources.host_variables import sorted_points
from ringfence.sources.identity_keys import is_no_machine, is_swept
from ringfence.sources.merging import IDENTITY, hosts_of, merged
from ringfence.wire.first_few import first_few


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """That a host, by its name in the inventory, says that it has an address."""

    host: str
    address: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What hosts say of their addresses beyond the inventory: what counts, what waits for a person, what is another's.

    `first` where nothing was accepted before, so that all that is nobody else's counts; `gathered` where any host told
    facts at all.
    """

    counted: tuple[Claim, ...] = ()
    waiting: tuple[Claim, ...] = ()
    others: tuple[tuple[Claim, str], ...] = ()
    first: bool = False
    gathered: bool = False

    def problems(self) -> list[Problem]:
        """Return the warnings of claims that do not count."""
        found = []
        if self.others:
            told = [f"'{claim.host}' says that it has {claim.address} of '{holder}'" for claim, holder in self.others]
            remedy = "look at the host; where it has the address, give it there in the inventory: ringfence_addresses"
            found.append(_problem(told, "a host's own word does not count there", remedy))
        if self.waiting:
            told = [f"'{claim.host}' says that it has {claim.address}" for claim in self.waiting]
            remedy = "ringfence assets accept; or trust: {addresses: [network, …]} in ringfence.yml"
            end = "new since the last that was accepted, or of the control path, so it does not count"
            found.append(_problem(told, end, remedy))
        return found


def judged(
    assets: Sequence[Asset], settings: Settings, accepted: frozenset[Claim] | None, gathered: bool
) -> tuple[tuple[Asset, ...], Claims]:
    """Return the assets with those addresses that count of what hosts say, and what became of every claim.

    `accepted` is what counted before, None where nothing was ever accepted.
    """
    trusted = addresses_of(settings.trusted)
    holders = _holders(assets)
    managing = _managing(assets, settings)
    believed = _believed(lambda point: point not in managing and (accepted is None or point in trusted), accepted)
    counted: list[Claim] = []
    waiting: list[Claim] = []
    others: list[tuple[Claim, str]] = []
    found = []
    for asset in assets:
        mine = []
        for point in asset.claimed:
            claim = Claim(asset.name, address_text(point))
            holder = next(
                (one for one in holders.get(point, ()) if one is not asset and _meet(one, asset, settings)), None
            )
            if holder is not None:
                others.append((claim, holder.name))
            elif believed(hosts_of(asset), claim, point):
                counted.append(claim)
                mine.append(point)
            else:
                waiting.append(claim)
        found.append(_with(asset, mine))
    claims = Claims(tuple(counted), tuple(waiting), tuple(others), accepted is None, gathered)
    return tuple(found), claims


def adopted(assets: Sequence[Asset]) -> tuple[Asset, ...]:
    """Return the assets with those that are no more than an address that answered laid to the one host that has it."""
    holders: dict[tuple[str, int], list[Asset]] = defaultdict(list)
    for asset in assets:
        for point in () if is_swept(asset) else asset.addresses:
            holders[asset.realm, point].append(asset)
    taken: dict[str, list[Asset]] = defaultdict(list)
    kept = []
    for asset in assets:
        held = [one for point in asset.addresses for one in holders.get((asset.realm, point), ())]
        owners = {one.name for one in held if not is_no_machine(one)} or {one.name for one in held}
        if is_swept(asset) and len(owners) == 1:
            taken[owners.pop()].append(asset)
        else:
            kept.append(asset)
    return tuple(_with_swept(asset, taken[asset.name]) if asset.name in taken else asset for asset in kept)


def _managing(assets: Sequence[Asset], settings: Settings) -> frozenset[int]:
    """Return the single addresses that Ansible comes from; a network says nothing of who in it is the controller."""
    paths = {asset.control for asset in assets} | {settings.control}
    networks = {network for path in paths if path is not None for network in path.networks}
    return frozenset(low for network in networks for low, high in addresses_of([network]) if low == high)


def _believed(
    at_once: Callable[[int], bool], accepted: frozenset[Claim] | None
) -> Callable[[Mapping[str, object], Claim, int], bool]:
    def is_believed(hosts: Mapping[str, object], claim: Claim, point: int) -> bool:
        if at_once(point):
            return True
        return any(Claim(name, claim.address) in (accepted or ()) for name in {claim.host, *hosts})

    return is_believed


def _holders(assets: Sequence[Asset]) -> Mapping[int, list[Asset]]:
    """Return who has an address by the word of a source; that something answered there gives it to nobody."""
    found: dict[int, list[Asset]] = defaultdict(list)
    for asset in assets:
        for point in () if is_swept(asset) else asset.addresses:
            found[point].append(asset)
    return found


def _meet(one: Asset, other: Asset, settings: Settings) -> bool:
    return other.realm in settings.sees(one.realm) or one.realm in settings.sees(other.realm)


def _with(asset: Asset, points: Sequence[int]) -> Asset:
    """Return an asset that has further addresses by its own word, and no claims any more."""
    if not points:
        return replace(asset, claimed=()) if asset.claimed else asset
    addresses = sorted_points((*asset.addresses, *points))
    texts = [address_text(point) for point in sorted_points(points)]
    attributes = {**asset.attributes, "addresses": [address_text(point) for point in addresses], CLAIMED: texts}
    return replace(asset, addresses=addresses, attributes=attributes, claimed=())


def _with_swept(asset: Asset, swept: Sequence[Asset]) -> Asset:
    identity = asset.attributes.get(IDENTITY)
    before = identity.get("by") if isinstance(identity, Mapping) else None
    why = [
        *(before if isinstance(before, list) else ()),
        *(f"address {address_text(one.addresses[0])}" for one in swept),
    ]
    whole = merged([asset, *swept], why, (), {asset.name})
    if isinstance(identity, Mapping):
        # What the host was made of before stays told.
        now = whole.attributes[IDENTITY]
        assert isinstance(now, dict)
        came, said = identity.get("from"), identity.get("contradictions")
        now["from"] = {**now["from"], **(came if isinstance(came, Mapping) else {})}
        now["contradictions"] = [*(said if isinstance(said, list) else ()), *now["contradictions"]]
    return replace(whole, name=asset.name, workload=asset.workload, enforcer=asset.enforcer, realm=asset.realm)


def _problem(told: Sequence[str], end: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, f"{first_few(told, joint='; ')}: {end}", None, remedy)
