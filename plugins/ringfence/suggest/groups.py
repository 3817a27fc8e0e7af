"""Groups of ends: assets that no rule tells apart, neither one that is there nor one that could be suggested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.flows.holders import Holders
from ringfence.flows.records import flow_point
from ringfence.model.addresses import address_text, addresses_of, family_of, network_texts
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Peer, Policy
from ringfence.model.selectors import AddressIn, AssetNamed, LabelExists, LabelIn, Selector, leaves

KEYS = ("app", "role", "env", "loc")
MOST_KEYS = 4
# Ends that no rule is for; from EVERYBODY down there is a number for each address that means many.
GONE, EVERYBODY = -1, -2
MOST_CROWDS = 100
# RFC 1112 and RFC 4291: what goes to many at once, and the broadcast of IPv4.
_TO_MANY = addresses_of(["224.0.0.0/4", "255.255.255.255", "ff00::/8"])
# Addresses of no asset that are near at hand are taken together by networks of this length.
NEAR = {4: 24, 6: 64}

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Group:
    """Ends that are one to every rule; either assets with equal labels, one asset without any, or addresses.

    `labels` are those that rules are made of, sorted by key; `asset` names an asset that has none of them; `peer` is
    what a rule calls addresses of no asset: `internet`, a named list or a network. `points` are addresses to ask the
    tables about, those of the first asset; `kind` is equal for groups that the rules that are there treat alike.
    """

    labels: Pairs = ()
    asset: str | None = None
    peer: str | None = None
    points: tuple[int, ...] = ()
    kind: int = 0
    members: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """Return how many assets it has, or how many addresses were seen."""
        return len(self.members) or len(self.addresses) or 1


class Groups:
    """The groups of an estate; groups of addresses are added as they are seen."""

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        private: IntervalSet,
        lists: Mapping[str, IntervalSet],
        keys: Sequence[str] = KEYS,
        *,
        control: IntervalSet = EMPTY,
        single: bool = False,
        rejected: Sequence[Peer] = (),
    ) -> None:
        """Take what names addresses: `lists`, and `control`, from where hosts are managed.

        With `single` every address near at hand is a group of its own. What the peers `rejected` choose is apart from
        what they do not.
        """
        self.snapshot = snapshot
        self.keys = telling(snapshot.assets, keys)
        self.every: list[Group] = []
        self._private, self._lists, self._single = private, lists, single
        self._control = control
        self._numbers: dict[object, int] = {}
        self._kinds: dict[object, int] = {}
        self._of_asset: dict[str, int] = {}
        self._assets = snapshot.named()
        self._holders = Holders([snapshot])
        self._signatures = _Signatures(policy, rejected)
        self._taken = {_around(point) for asset in snapshot.assets for point in asset.addresses}
        self._amidst: set[str] = set()
        self._crowds: dict[str, int] = {}
        self._last = {high for one in (control, *lists.values()) for low, high in one if _is_network(low, high)}
        for asset in snapshot.assets:
            labels = tuple(sorted((key, asset.labels[key].value) for key in self.keys if key in asset.labels))
            named = None if labels else asset.name
            kind = self._kind(asset.realm, asset.workload, asset.enforcer, self._signatures.of(asset))
            group = Group(labels, named, points=asset.addresses, kind=kind)
            number = self._number((labels, named, kind), group)
            self.every[number].members.append(asset.name)
            self._of_asset[asset.name] = number

    def place(self, address: str, asset: str | None, *, host: bool = False) -> tuple[int, str | None]:
        """Return the group of an end that was seen, and the asset that holds it, as far as that is still there.

        GONE is the group of assets that are no more; addresses that mean many have numbers from EVERYBODY down. With
        `host` the address was seen to be that of one host, whatever it looks like.
        """
        point = flow_point(address)
        name = asset if asset is not None else self._holders.asset(point, self.snapshot.taken)
        if name is not None:
            return (self._of_asset.get(name, GONE), name)
        if point in _TO_MANY or (not host and self.is_broadcast(point)):
            return self._crowd(address_text(point)), None
        peer = self._peer(point)
        kind = self._kind(
            family_of(point), point in self._private, point in self._control, self._signatures.inside(point)
        )
        number = self._number(("peer", peer, kind), Group(peer=peer, points=(point,), kind=kind))
        self.every[number].addresses.add(address_text(point))
        return number, None

    def is_broadcast(self, point: int) -> bool:
        """Return whether an address of no asset looks like the last of a network, where all its hosts listen.

        Networks are those of control and the policy's lists, and the /24 of what is private or amidst assets. (RFC 919)
        """
        if family_of(point) != 4:
            return False
        span = _around(point)
        return point in self._last or (point == span[1] and (point in self._private or span in self._taken))

    def crowd(self, number: int) -> str:
        """Return the address that means many, of a number from EVERYBODY down."""
        return next((address for address, one in self._crowds.items() if one == number), "others that mean many")

    def masks(self) -> dict[Pairs, int]:
        """Return, for every combination of labels that a rule may name, the groups that have it, as bits."""
        found: dict[Pairs, int] = {}
        for number, group in enumerate(self.every):
            for chosen in subsets(group.labels) if group.members else ():
                found[chosen] = found.get(chosen, 0) | 1 << number
        return found

    def amidst_assets(self, peer: str) -> bool:
        """Return whether the addresses near at hand that a rule calls so are of a network that assets are in."""
        return peer in self._amidst

    def enforced(self, number: int) -> bool:
        """Return whether the ends of a group are workloads."""
        group = self.every[number]
        return bool(group.members) and self._assets[group.members[0]].workload

    def _crowd(self, address: str) -> int:
        if address not in self._crowds and len(self._crowds) >= MOST_CROWDS:
            return EVERYBODY - MOST_CROWDS
        return self._crowds.setdefault(address, EVERYBODY - len(self._crowds))

    def _kind(self, *said: object) -> int:
        return self._kinds.setdefault(said, len(self._kinds))

    def _number(self, key: object, group: Group) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.every)
            self.every.append(group)
        return number

    def _peer(self, point: int) -> str:
        for name, addresses in self._lists.items():
            if point in addresses:
                return f"list {name}"
        if point not in self._private:
            return "internet"
        if self._single:
            return address_text(point)
        span = _around(point)
        peer = network_texts(IntervalSet((span,)))[0]
        if span in self._taken:
            self._amidst.add(peer)
        return peer


def _around(point: int) -> tuple[int, int]:
    """Return the first and last point of the network near at hand around an address."""
    family = family_of(point)
    size = 1 << ((32 if family == 4 else 128) - NEAR[family])
    start = point - point % size
    return start, start + size - 1


def _is_network(low: int, high: int) -> bool:
    """Return whether a range of IPv4 is one network with room for hosts and a broadcast address."""
    size = high - low + 1
    return family_of(low) == 4 and size >= 4 and size & (size - 1) == 0 and low % size == 0


def subsets(labels: Pairs) -> list[Pairs]:
    """Return every combination of labels, the empty one first and the whole one last."""
    found: list[Pairs] = [()]
    for label in labels:
        found += [(*one, label) for one in found]
    return found


def telling(assets: Iterable[Asset], keys: Sequence[str]) -> tuple[str, ...]:
    """Return those of the keys that tell assets apart which the keys before them do not."""
    values = [asset.label_values() for asset in assets]
    chosen: list[str] = []
    count = 1
    for key in keys:
        more = len({tuple(one.get(name) for name in (*chosen, key)) for one in values})
        carried = any(key in one for one in values)
        if len(chosen) < MOST_KEYS and carried and (more > count or key == keys[0]):
            chosen.append(key)
            count = more
    return tuple(chosen)


class _Signatures:
    """What the rules that are there see of an asset: of two with one signature they say the same."""

    def __init__(self, policy: Policy, rejected: Sequence[Peer]) -> None:
        peers = (peer for rule in policy.rules for peer in (*rule.sources, *rule.destinations))
        found: dict[Selector, None] = {leaf: None for peer in (*peers, *rejected) for leaf in leaves(peer.selector)}
        self._labels = [leaf for leaf in found if isinstance(leaf, LabelIn | LabelExists)]
        self._names = {leaf.name for leaf in found if isinstance(leaf, AssetNamed)}
        self._addresses = [leaf.addresses for leaf in found if isinstance(leaf, AddressIn)]
        self._known: dict[frozenset[tuple[str, str]], int] = {}

    def of(self, asset: Asset) -> tuple[object, ...]:
        """Return the signature of an asset."""
        values = asset.label_values()
        combination = frozenset(values.items())
        bits = self._known.get(combination)
        if bits is None:
            bits = self._known[combination] = sum(
                1 << place for place, leaf in enumerate(self._labels) if _has(leaf, values)
            )
        named = tuple(name for name in (asset.name, *asset.also) if name in self._names)
        return bits, named, tuple(map(self.inside, asset.addresses)) if self._addresses else ()

    def inside(self, point: int) -> int:
        """Return which of the rules' networks hold an address, as bits."""
        return sum(1 << place for place, addresses in enumerate(self._addresses) if point in addresses)


def _has(leaf: LabelIn | LabelExists, values: Mapping[str, str]) -> bool:
    if isinstance(leaf, LabelIn):
        return values.get(leaf.key) in leaf.values
    return (leaf.key in values) == leaf.exists
