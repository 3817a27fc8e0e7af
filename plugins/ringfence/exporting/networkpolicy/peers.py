"""The far ends and the services of a rule in the words of both APIs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.compiler.selection import holds_locally
from ringfence.exporting.networkpolicy.cluster import Cluster
from ringfence.exporting.networkpolicy.refusals import Inexpressible
from ringfence.exporting.networkpolicy.terms import NONE, Terms, either
from ringfence.model.addresses import EVERY_ADDRESS, network_texts
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.rules import Peer, Rule
from ringfence.model.selectors import (
    AddressIn,
    AllOf,
    AnyAddress,
    AnyOf,
    FqdnIs,
    Internet,
    Not,
    Selector,
    Unknown,
    leaves,
)
from ringfence.model.services import ANY_SERVICE, BLOCK, PORT_PROTOCOL_NAMES

Port = tuple[str, int, int]  # protocol in capitals, first and last port; 0 and 65535 for all of them
EVERY_PORT = (0, BLOCK - 1)
_ADDRESSES = (AddressIn, Internet, Unknown, FqdnIs)


@dataclass(frozen=True, slots=True)
class Far:
    """Who stands at the far end: pods by label, and addresses; `everyone` is both without end."""

    terms: Terms = NONE
    addresses: IntervalSet = EMPTY
    everyone: bool = False


def far_end(peers: Sequence[Peer], cluster: Cluster, private: IntervalSet) -> Far:
    """Return the far end of a rule. Raise Inexpressible for what neither pods' labels nor addresses say."""
    terms: Terms = NONE
    addresses = EMPTY
    for peer in peers:
        refuse_process(peer)
        for selector in alternatives(peer.selector):
            match selector:
                case AnyAddress():
                    return Far(everyone=True)
                case AddressIn(named):
                    addresses |= named
                case Internet():
                    addresses |= _internet(cluster, private)
                case Unknown():
                    raise Inexpressible("'unknown' changes with every address that an asset takes", "write networks")
                case FqdnIs(name):
                    raise Inexpressible(f"the name '{name}' (fqdn) has no word in these APIs", "write its networks")
                case _:
                    terms = either([terms, cluster.reader().terms(selector)])
                    addresses |= _held(selector, cluster)
    return Far(terms, addresses)


def near_end(peers: Sequence[Peer], cluster: Cluster) -> Terms:
    """Return the pods that a rule speaks for. Raise Inexpressible where that goes by address, process or name."""
    found: Terms = NONE
    for peer in peers:
        refuse_process(peer)
        for selector in alternatives(peer.selector):
            if not isinstance(selector, AddressIn):
                found = either([found, cluster.reader().terms(selector)])
            elif any(point in selector.addresses for pod in cluster.pods for point in pod.addresses):
                raise Inexpressible(f"'{selector.text}' chooses pods by address", "choose them by label")
    return found


def alternatives(selector: Selector) -> Iterator[Selector]:
    """Yield the parts of a selector of which any is enough."""
    if isinstance(selector, AnyOf) and selector.parts:
        for part in selector.parts:
            yield from alternatives(part)
    elif isinstance(selector, AllOf) and len(selector.parts) == 1:
        yield from alternatives(selector.parts[0])
    else:
        _refuse_mixed(selector)
        yield selector


def refuse_process(peer: Peer) -> None:
    """Raise Inexpressible for a peer with a process."""
    if peer.process is not None:
        kinds = " and ".join(f"'{kind}'" for kind in peer.process.named())
        raise Inexpressible(f"a process ({kinds}) has no word in these APIs", "name it where a host enforces")


def ports_of(rule: Rule) -> tuple[Port, ...] | None:
    """Return the ports of a rule, None for everything. Raise Inexpressible for ICMP and protocols without ports."""
    services = rule.services
    if services == ANY_SERVICE:
        return None
    found: list[Port] = []
    for low, high in services.v4 | services.v6:
        for protocol in range(low // BLOCK, high // BLOCK + 1):
            if protocol not in PORT_PROTOCOL_NAMES:
                what = {1: "ICMP", 58: "ICMPv6"}.get(protocol, f"IP protocol {protocol}")
                raise Inexpressible(f"{what} has no word in these APIs, which know TCP, UDP and SCTP")
            start = low % BLOCK if low // BLOCK == protocol else 0
            end = high % BLOCK if high // BLOCK == protocol else BLOCK - 1
            if start == 0 and end != BLOCK - 1:
                raise Inexpressible("port 0 is no port in these APIs", "begin the range at 1")
            found.append((PORT_PROTOCOL_NAMES[protocol].upper(), start, end))
    return tuple(found)


def _refuse_mixed(selector: Selector) -> None:
    """Raise Inexpressible where addresses or names are and-ed with something or negated."""
    if isinstance(selector, AllOf | Not) and any(isinstance(one, _ADDRESSES) for one in leaves(selector)):
        raise Inexpressible("addresses stand together with labels or under 'not'", "make two rules of it")


def _held(selector: Selector, cluster: Cluster) -> IntervalSet:
    """Return the addresses of the assets beside the cluster's pods that a selector chooses."""
    chosen = (
        point
        for asset in cluster.outside
        for point in asset.addresses
        if holds_locally(selector, asset.label_values(), asset.name, point)
    )
    return IntervalSet.of((point, point) for point in chosen)


def _internet(cluster: Cluster, private: IntervalSet) -> IntervalSet:
    for asset in (*cluster.pods, *cluster.outside):
        if any(point not in private for point in asset.addresses):
            raise Inexpressible(
                f"'internet' leaves out what assets hold, and '{asset.name}' holds an address outside 'private'",
                "write networks",
            )
    return EVERY_ADDRESS - private


def blocks(addresses: IntervalSet) -> tuple[str, ...]:
    """Return addresses as CIDRs, each with its prefix."""
    return tuple(text if "/" in text else f"{text}/{128 if ':' in text else 32}" for text in network_texts(addresses))
