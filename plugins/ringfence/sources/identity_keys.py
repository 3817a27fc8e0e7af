"""The stable keys of an asset: what its attributes say of who it is, in forms that two sources write alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.identity import ADDRESS, IdentityKey
from ringfence.sources.expressions import EvaluationError, Expression, compile_expression
from ringfence.sources.host_variables import BY_NAME, GIVEN, WISHED

SOURCE_FACTS = "source_facts"
Keys = Mapping[str, frozenset[str]]

_PLACE = Place("ringfence.yml")
_OWN = ("ringfence_labels", "ringfence_control", "ringfence_label_values", GIVEN, BY_NAME)
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_UUID = re.compile(r"[0-9a-f]{32}")
# What firmware reports where nobody set one: DSP0134 7.2.1 (all zeros, all ones), and a widespread vendor default.
_NO_UUID = frozenset({"0" * 32, "f" * 32, "03000200040005000006000700080009"})
_MAC = re.compile(r"[0-9a-f]{12}")
# RFC 5798 7.3 (VRRP), Cisco's HSRP and GLBP, and the prefix that Docker derives from a container's own address.
_SHARED_MACS = ("00005e0001", "00005e0002", "00000c07ac", "00000c9ff", "0007b4", "0242")
_FQDN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*")
_NO_FQDN = ("localhost.localdomain", "localhost6.localdomain6")


@dataclass(frozen=True, slots=True)
class KeyReader:
    """One key ready to be read from many assets; an expression whose attributes an asset lacks is not evaluated."""

    name: str
    expressions: tuple[tuple[frozenset[str], Expression], ...]

    def values(self, attributes: Mapping[str, object]) -> frozenset[str]:
        """Return the values of the key, alike for what two sources write differently."""
        normal = _NORMAL.get(self.name, _own_value)
        found: set[str] = set()
        for roots, expression in self.expressions:
            if roots and roots.isdisjoint(attributes):
                continue
            try:
                value = expression.value(attributes)
            except EvaluationError:
                # A source that writes other types there says nothing of this key.
                continue
            found.update(text for word in _words(value) if (text := normal(word)))
        return frozenset(found)


def key_readers(keys: Iterable[IdentityKey]) -> tuple[KeyReader, ...]:
    """Return the readers of all keys but `address`. Raises InputError for an expression that cannot be compiled."""
    readers = []
    for key in keys:
        compiled = [compile_expression(text, _PLACE) for text in key.expressions]
        roots = [frozenset(path[0] for path in one.paths) if one.paths else frozenset() for one in compiled]
        if key.name != ADDRESS:
            readers.append(KeyReader(key.name, tuple(zip(roots, compiled, strict=True))))
    return tuple(readers)


def keys_of(asset: Asset, readers: Sequence[KeyReader]) -> dict[str, frozenset[str]]:
    """Return the values of every key of an asset."""
    facts = source_facts(asset)
    attributes = {**asset.attributes, SOURCE_FACTS: list(facts.values())} if facts else asset.attributes
    return {reader.name: values for reader in readers if (values := reader.values(attributes))}


def source_facts(asset: Asset) -> dict[str, Mapping[str, object]]:
    """Return what the sources themselves say of an asset, by source: `aws` of `ringfence_aws`, `onprem`, …"""
    found: dict[str, Mapping[str, object]] = {}
    for name, value in asset.attributes.items():
        if isinstance(value, Mapping) and (name == "onprem" or name.startswith("ringfence_")) and name not in _OWN:
            found[name.removeprefix("ringfence_")] = value
    return found


def short_name(asset: Asset) -> str:
    """Return the first part of the name that an asset's source has for it, in small letters; an address as it is."""
    name = str(asset.attributes.get(WISHED) or asset.name).casefold()
    return name if re.fullmatch(r"[\d.]+|.*:.*", name) else name.partition(".")[0]


def _words(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)


def _uuid(text: str) -> str | None:
    text = text.strip().lower()
    if _INSTANCE.fullmatch(text):
        return text
    digits = re.sub(r"[^0-9a-f]", "", text.removeprefix("vmware-").removeprefix("urn:uuid:"))
    if not _UUID.fullmatch(digits) or digits in _NO_UUID or len(text) > 47:
        return None
    # DSP0134 7.2.1: since SMBIOS 2.6 the first three fields are little-endian, and tools disagree on that.
    swapped = bytes.fromhex(digits[:8])[::-1] + bytes.fromhex(digits[8:12])[::-1] + bytes.fromhex(digits[12:16])[::-1]
    return min(digits, swapped.hex() + digits[16:])


def _mac(text: str) -> str | None:
    digits = re.sub(r"[:.-]", "", text.strip().lower())
    if not _MAC.fullmatch(digits) or digits in ("0" * 12, "f" * 12) or digits.startswith(_SHARED_MACS):
        return None
    return None if int(digits[1], 16) & 1 else digits


def _fqdn(text: str) -> str | None:
    name = text.strip().rstrip(".").lower()
    if len(name) > 253 or not _FQDN.fullmatch(name) or name in _NO_FQDN:
        return None
    try:
        ip_address(name)
    except ValueError:
        return name
    return None


def _own_value(text: str) -> str | None:
    return text.strip().casefold() or None


_NORMAL: Mapping[str, Callable[[str], str | None]] = {"uuid": _uuid, "mac": _mac, "fqdn": _fqdn}
