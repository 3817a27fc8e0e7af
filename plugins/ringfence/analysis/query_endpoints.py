"""The ends of a question, as a person names them: assets, addresses, names of the policy; and what else was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.analysis.builtins import LOOPBACK
from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.unheld import Unheld
from ringfence.compiler import Compilation
from ringfence.compiler.names import shared
from ringfence.enforcers import unseen
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.address_faults import looks_like_address, way_out
from ringfence.model.addresses import address_text, family_of, point_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError
from ringfence.model.memberships import sets_of

_FQDN = "fqdn:"
# What chooses many addresses at once, with an address that stands for them.
_WORDS = {
    "any": "an address or an asset",
    "unknown": "an address that no asset holds, such as 192.0.2.1",
    "internet": "an address outside your networks, such as 8.8.8.8 or 2600::1",
}
_LOCALHOST = ("localhost", "localhost.localdomain", "localhost6", "ip6-localhost")
# An address in brackets, or with a port behind it, and a URL's host.
_BRACKETS = re.compile(r"\[([^\]]+)\](?::\d+)?")
_WITH_PORT = re.compile(r"([^:/\s]+):(\d+)")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?(\[[^\]]+\]|[^:/?#]+).*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Terminal:
    """One end: an asset with one of its addresses, or an address without an asset, and the dynamic sets that it is in.

    `said` is its name in answers, if that is not the address; `ours` says that an address without an asset is in the
    estate's own networks; `others` are further assets that have the address.
    """

    asset: Asset | None
    point: int
    members: tuple[str, ...] = ()
    said: str = ""
    ours: bool = False
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.said or address_text(self.point)


def pairs_of(compilation: Compilation, source: str, destination: str) -> Iterator[tuple[Terminal, Terminal]]:
    """Yield every pair of addresses of one family that two ends have. Raise InputError for an end that is unknown.

    Every host has the loopback addresses of both families.
    """
    snapshot = compilation.snapshot
    dynamic = _dynamic(compilation, destination)
    if dynamic and destination not in snapshot.called():
        somewhere = Ends(snapshot, compilation.settings).anywhere()
        servers: Sequence[Terminal] = [Terminal(None, point, (dynamic,), dynamic) for point in somewhere]
    else:
        servers = _terminals(compilation, destination, "--to")
    clients = _terminals(compilation, source, "--from")
    for server in servers:
        if server.asset is None and server.point in LOOPBACK:
            named = {one.asset.name: one.asset for one in clients if one.asset}
            families = {(one.asset.name, family_of(one.point)) for one in clients if one.asset}
            lacking = [asset for name, asset in named.items() if (name, family_of(server.point)) not in families]
            clients = [*clients, *(Terminal(asset, server.point) for asset in lacking)]
    for client in clients:
        for server in servers:
            if family_of(client.point) == family_of(server.point):
                yield client, server


def meant(snapshot: Snapshot, word: str) -> tuple[Asset, ...]:
    """Return the assets that a word may stand for: those called so, else those that hold the address."""
    if found := tuple(asset for asset in snapshot.assets if word == asset.name or word in asset.also):
        return found
    if not _is_address(word):
        return ()
    point = point_of(word)
    return tuple(asset for asset in snapshot.assets if point in asset.addresses)


def _dynamic(compilation: Compilation, word: str) -> str | None:
    """Return the dynamic set that a word names, in the form in which policies are read; None for none."""
    name = _FQDN + word.removeprefix(_FQDN).rstrip(".").lower()
    return name if name in _sets(compilation) else None


def _sets(compilation: Compilation) -> set[str]:
    """Return the dynamic sets that the rules of a policy name."""
    peers = (peer for rule in compilation.policy.rules for peer in rule.destinations)
    return {name for peer in peers for name in sets_of(peer.selector)}


def _terminals(compilation: Compilation, name: str, option: str) -> Sequence[Terminal]:
    snapshot = compilation.snapshot
    found = snapshot.called().get(name, ())
    if len(found) > 1:
        raise shared(name, found)
    if found:
        asset = found[0]
        if not asset.addresses:
            if why := unseen(asset):
                raise InputError(f"'{name}' has no address of its own: {why}", remedy="ask for whose table that is")
            raise InputError(f"'{name}' has no address", remedy="give it ringfence_addresses in the inventory")
        holders = _holders(compilation, asset.addresses)
        return [Terminal(asset, point, others=_others(holders[point], asset)) for point in asset.addresses]
    if "%" in name and _is_address(name.partition("%")[0]):
        bare = name.partition("%")[0]
        message = f"'{name}' names an interface, which no packet does"
        raise InputError(message, remedy=f"write the address alone: {bare}")
    if not _is_address(name):
        remedy = _remedy(compilation, name, option)
        raise InputError(f"'{name}' is neither an asset nor an address", remedy=remedy)
    point = point_of(name)
    if held := _holders(compilation, (point,))[point]:
        return [Terminal(asset, point, others=_others(held, asset)) for asset in held]
    return [Terminal(None, point, ours=point in Unheld(Ends(snapshot, compilation.settings)))]


def _holders(compilation: Compilation, points: Sequence[int]) -> dict[int, list[Asset]]:
    found: dict[int, list[Asset]] = {point: [] for point in points}
    for asset in compilation.snapshot.assets:
        for point in asset.addresses:
            if point in found:
                found[point].append(asset)
    return found


def _others(holders: Sequence[Asset], asset: Asset) -> tuple[str, ...]:
    """Return who else holds an address in a realm; equal addresses of two realms are two addresses."""
    return tuple(one.name for one in holders if one is not asset and one.realm == asset.realm)


def _is_address(word: str) -> bool:
    try:
        point_of(word)
    except InputError:
        return False
    return True


def _remedy(compilation: Compilation, name: str, option: str) -> str:
    """Return what to ask instead of what is neither an asset nor an address."""
    called = compilation.snapshot.called()
    if (word := name.strip().lower()) in _WORDS:
        return f"name one end, {_WORDS[word]}; for all of them ask: ringfence reach {option} {word}"
    if name.strip().lower().rstrip(".") in _LOCALHOST and name not in called:
        return "write the host's own name, or one of its loopback addresses: 127.0.0.1 or ::1"
    if option == "--from" and (dynamic := _dynamic(compilation, name)):
        return f"the policy names '{dynamic.removeprefix(_FQDN)}' as a server: it can be TO, not FROM"
    for shape in (_URL, _BRACKETS, _WITH_PORT):
        if found := shape.fullmatch(name.strip()):
            bare = found[1].strip("[]")
            if bare in called or _is_address(bare) or _dynamic(compilation, bare):
                return f"write '{bare}' alone, and the port as the service"
    if "=" in name or "/" in name or ("-" in name and name.partition("-")[0].replace(".", "").isdigit()):
        return f"for more than one end ask: ringfence reach {option} '{name}'"
    names = {one.removeprefix(_FQDN) for one in _sets(compilation)} if option == "--to" else set()
    if looks_like_address(name):
        return way_out(name)
    near = nearest(name, {*called, *names})
    return did_you_mean(name, near) if near else "ringfence assets lists the assets with their addresses"
