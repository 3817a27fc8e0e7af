"""The peer of `compile`: aerleon renders the same rules to nftables, one target after another."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from aerleon import api
from aerleon.lib import naming
from ringfence.model.addresses import address_text, range_texts
from ringfence.model.rules import Action, Rule
from ringfence.model.selectors import AddressIn, AllOf, AnyAddress, LabelIn, Selector
from ringfence.model.services import BLOCK, EVERY_SERVICE, PORT_PROTOCOL_NAMES

from .estate import Estate

ACTIONS = {Action.ALLOW: "accept", Action.DENY: "deny"}


class Aerleon:
    """Aerleon with the estate's selectors as network definitions, which are parsed once and count for no target."""

    def __init__(self, estate: Estate) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        self.estate = estate
        self.networks: dict[Selector, str] = {}
        self.services: dict[str, list[dict[str, object]]] = {}
        values: dict[str, object] = {}
        for rule in estate.policy.rules:
            for peer in (*rule.sources, *rule.destinations):
                if peer.selector not in self.networks and not isinstance(peer.selector, AnyAddress):
                    name = self.networks[peer.selector] = f"NET{len(self.networks)}"
                    values[name] = {"values": [{"address": text} for text in self._addresses(peer.selector)]}
            for name, protocol, ports in _ports(rule):
                self.services[name] = [{"protocol": protocol, "port": ports}]
        self.definitions = naming.Naming()
        self.definitions.ParseDefinitionsObject({"networks": values, "services": self.services}, "estate")

    def render(self, labels: Mapping[str, str]) -> str:
        """Return the ruleset of a host with these labels: only the rules that speak of it, its own side left open."""
        filters = [
            {
                "header": {"targets": {"nftables": f"inet {hook}"}},
                "terms": [
                    *self._terms(labels, inbound=hook == "input"),
                    {"name": "rest", "action": "deny", "comment": "nothing else"},
                ],
            }
            for hook in ("input", "output")
        ]
        written = api.Generate([{"filename": "host", "filters": filters}], self.definitions)
        return str(next(iter(written.values())))

    def _terms(self, labels: Mapping[str, str], *, inbound: bool) -> Iterator[dict[str, object]]:
        for number, rule in enumerate(self.estate.policy.rules):
            own, far = (rule.destinations, rule.sources) if inbound else (rule.sources, rule.destinations)
            if not any(_chooses(peer.selector, labels) for peer in own):
                continue
            for name, protocol, _ in _ports(rule) or [("", "", "")]:
                term: dict[str, object] = {"name": f"t{number}{name.lower()}", "action": ACTIONS[rule.action]}
                networks = [self.networks[peer.selector] for peer in far if peer.selector in self.networks]
                if networks:
                    term["source-address" if inbound else "destination-address"] = " ".join(networks)
                if name:
                    term |= {"protocol": protocol, "destination-port": name}
                yield term

    def _addresses(self, selector: Selector) -> list[str]:
        if isinstance(selector, AddressIn):
            # The lists of the estate are whole /24 networks.
            return [f"{text.partition('-')[0]}/24" for text in range_texts(selector.addresses)]
        return [
            f"{address_text(point)}/32"
            for asset in self.estate.snapshot.assets
            if _chooses(selector, asset.label_values())
            for point in asset.addresses
        ]


def _chooses(selector: Selector, labels: Mapping[str, str]) -> bool:
    match selector:
        case LabelIn(key, values):
            return labels.get(key) in values
        case AllOf(parts):
            return all(_chooses(part, labels) for part in parts)
        case AnyAddress():
            return True
        case _:
            return False


def _ports(rule: Rule) -> list[tuple[str, str, str]]:
    """Return name, protocol and port of every piece of a rule's service; nothing for `any`."""
    if rule.services.v4 == EVERY_SERVICE:
        return []
    found = []
    for low, high in rule.services.v4:
        protocol = PORT_PROTOCOL_NAMES[low // BLOCK]
        first, last = low % BLOCK, high % BLOCK
        ports = str(first) if first == last else f"{first}-{last}"
        found.append((f"{protocol}_{ports}".upper().replace("-", "_"), protocol, ports))
    return found
