"""Policy tests and invariants: what people expect of their policy."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.language.checking import check, fields
from ringfence.language.nodes import Entry, Listing, Node
from ringfence.language.printing import peers_text
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import InvariantEntry, TestEntry
from ringfence.language.values import service_set
from ringfence.model.rules import Action, Invariant, Peer, PolicyTest
from ringfence.model.selectors import ANY
from ringfence.model.services import Services


def read_test(node: Node, selectors: SelectorReader) -> PolicyTest | None:
    """Return one policy test, or None after reporting what is wrong with it."""
    entry = check(node, TestEntry, "a test", selectors.reports)
    written = fields(node)
    sources, destinations = (_peers(written, side, selectors) for side in ("from", "to"))
    services = _services(written, selectors)
    if written and not {"service", "services"} & written.keys():
        selectors.reports.add(node.place, "a test needs 'service'", "add 'service:', tcp/443 for instance, or any")
    if entry is None or sources is None or destinations is None or services is None:
        return None
    name = entry.name or f"{peers_text(sources)} to {peers_text(destinations)}"
    return PolicyTest(name, node.place, sources, destinations, services, Action(entry.expect))


def read_invariant(node: Node, selectors: SelectorReader) -> Invariant | None:
    """Return one invariant, or None after reporting what is wrong with it."""
    entry = check(node, InvariantEntry, "an invariant", selectors.reports)
    written = fields(node)
    anyone = (Peer(ANY),)
    sources = _peers(written, "from", selectors) if "from" in written else anyone
    destinations = _peers(written, "to", selectors) if "to" in written else anyone
    services = _services(written, selectors)
    if entry is None or sources is None or destinations is None:
        return None
    name = entry.name or f"{peers_text(sources)} to {peers_text(destinations)}"
    return Invariant(name, node.place, Action(entry.expect), sources, destinations, services)


def _peers(written: Mapping[str, Entry], side: str, selectors: SelectorReader) -> tuple[Peer, ...] | None:
    if side not in written:
        return None
    node = written[side].value
    for one in node.items if isinstance(node, Listing) else (node,):
        if lifted := fields(one).get("scope"):
            selectors.reports.add(lifted.place, "tests and invariants have no scope to lift", "leave 'scope' out")
    return selectors.peers(node, side)


def _services(written: Mapping[str, Entry], selectors: SelectorReader) -> Services | None:
    said = [written[key] for key in ("service", "services") if key in written]
    if len(said) > 1:
        selectors.reports.add(
            max(one.place for one in said), "'service' and 'services' are the same", "keep one of them"
        )
    found = [service_set(one.value, selectors.definitions, selectors.reports) for one in said]
    return found[0] if found else None
