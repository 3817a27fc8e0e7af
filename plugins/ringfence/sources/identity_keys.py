"""Identity keys of an asset in a form that two sources share, from its sources and from the machine's own reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.identity import ADDRESS, IdentityKey
from ringfence.sources.expressions import EvaluationError, Expression, compile_expression
from ringfence.sources.host_told import told_roots, without_told
from ringfence.sources.host_variables import BY_NAME, GIVEN, WISHED
from ringfence.sources.identifying import normal

SOURCE_FACTS = "source_facts"
Keys = Mapping[str, frozenset[str]]

_PLACE = Place("ringfence.yml")
_OWN = (*("ringfence_labels", "ringfence_control", "ringfence_label_values", "ringfence_unreached", GIVEN, BY_NAME),)
# What cloud and cluster sources call what is no machine, by source; None: nothing of it is one.
_MACHINES: Mapping[str, frozenset[str] | None] = {
    "aws": frozenset({"instance"}),
    "kubernetes": frozenset({"node"}),
    "containers": None,
}
SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class KeyReader:
    """One key ready to be read from many assets; an expression whose attributes an asset lacks is not evaluated."""

    name: str
    expressions: tuple[tuple[frozenset[str], Expression], ...]

    def values(self, attributes: Mapping[str, object]) -> frozenset[str]:
        """Return the values of the key, alike for what two sources write differently."""
        found: set[str] = set()
        for roots, expression in self.expressions:
            if roots and roots.isdisjoint(attributes):
                continue
            try:
                value = expression.value(attributes)
            except EvaluationError:
                # A source that writes other types there says nothing of this key.
                continue
            found.update(text for word in _words(value) if (text := normal(self.name, word)))
        return frozenset(found)


def key_readers(keys: Iterable[IdentityKey]) -> tuple[KeyReader, ...]:
    """Return the readers of all keys but `address`. Raise InputError for an expression that cannot be compiled."""
    readers = []
    for key in keys:
        compiled = [compile_expression(text, _PLACE) for text in key.expressions]
        roots = [frozenset(path[0] for path in one.paths) if one.paths else frozenset() for one in compiled]
        if key.name != ADDRESS:
            readers.append(KeyReader(key.name, tuple(zip(roots, compiled, strict=True))))
    return tuple(readers)


def keys_of(asset: Asset, readers: Sequence[KeyReader], *, reached: bool = True) -> dict[str, frozenset[str]]:
    """Return the values of every key that an asset's sources say; without `reached` not what `ansible_host` says."""
    facts = source_facts(asset)
    attributes = dict(without_told(asset))
    if facts:
        attributes[SOURCE_FACTS] = list(facts.values())
    if not reached:
        attributes.pop("ansible_host", None)
    return {reader.name: values for reader in readers if (values := reader.values(attributes))}


def told_keys_of(asset: Asset, readers: Sequence[KeyReader]) -> dict[str, frozenset[str]]:
    """Return the values of every key from a host's own reports; none if it reports nothing."""
    if not told_roots(asset):
        return {}
    attributes = {**asset.attributes, SOURCE_FACTS: list(source_facts(asset).values())}
    attributes.pop("ansible_host", None)
    return {reader.name: values for reader in readers if (values := reader.values(attributes))}


def source_facts(asset: Asset) -> dict[str, Mapping[str, object]]:
    """Return the facts of an asset from its sources, by source: `aws` of `ringfence_aws`, `onprem` and so on."""
    found: dict[str, Mapping[str, object]] = {}
    for name, value in asset.attributes.items():
        if (
            (name == "onprem" or name.startswith("ringfence_"))
            and name not in _OWN
            and isinstance(value, dict | Mapping)
        ):
            found[name.removeprefix("ringfence_")] = value
    return found


def is_no_machine(asset: Asset) -> bool:
    """Return whether all that sources know of an asset is something without an operating system of its own.

    A service, a load balancer, a managed database, a pod, a container.
    """
    facts = {source: fact for source, fact in source_facts(asset).items() if source != SWEEP}
    return bool(facts) and all(_is_none(source, fact) for source, fact in facts.items())


def is_swept(asset: Asset) -> bool:
    """Return whether nothing is known of an asset but that its address answered."""
    return list(source_facts(asset)) == [SWEEP]


def short_name(asset: Asset) -> str:
    """Return the first part of the name that an asset's source has for it, in small letters; an address as it is."""
    name = str(asset.attributes.get(WISHED) or asset.name).casefold()
    return name if re.fullmatch(r"[\d.]+|.*:.*", name) else name.partition(".")[0]


def _is_none(source: str, fact: Mapping[str, object]) -> bool:
    if source not in _MACHINES or "kind" not in fact:
        return False
    machines = _MACHINES[source]
    return machines is None or fact["kind"] not in machines


def _words(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
