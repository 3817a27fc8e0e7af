"""The graph of chains and verdict maps of a listing, resolved exactly: addresses to service maps, services to outcomes.

What has a meaning is resolved to it even where it is not of our making (an element that says `accept`, a map with a
hole), so that drift can be told as what is open; what has none that we know is reported as a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import SequenceMatcher

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import (
    HEADERS,
    LAST_POINT,
    Outcome,
    Piece,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    FAMILIES,
    interval_of,
    of_family,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.service_words import (
    BLOCK,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP,
)

from .listing import ChainBlock, Listing, Rule
from .shapes import (
    ADDRESS_LOOKUP,
    DYNAMIC_LOOKUP,
    GOTO,
    GOTO_V4,
    INLINE_MAP,
    IP,
    PEERS_CHAIN,
    VERDICTS,
    lost,
    outcome_of,
    outcome_rules,
)

Interval = tuple[int, int]
Split = tuple[str, list[tuple[Interval, str]]]
Membership = tuple["frozenset[str]", "frozenset[str]"]
Report = Callable[..., None]
Peers = dict[str, "list[tuple[Interval, str]]"]
PORT_KEYS = {"icmp type": ICMP, "icmpv6 type": ICMPV6, "tcp dport": TCP, "udp dport": UDP, "sctp dport": SCTP}
BY_HAND = {"accept": Outcome("allow", "none", False), "drop": Outcome("deny", "none", False)}
# In a chain that asks for addresses, in this order and each at most once; the empty one is never a step onward.
STEPS = ("", "ip", "ip6", "ipv4", "rest")
STRICTNESS = ("deny", "watch", "allow")
NO_SETS: Membership = (frozenset(), frozenset())
MOST_CASES = 100_000
# Rules of one chain that are compared one by one; of ours the longest has some thirty.
MOST_RULES = 500
_NUMBERS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


class Graph:
    """Resolves the chains of one listing; `report(line, text, problem, change="shape")` is told what is not ours."""

    def __init__(self, listing: Listing, report: Report, peers: Peers | None = None) -> None:
        self.listing = listing
        self.report = report
        # by the map that the target fills, where the addresses of containers lead that a plan knows them by
        self.peers = peers or {}
        self._services: dict[tuple[str, int], tuple[Piece, ...]] = {}
        self._splits: dict[tuple[str, int], Split | None] = {}
        self._outcomes: dict[str, Outcome] = {}

    def split(self, chain: str, family: int) -> Split | None:
        """Return the field that a chain asks (`saddr`, `daddr`, or empty: none) and where every address leads.

        None where the chain asks for no address: it leads to services.
        """
        key = (chain, family)
        if key not in self._splits:
            self._splits[key] = self._split(chain, family)
        return self._splits[key]

    def _split(self, chain: str, family: int) -> Split | None:
        block = self.listing.chains.get(chain)
        if block is None or outcome_of(chain) or any(INLINE_MAP.fullmatch(rule.text) for rule in block.rules):
            return None
        if self._asks(block):
            return None
        if PEERS_CHAIN.fullmatch(chain):
            return self._past_peers(block, family)
        field, default, elements = "", "", []
        reached = 0
        for rule in block.rules:
            lookup, v4 = ADDRESS_LOOKUP.fullmatch(rule.text), GOTO_V4.fullmatch(rule.text)
            goto = GOTO.fullmatch(rule.text)
            step = STEPS.index(lookup[1] if lookup else "ipv4" if v4 else "rest" if goto else "")
            if step <= reached:
                self.stranger(block, rule)
                continue
            reached = step
            if lookup and lookup[1] == IP[family]:
                field, elements = lookup[2], self._elements(lookup[3], rule, family)
            elif v4 and family == 4:
                default = v4[1]
            elif goto:
                default = default or goto[1]
        if not default:
            self.report(block.line, f"chain {chain}", "has no last rule: what it does not match passes")
            default = "accept"
        return field, _filled(elements, FAMILIES[family], default)

    def _past_peers(self, block: ChainBlock, family: int) -> Split:
        """Return where a chain leads that asks for containers first: those a plan knows, else the addresses behind it.

        What else it holds is compared with the text that it was rendered as (`container_reader`).
        """
        goto = GOTO.fullmatch(block.rules[-1].text) if block.rules else None
        if goto is None or goto[1] == block.name:
            self.report(block.line, f"chain {block.name}", "has no last rule: what it does not match passes", "open")
            return "", [(FAMILIES[family], "accept")]
        lookup = ADDRESS_LOOKUP.fullmatch(block.rules[0].text)
        known = self.peers.get(lookup[3], []) if lookup else []
        behind = self.split(goto[1], family)
        if lookup is None or not known:
            return behind or ("", [(FAMILIES[family], goto[1])])
        beyond = behind[1] if behind and behind[0] == lookup[2] else [(FAMILIES[family], goto[1])]
        return lookup[2], _laid_over(sorted(known), beyond)

    def _elements(self, name: str, rule: Rule, family: int) -> list[tuple[Interval, str]]:
        block = self.listing.sets.get(name)
        if block is None:
            self.report(rule.line, rule.text, "asks a map that is not there")
            return []
        found: list[tuple[Interval, str]] = []
        for element in block.elements:
            key, _, verdict = element.partition(" : ")
            target = verdict.removeprefix("goto ")
            if target == verdict and verdict not in BY_HAND:
                self.report(block.line, f"{name}: {element}", "is not an element of ours")
                continue
            try:
                found.append((interval_of(key), target))
            except ValueError:
                self.report(block.line, f"{name}: {element}", "has no address that can be read")
        own = [(interval, target) for interval, target in found if of_family([interval], family) == [interval]]
        if len(own) != len(found):
            self.report(block.line, name, "holds addresses of the other family")
        return sorted(own)

    def _asks(self, block: ChainBlock) -> bool:
        """Return whether a chain asks for dynamic sets."""
        return bool(block.rules and DYNAMIC_LOOKUP.fullmatch(block.rules[0].text))

    def cases(self, chain: str, family: int, field: str) -> list[tuple[Membership, str]]:
        """Return where a chain leads addresses by the dynamic sets (their digests) that they are in, and are not in.

        Together the cases tell every membership once; a chain that asks for no set leads all to itself.
        """
        found: list[tuple[Membership, str]] = []
        self._follow(chain, (family, field), NO_SETS, (), found)
        return found

    def _follow(
        self,
        chain: str,
        asked: tuple[int, str],
        met: Membership,
        passed: tuple[str, ...],
        found: list[tuple[Membership, str]],
    ) -> None:
        block = self.listing.chains.get(chain)
        if block is None or not self._asks(block):
            found.append((met, chain))
            return
        if chain in passed or len(found) > MOST_CASES:
            self.report(block.line, f"chain {chain}", "leads in a circle, or asks more than can be followed", "open")
            found.append((met, "accept"))
            return
        inside, outside = met
        for rule in block.rules:
            lookup, goto = DYNAMIC_LOOKUP.fullmatch(rule.text), GOTO.fullmatch(rule.text)
            if lookup and (lookup[1], int(lookup[3]), lookup[2]) == (IP[asked[0]], *asked):
                digest, target = lookup[4], lookup[5]
                if digest not in outside:
                    self._follow(target, asked, (inside | {digest}, outside), (*passed, chain), found)
                if f"dyn{asked[0]}_{digest}" not in self.listing.sets:
                    self.report(rule.line, rule.text, "asks a set that is not there")
                if digest in inside:
                    return
                outside = outside | {digest}
            elif goto and rule is block.rules[-1]:
                self._follow(goto[1], asked, (inside, outside), (*passed, chain), found)
                return
            else:
                self.stranger(block, rule)
        self.report(block.line, f"chain {chain}", "has no last rule: what it does not match passes")
        found.append(((inside, outside), "accept"))

    def services(self, chain: str, family: int) -> tuple[Piece, ...]:
        """Return the pieces of the whole service line that a chain gives packets of a family."""
        key = (chain, family)
        if key not in self._services:
            self._services[key] = self._by_protocol(chain, family)
        return self._services[key]

    def _by_protocol(self, chain: str, family: int) -> tuple[Piece, ...]:
        outcome = self._outcome(chain)
        if outcome:
            return (Piece(0, LAST_POINT, outcome),)
        block = self.listing.chains[chain]
        entries, fallback = self._map_and_fallback(block, ["meta l4proto"], 255)
        pieces: list[Piece] = []
        for (low, high), target in entries:
            for protocol in range(low, high + 1):
                for first, last, met in self._by_port(target, protocol, family):
                    _append(pieces, protocol * BLOCK + first, protocol * BLOCK + last, met)
        self._check_fallback(block, fallback, [piece.outcome for piece in pieces])
        return tuple(pieces)

    def _by_port(self, chain: str, protocol: int, family: int) -> list[tuple[int, int, Outcome]]:
        outcome = self._outcome(chain)
        if outcome:
            return [(0, BLOCK - 1, outcome)]
        block = self.listing.chains[chain]
        key = next((key for key, number in PORT_KEYS.items() if number == protocol), "")
        size = HEADERS[family].get(protocol, 0)
        entries, fallback = self._map_and_fallback(block, [key], (size or BLOCK) - 1)
        if not size or not entries:
            return [(0, BLOCK - 1, fallback)]
        found = [(low, high, self._outcome(target) or fallback) for (low, high), target in entries]
        self._check_fallback(block, fallback, [met for _, _, met in found])
        low, high, met = found[-1]
        return [*found[:-1], (low, max(high, BLOCK - 1), met)]

    def _map_and_fallback(
        self, block: ChainBlock, keys: list[str], last: int
    ) -> tuple[list[tuple[Interval, str]], Outcome]:
        """Return where every value of a chain's inline map leads, and the outcome of the rule behind it."""
        entries: list[tuple[Interval, str]] = []
        target = ""
        for rule in block.rules:
            inline = INLINE_MAP.fullmatch(rule.text)
            goto = GOTO.fullmatch(rule.text)
            if inline and inline[1] in keys and not entries and not target:
                entries = self._entries(rule, inline[2], last)
            elif goto and not target:
                target = goto[1]
            else:
                self.stranger(block, rule)
        fallback = self._outcome(target) if target else None
        if fallback is None:
            self.report(
                block.line, f"chain {block.name}", "has no last rule that decides: what it does not match passes"
            )
            return _filled(entries, (0, last), "accept"), BY_HAND["accept"]
        return _filled(entries, (0, last), target), fallback

    def _entries(self, rule: Rule, text: str, last: int) -> list[tuple[Interval, str]]:
        entries = []
        for entry in text.split(", "):
            key, _, verdict = entry.partition(" : goto ")
            numbers = _NUMBERS.fullmatch(key)
            low, high = (int(numbers[1]), int(numbers[2] or numbers[1])) if numbers else (0, BLOCK)
            if not verdict or not low <= high <= last:
                self.report(rule.line, entry, "is not an element of ours")
                continue
            entries.append(((low, high), verdict))
        return sorted(entries)

    def _outcome(self, chain: str) -> Outcome | None:
        """Return what a chain of an outcome really does, or None where the chain leads on."""
        if chain in BY_HAND:
            return BY_HAND[chain]
        named = outcome_of(chain)
        if named is None and chain in self.listing.chains:
            return None
        if chain not in self._outcomes:
            self._outcomes[chain] = self._real_outcome(chain, named)
        return self._outcomes[chain]

    def _real_outcome(self, chain: str, named: tuple[Outcome, str] | None) -> Outcome:
        block = self.listing.chains.get(chain)
        if block is None or named is None:
            self.report(0, f"chain {chain}", "is not there")
            return BY_HAND["accept"]
        expected = outcome_rules(*named)
        self.align(block, block.rules, expected)
        verdicts = [
            rule.text.split()[-1] for rule in block.rules if rule.text.split()[0] in ("accept", "drop", "counter")
        ]
        first = next((verdict for verdict in verdicts if verdict in BY_HAND), "accept")
        return named[0] if first == expected[-1] else BY_HAND[first]

    def _check_fallback(self, block: ChainBlock, fallback: Outcome, met: list[Outcome]) -> None:
        if met and fallback != min(met, key=lambda outcome: STRICTNESS.index(outcome.effect)):
            self.report(
                block.line,
                f"chain {block.name}",
                f"packets without the header it asks for meet {fallback.effect} by rule {fallback.rule}",
            )

    def align(self, block: ChainBlock, rules: list[Rule], expected: list[str]) -> None:
        """Report every rule of a chain that is not expected in its place, and every expected one that is missing."""
        if len(rules) > MOST_RULES + len(expected):
            self.report(block.line, f"chain {block.name}", f"has {len(rules)} rules, and {len(expected)} are ours")
            rules = rules[: MOST_RULES + len(expected)]
        matcher = SequenceMatcher(None, expected, [rule.text for rule in rules], autojunk=False)
        for kind, first, end, start, stop in matcher.get_opcodes():
            if kind != "equal":
                for text in expected[first:end]:
                    self.report(block.line, f"chain {block.name}", f"misses its rule '{text}' in its place{lost(text)}")
                for rule in rules[start:stop]:
                    self.stranger(block, rule)

    def stranger(self, block: ChainBlock, rule: Rule) -> None:
        """Report a rule that we do not render, with what it does to the direction it stands in."""
        way = {"input": "inbound", "in": "inbound", "output": "outbound", "out": "outbound"}.get(
            block.name.partition("_")[0], "what reaches it"
        )
        verdict = rule.text.split()[-1]
        leads_to = outcome_of(verdict)
        verdict = VERDICTS[leads_to[0].effect] if leads_to else verdict
        change = {"accept": "open", "drop": "closed", "reject": "closed"}.get(verdict, "shape")
        does = "may change what is decided behind it" if change == "shape" else f"makes {change} {way} what it matches"
        self.report(rule.line, rule.text, f"is not a rule of ours in chain {block.name}: it {does}", change)


