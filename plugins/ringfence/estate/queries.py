"""Queries as people type them: selectors, assets and services, in short or in the grammar's own words.

An unknown word is an error that names the nearest known one: an empty answer would mean that nobody may, or that there
is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from ringfence.analysis.peer_resolution import chosen_addresses, points_of
from ringfence.language.definitions import Definitions
from ringfence.language.documents import parse_documents
from ringfence.language.mentions import AssetMention, ChoiceMention, Mention
from ringfence.language.nodes import Listing, Node, Scalar, plain
from ringfence.language.references import check_references
from ringfence.language.reports import Reports, did_you_mean, nearest
from ringfence.language.selectors import WORDS, SelectorReader
from ringfence.language.short_selectors import short_selector
from ringfence.language.values import service_set
from ringfence.model.address_faults import looks_like_address, message_of, way_out
from ringfence.model.addresses import network_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.selectors import AddressIn, AssetNamed, Selector
from ringfence.model.services import Services
from ringfence.sources.asset_search import find, is_address_or_port
from ringfence.sources.merging import hosts_of

T = TypeVar("T")
COMMAND_LINE = Place("command line")
# The way out where no known word is near.
LISTS = "ringfence assets lists the assets with their labels"
# An asset itself, as a point that no address has: what is chosen by its labels is chosen without an address too.
ITSELF = IntervalSet(((-1, -1),))


class QueryReader:
    """Reads selectors and services with the definitions of a workspace, and holds them against its assets."""

    def __init__(self, definitions: Definitions, snapshot: Snapshot) -> None:
        self.definitions = definitions
        self.snapshot = snapshot

    def selectors(self, text: str) -> tuple[Selector, ...]:
        """Return the selectors of a text: `role=web,env=prod|dev`, `{role: web}`, a word, a network, an asset's name.

        A list in the grammar's form gives its alternatives. Raise InputErrors for a text that is not valid as one of
        these, and for one that names an unknown label or asset, or chooses nothing.
        """
        text = text.strip()
        if text in WORDS:
            return (WORDS[text],)
        if _is_selector(text):
            return self._selected(text)
        try:
            return (AddressIn(network_of(text), text),)
        except InputError:
            if "/" in text or (looks_like_address(text) and text not in self.snapshot.called()):
                raise
        self._refuse_missing([AssetMention(text, COMMAND_LINE)], text)
        return (AssetNamed(text),)

    def plain(self, text: str) -> object:
        """Return what a text says in the words of the grammar, as plain data. Raise InputErrors as `selectors` does."""
        text = text.strip()
        self.selectors(text)
        if text in WORDS:
            return text
        if text.startswith(("{", "[")):
            return plain(parse_documents(text, COMMAND_LINE.file, Reports())[0])
        if _is_selector(text):
            said = plain(short_selector(text, COMMAND_LINE, self._values))
            assert isinstance(said, dict)
            return {key: one[0] if isinstance(one, list) and len(one) == 1 else one for key, one in said.items()}
        try:
            network_of(text)
        except InputError:
            return {"asset": text}
        return {"cidr": text}

    def assets(self, words: Sequence[str]) -> tuple[Asset, ...]:
        """Return the assets that match every word: a selector, or a query of `sources.asset_search`.

        Raise InputErrors as `selectors` does, and for a word that is nowhere in the inventory.
        """
        chosen = self.snapshot.assets
        for word in words:
            if _is_selector(word.strip()):
                selectors = self._selected(word.strip())
                chosen = tuple(asset for asset in chosen if any(_chooses(one, asset) for one in selectors))
                continue
            for part in word.split():
                if not find(self.snapshot, part) and not is_address_or_port(part):
                    if looks_like_address(part):
                        raise InputError(message_of(part), remedy=way_out(part))
                    raise InputError(
                        f"no asset has '{part}' in its names, labels or attributes", remedy=self._near(part) or LISTS
                    )
                chosen = find(replace(self.snapshot, assets=chosen), part)
        return chosen

    def services(self, text: str) -> Services:
        """Return the services of a text as in `allow:`, several separated by commas."""
        parts = tuple(Scalar(COMMAND_LINE, part.strip(), part.strip()) for part in text.split(","))
        reports = Reports()
        found = service_set(Listing(COMMAND_LINE, parts), self.definitions, reports)
        reports.settle()
        if found is None:
            raise InputError(f"'{text}' is not a valid service")
        return found

    @cached_property
    def _values(self) -> dict[str, set[str]]:
        """The values that labels have, by key."""
        found: dict[str, set[str]] = {}
        for asset in self.snapshot.assets:
            for key, label in asset.labels.items():
                found.setdefault(key, set()).add(label.value)
        return found

    def _selected(self, text: str) -> tuple[Selector, ...]:
        if text.startswith(("{", "[")):
            return self._read(text, lambda node, reports: self._written(node, reports, text))
        reports = Reports()
        found = self._written(short_selector(text, COMMAND_LINE, self._values), reports, text)
        reports.settle()
        return found

    def _written(self, node: Node, reports: Reports, text: str) -> tuple[Selector, ...]:
        reader = SelectorReader(self.definitions, reports)
        nodes = node.items if isinstance(node, Listing) else (node,)
        found = tuple(selector for one in nodes if (selector := reader.selector(one)) is not None)
        if not len(reports):
            whole = [ChoiceMention(one, COMMAND_LINE) for one in found]
            self._refuse_missing([*reader.mentions, *whole], text)
        return found

    def _refuse_missing(self, mentions: Sequence[Mention], text: str) -> None:
        missing = check_references(mentions, self.snapshot)
        quotes = (
            'a value that itself holds , or | needs quotes: key="a, b"' if any(one in text for one in ",|") else None
        )
        meant = self._exact(text) or self._otherwise(text)
        errors = [InputError(one.message, one.place, meant or one.remedy or quotes or LISTS) for one in missing]
        if errors:
            raise InputErrors(errors)

    def _exact(self, word: str) -> str | None:
        """Return what a word means that is no asset's name: a label's value, or a named selector."""
        for key, values in sorted(self._values.items()):
            if word in values:
                return f"did you mean {key}={word}?"
        if word in self.definitions.selectors:
            return f"did you mean {{selector: {word}}}?"
        return None

    def _otherwise(self, text: str) -> str | None:
        """Return how that is written which people write here as they do elsewhere: all, patterns, lists."""
        if text in ("all", "*"):
            return "every asset is 'any'"
        parts = re.split(r"[,\s]+", text)
        if "," not in text and len(parts) > 1 and all("=" in part for part in parts):
            return f"several labels have a comma between them: {','.join(parts)}"
        named = {name for asset in self.snapshot.assets for name in hosts_of(asset)}
        if len(parts) > 1 and named.issuperset(parts):
            return f"several assets are a list: [{', '.join(f'{{asset: {part}}}' for part in parts)}]"
        if "*" in text or "?" in text:
            return "names have no patterns; choose by labels: role=web, {role: [web, api]}"
        return None

    def _near(self, word: str) -> str | None:
        """Return the name or the label's value that a word is nearest to."""
        names = {name for asset in self.snapshot.assets for name in hosts_of(asset)}
        near = nearest(word, names.union(*self._values.values()))
        return did_you_mean(word, near) if near else None

    def _read(self, text: str, read: Callable[[Node, Reports], T]) -> T:
        reports = Reports()
        documents = parse_documents(text, COMMAND_LINE.file, reports)
        reports.settle()
        if len(documents) != 1:
            raise InputError(f"'{text}' is not a valid selector", remedy="write role=web or {role: web}")
        found = read(documents[0], reports)
        reports.settle()
        return found


def _is_selector(text: str) -> bool:
    return text.startswith(("{", "[")) or "=" in text


def _chooses(selector: Selector, asset: Asset) -> bool:
    return bool(chosen_addresses(selector, asset, points_of(asset) | ITSELF))
