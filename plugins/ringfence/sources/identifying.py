"""What identifies a machine, and what everybody has: normal forms of MACs, UUIDs, names and serials, each checked once.

Every path goes through these: keys of any source, gathered facts, addresses, names that resolve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address

from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.errors import InputError
from ringfence.sources.known_to_all import (
    ADDRESSES,
    BRIDGE_ADDRESSES,
    EVERYBODYS_DOMAINS,
    HOST_NAMES,
    INNER_INTERFACES,
    MACS,
    ONE_LINK_DOMAINS,
    TEXTS,
    UUIDS,
)

_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_UUID = re.compile(r"[0-9a-f]{32}")
_UUID_SHAPE = re.compile(r"[{(]?[0-9a-f]{2}(?:[ :-]?[0-9a-f]{2}){15}[)}]?")
_MAC = re.compile(r"[0-9a-f]{12}")
_FQDN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*")
# A UUID of so few different digits was typed, not made; of 32 random ones that is one in 10^16.
_FEWEST_DIGITS = 4
_EVERYBODYS = addresses_of(tuple(ADDRESSES))
_BRIDGES = addresses_of(tuple(BRIDGE_ADDRESSES))
_INNER = re.compile("|".join(INNER_INTERFACES), re.IGNORECASE)
# Facts write names of interfaces as parts of variables, with `_` for every other character.
_INNER_WORDS = re.compile(
    r"docker_gwbridge|br_[0-9a-f]{12}|cni_podman\d*|virbr\d+_nic|vxlan_calico.*|wireguard_cali|wg_v6_cali|kube_.*|antrea_.*"
    r"|ovn_k8s_.*|ovs_.*|br_int|br_tun|vEthernet__(?:Default_Switch|nat|WSL.*|DockerNAT)_|Loopback_Pseudo_Interface.*",
    re.IGNORECASE,
)
_UUIDS = tuple(UUIDS)
_MACS = tuple(MACS)


def normal(kind: str, text: str) -> str | None:
    """Return a value of a key in the form that all sources share; None where it identifies nobody.

    `uuid`, `mac` and `fqdn` have forms of their own; any other key is a text, in which case does not count.
    """
    return _NORMAL.get(kind, _text)(text)


@lru_cache(maxsize=65536)
def identifying_point(text: str) -> int | None:
    """Return the point of an address that tells hosts apart; None for what every host has, and for no address."""
    try:
        point = point_of(text)
    except InputError:
        return None
    return None if point in _EVERYBODYS else point


def is_everybodys_point(point: int) -> bool:
    """Return whether every host has an address for itself, or it is none that a host can have."""
    return point in _EVERYBODYS


def is_bridge_address(point: int) -> bool:
    """Return whether engines give this address to a bridge or service of every host."""
    return point in _BRIDGES


@lru_cache(maxsize=4096)
def is_inner_interface(name: str) -> bool:
    """Return whether an interface is a host's own affair: a bridge for containers, an end of a guest, a tunnel."""
    return _INNER.fullmatch(name) is not None or _INNER_WORDS.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def is_everybodys_name(name: str) -> bool:
    """Return whether a host's name, or its first part, is one that images give to every machine."""
    return name.partition(".")[0].lower() in HOST_NAMES


def is_locally_administered(mac: str) -> bool:
    """Return whether a MAC in its normal form was made on the spot (IEEE 802-2014 8.2.2: the second bit)."""
    return bool(int(mac[1], 16) & 2)


@lru_cache(maxsize=65536)
def _uuid(text: str) -> str | None:
    text = " ".join(text.lower().split())
    if _INSTANCE.fullmatch(text):
        return text
    text = text.removeprefix("vmware-").removeprefix("urn:uuid:")
    if not _UUID_SHAPE.fullmatch(text):
        return None
    digits = re.sub(r"[^0-9a-f]", "", text)
    # DSP0134 7.2.1: since SMBIOS 2.6 the first three fields are little-endian, and tools disagree on that.
    swapped = bytes.fromhex(digits[:8])[::-1] + bytes.fromhex(digits[8:12])[::-1] + bytes.fromhex(digits[12:16])[::-1]
    forms = (digits, swapped.hex() + digits[16:])
    if len(set(digits)) <= _FEWEST_DIGITS or any(_counted(form) or form.startswith(_UUIDS) for form in forms):
        return None
    return min(forms)


def _counted(digits: str) -> bool:
    """Return whether every digit is the one before it and one more, as in 0123 or fedc."""
    steps = {(int(digits[at + 1], 16) - int(digits[at], 16)) % 16 for at in range(len(digits) - 1)}
    return steps in ({1}, {15})


@lru_cache(maxsize=65536)
def _mac(text: str) -> str | None:
    digits = re.sub(r"[:.\s-]", "", text.strip().lower().removeprefix("0x"))
    # InfiniBand tells twenty bytes; the last eight are the port's, and the source pads them (RFC 4391 9.1.1).
    if not _MAC.fullmatch(digits) or len(set(digits)) == 1 or digits.startswith(_MACS):
        return None
    return None if int(digits[1], 16) & 1 else digits


@lru_cache(maxsize=65536)
def _fqdn(text: str) -> str | None:
    name = text.strip().rstrip(".").lower()
    if len(name) > 253 or not _FQDN.fullmatch(name):
        return None
    labels = name.split(".")
    above = {".".join(labels[at:]) for at in range(1, len(labels))}
    if is_everybodys_name(name) or ".".join(labels[1:]) in ONE_LINK_DOMAINS or above & EVERYBODYS_DOMAINS:
        return None
    try:
        ip_address(name)
    except ValueError:
        return name
    return None


def _text(text: str) -> str | None:
    value = " ".join(text.split()).casefold()
    bare = value.strip(" .#*_-\"'()[]<>$")
    spelled = bare.replace("_", " ")
    # One character again and again (0000000, xxxxxxx, 1) is typed, and so is 0 and 1 alone.
    if (
        value in TEXTS
        or bare in TEXTS
        or spelled in TEXTS
        or len(set(bare) - set(" .:_-/")) <= 1
        or set(bare) <= {"0", "1"}
    ):
        return None
    return value


_NORMAL: Mapping[str, Callable[[str], str | None]] = {"uuid": _uuid, "mac": _mac, "fqdn": _fqdn}
