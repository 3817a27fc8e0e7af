"""What a policy says of the estate, held against a snapshot: labels, assets, units and users that are not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ringfence.language.mentions import (
    AlternativeMention,
    AssetMention,
    ChoiceMention,
    LabelMention,
    Mention,
    ProcessMention,
)
from ringfence.language.printing import selector_text
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.label_texts import label_text
from ringfence.model.problems import Problem, Severity
from ringfence.model.selectors import (
    AddressIn,
    AllOf,
    AnyAddress,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
)

# Where service_facts and getent leave what they found.
FACTS = {"unit": "services", "user": "getent_passwd"}


def check_references(mentions: Iterable[Mention], snapshot: Snapshot) -> tuple[Problem, ...]:
    """Return a warning for everything a policy speaks of that the estate lacks, sorted by place.

    Units and users are looked for only where every chosen asset carries the facts that list them. An estate without
    assets gives no warnings: then nothing is known of it.
    """
    if not snapshot.assets:
        return ()
    estate = _Estate(snapshot)
    found: dict[tuple[Place, str], Problem] = {}
    for mention in mentions:
        if said := _missing(mention, estate):
            message, remedy = said
            problem = Problem(Severity.WARNING, message, mention.place, remedy)
            found.setdefault((mention.place, message), problem)
    return tuple(found[key] for key in sorted(found))


def _missing(mention: Mention, estate: _Estate) -> tuple[str, str | None] | None:
    """Return the message and the remedy for what is not there, or None."""
    match mention:
        case LabelMention(key, value):
            return _missing_label(key, value, estate.values)
        case AssetMention(name):
            if label_text(name) in estate.numbers:
                return None
            return f"no asset is named '{name}'", _near(name, estate.numbers)
        case ChoiceMention(selector):
            if not estate.knows(selector) or estate.chosen(selector):
                return None
            return f"no asset matches '{selector_text(selector)}'", "is there an asset with all of these labels?"
        case AlternativeMention(selector, _, whole, scope):
            return _missing_alternative(selector, whole, scope, estate)
        case ProcessMention(kind, name, _, selector):
            known = estate.processes(kind, selector)
            if known is None or name in known:
                return None
            return f"no asset chosen here has a {kind} '{name}'", _near(name, known)


def _missing_alternative(
    selector: Selector, whole: Selector, scope: Selector | None, estate: _Estate
) -> tuple[str, str | None] | None:
    if not estate.chosen(selector) or (scope is not None and not estate.chosen(scope)):
        # That it is not there, or that nothing is in the scope, is reported by itself.
        return None
    if estate.chosen(AllOf((whole, selector))) or (estate.knows(whole) and not estate.chosen(whole)):
        return None
    named = f"asset '{selector.name}'" if isinstance(selector, AssetNamed) else f"'{selector_text(selector)}'"
    if scope is not None and not estate.chosen(AllOf((scope, selector))):
        return (
            f"{named} is not in the scope '{selector_text(scope)}': nothing of it is chosen here",
            "write 'scope: none' beside the selector, correct the labels, or delete it here",
        )
    return f"{named} chooses nothing here: '{selector_text(whole)}'", "correct what stands beside it, or delete it"


def _missing_label(key: str, value: str | None, values: Mapping[str, set[str]]) -> tuple[str, str | None] | None:
    if key not in values:
        return f"no asset has a label '{key}'", _near(key, values)
    if value is not None and value not in values[key]:
        return f"no asset has {key} '{value}'", _near(value, values[key])
    return None


def _near(word: str, known: Iterable[str]) -> str | None:
    near = nearest(word, known)
    return did_you_mean(word, near) if near else None


class _Estate:
    """A snapshot with its labels by key, and sets of assets as bits of integers."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._assets = snapshot.assets
        self.numbers = {
            label_text(name): number
            for number, asset in enumerate(snapshot.assets)
            for name in (asset.name, *asset.also)
        }
        self.values: dict[str, set[str]] = defaultdict(set)
        self._holders: dict[tuple[str, str], int] = defaultdict(int)
        self._chosen: dict[Selector, int] = {}
        numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, asset in enumerate(snapshot.assets):
            for key, label in asset.labels.items():
                self.values[key].add(label.value)
                numbers[key, label.value].append(number)
        for pair, holders in numbers.items():
            self._holders[pair] = _bits(holders, len(snapshot.assets))

    def knows(self, selector: Selector) -> bool:
        """Return whether a selector speaks of assets alone, and of none that another mention reports as missing."""
        match selector:
            case LabelIn(key, values):
                return bool(self.values.get(key, set()) & set(values))
            case LabelExists(key):
                return key in self.values
            case AssetNamed(name):
                return label_text(name) in self.numbers
            case AllOf(parts) | AnyOf(parts):
                return all(self.knows(part) for part in parts)
            case Not(part):
                return self.knows(part)
            case _:
                return False

    def chosen(self, selector: Selector) -> int:
        """Return the assets that a selector chooses, or that hold an address it chooses, as bits."""
        if selector not in self._chosen:
            self._chosen[selector] = self._evaluate(selector)
        return self._chosen[selector]

    def processes(self, kind: str, selector: Selector) -> frozenset[str] | None:
        """Return the units or users of the chosen assets, or None where an asset has no facts about them."""
        bits = self.chosen(selector)
        assets = [asset for number, asset in enumerate(self._assets) if bits >> number & 1]
        lists = [_facts(asset, FACTS[kind]) for asset in assets]
        known = [names for names in lists if names is not None]
        return frozenset().union(*known) if known and len(known) == len(lists) else None

    def _evaluate(self, selector: Selector) -> int:
        every = (1 << len(self._assets)) - 1
        match selector:
            case LabelIn(key, values):
                return _any(self._holders.get((key, value), 0) for value in values)
            case LabelExists(key, exists):
                having = _any(bits for (held, _), bits in self._holders.items() if held == key)
                return having if exists else every & ~having
            case AssetNamed(name):
                number = self.numbers.get(label_text(name))
                return 0 if number is None else 1 << number
            case AllOf(parts):
                for part in parts:
                    every &= self.chosen(part)
                return every
            case AnyOf(parts):
                return _any(self.chosen(part) for part in parts)
            case Not(AddressIn(addresses, _)):
                return self._holding(addresses, inside=False)
            case Not(part):
                return every & ~self.chosen(part)
            case AddressIn(addresses, _):
                return self._holding(addresses, inside=True)
            case AnyAddress():
                return every
            case Unknown() | Internet() | FqdnIs():
                return 0

    def _holding(self, addresses: IntervalSet, *, inside: bool) -> int:
        holders = [
            number
            for number, asset in enumerate(self._assets)
            if any((address in addresses) is inside for address in asset.addresses)
        ]
        return _bits(holders, len(self._assets))


def _bits(numbers: Iterable[int], size: int) -> int:
    octets = bytearray(size // 8 + 1)
    for number in numbers:
        octets[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(octets, "little")


def _any(sets: Iterable[int]) -> int:
    total = 0
    for bits in sets:
        total |= bits
    return total


def _facts(asset: Asset, name: str) -> frozenset[str] | None:
    """Return the names that a host's facts list, or None where it has no such facts."""
    gathered, inner = asset.attributes.get("facts"), asset.attributes.get("ansible_facts")
    for facts in (gathered, inner, asset.attributes):
        if isinstance(facts, Mapping) and isinstance(listed := facts.get(name), Mapping | list):
            return frozenset(str(key) for key in listed)
    return None