def _filled(entries: list[tuple[Interval, str]], whole: Interval, default: str) -> list[tuple[Interval, str]]:
    """Return sorted entries with the gaps between them led to a default, and neighbours of one target fused."""
    low, last = whole
    filled: list[tuple[Interval, str]] = []
    for interval, target in [*entries, ((last + 1, last + 1), "")]:
        if interval[0] > low:
            _append_entry(filled, (low, interval[0] - 1), default)
        if interval[0] <= last:
            _append_entry(filled, interval, target)
        low = interval[1] + 1
    return filled


def _laid_over(above: list[tuple[Interval, str]], below: list[tuple[Interval, str]]) -> list[tuple[Interval, str]]:
    """Return sorted entries with others, single addresses in order, in their place."""
    found: list[tuple[Interval, str]] = []
    for (start, high), target in below:
        low = start
        for (point, _), instead in above:
            if low <= point <= high:
                if low < point:
                    _append_entry(found, (low, point - 1), target)
                _append_entry(found, (point, point), instead)
                low = point + 1
        if low <= high:
            _append_entry(found, (low, high), target)
    return found


def _append_entry(filled: list[tuple[Interval, str]], interval: Interval, target: str) -> None:
    if filled and filled[-1][1] == target:
        filled[-1] = ((filled[-1][0][0], interval[1]), target)
    else:
        filled.append((interval, target))


def _append(pieces: list[Piece], low: int, high: int, outcome: Outcome) -> None:
    if pieces and pieces[-1].outcome == outcome:
        pieces[-1] = pieces[-1]._replace(high=high)
    else:
        pieces.append(Piece(low, high, outcome))
