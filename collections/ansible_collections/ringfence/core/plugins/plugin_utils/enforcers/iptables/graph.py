"""The chains of one family resolved exactly: addresses to service maps, services to outcomes.

What has a meaning is resolved to it even where it is not of our making (a rule that says `-j ACCEPT`, a set with a
hole), so that drift can be told as what is open; what has none that we know is reported as a stranger.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import LAST_POINT, Outcome, Piece
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    FAMILIES,
    fused,
    interval_of,
)

from .listing import Chain, Rule, SetBlock
from .regions import intersected, without
from .rules import marked
from .services import AUTHENTICATION, points_of
from .shapes import DYNAMIC_SET, VERDICTS, Shape, outcome_of, outcome_rules

Interval = tuple[int, int]
# Addresses by the mark that their packets have.
Region = dict[int, list[Interval]]
Membership = tuple["frozenset[str]", "frozenset[str]"]
Report = Callable[..., None]
BY_HAND = {
    "return": Outcome("allow", "none", False),
    "accept": Outcome("allow", "none", False),
    "drop": Outcome("deny", "none", False),
}
NO_SETS: Membership = (frozenset(), frozenset())
MOST_CASES = 100_000
MOST_RULES = 500
DEEPEST = 64


class Graph:
    """Resolves the chains of one family; `report(line, text, problem, change="shape")` is told what is not ours."""

    def __init__(self, family: int, chains: dict[str, Chain], sets: dict[str, SetBlock], report: Report) -> None:
        self.family, self.chains, self.sets, self.report = family, chains, sets, report
        self._intervals: dict[str, list[Interval]] = {}
        self._services: dict[str, tuple[Piece, ...]] = {}
        self._outcomes: dict[str, Outcome] = {}

    def whole(self) -> Region:
        """Return all addresses of the family, unmarked."""
        return {0: [FAMILIES[self.family]]}

    def led(self, chain: str, side: str, region: Region, mask: int = 0) -> dict[str, Region]:
        """Return where a chain leads addresses, as far as it asks for those of a side (`src`, `dst`), or for marks.

        `mask` are the bits of the mark that the region tells; rules that ask for others are no rules of ours.
        """
        found: dict[str, Region] = {}
        self._lead(chain, (side, mask), region, found, 0)
        return found

    def _lead(self, chain: str, asked: tuple[str, int], region: Region, found: dict[str, Region], depth: int) -> None:
        block = self.chains.get(chain)
        if block is None or depth > DEEPEST or not self._asks(block, *asked):
            if depth > DEEPEST:
                self.report(0, f"chain {chain}", "leads in a circle, or further than the kernel follows", "open")
            for mark, intervals in region.items():
                of_chain = found.setdefault("return" if depth > DEEPEST else chain, {})
                of_chain[mark] = [*of_chain.get(mark, []), *intervals]
            return
        left = region
        for rule in block.rules:
            part = self._part(rule, asked, left)
            target = _target(rule.parsed.verdict)
            if part is None or not target:
                self.stranger(block, rule)
                continue
            left = {mark: rest for mark, each in left.items() if (rest := without(each, part.get(mark, [])))}
            if part:
                self._lead(target, asked, part, found, depth + 1)
            elif self._part(rule, asked, region):
                self._shadowed(block, rule)
        if left:
            self._passes(block)
            self._lead("return", asked, left, found, depth + 1)

    def _asks(self, block: Chain, side: str, mask: int) -> bool:
        """Return whether a chain asks for addresses of a side, or leads on without asking for anything."""
        if outcome_of(block.name):
            return False
        kinds = {self._kind(rule, side, mask) for rule in block.rules}
        return bool(kinds & {"set", "mark"}) or kinds == {"all"}

    def _kind(self, rule: Rule, side: str, mask: int) -> str:
        if not rule.parsed.known or len(rule.parsed.conditions) > 1:
            return ""
        if not rule.parsed.conditions:
            return "all"
        kind, *words = rule.parsed.conditions[0].split(" ")
        if kind == "set" and words[1] == side and not DYNAMIC_SET.fullmatch(words[0]):
            return "set"
        return "mark" if kind == "mark" and mask and not marked(words[0])[1] & ~mask else ""

    def _part(self, rule: Rule, asked: tuple[str, int], region: Region) -> Region | None:
        """Return what of a region a rule matches, None where that is not known."""
        kind = self._kind(rule, *asked)
        if kind == "all":
            return region
        if kind == "set":
            wanted = self.intervals(rule.parsed.conditions[0].split(" ")[1])
            return {mark: met for mark, each in region.items() if (met := intersected(each, wanted))}
        if kind == "mark":
            value, mask = marked(rule.parsed.conditions[0].split(" ")[1])
            return {mark: each for mark, each in region.items() if mark & mask == value}
        return None

    def intervals(self, name: str) -> list[Interval]:
        """Return the addresses of a set of networks, none of one that is not there."""
        if name not in self._intervals:
            block = self.sets.get(name)
            found: list[Interval] = []
            for line, key, options in block.elements if block else ():
                try:
                    interval = interval_of(key)
                except ValueError:
                    interval = None
                if interval is None or (options and options[0] != "skbmark"):
                    self.report(line, f"{name}: {' '.join((key, *options))}", "is not an element of ours")
                else:
                    found.append(interval)
            self._intervals[name] = fused(found)
        return self._intervals[name]

    def cases(self, chain: str, side: str) -> list[tuple[Membership, str]]:
        """Return where a chain leads addresses by the dynamic sets (their digests) that they are in, and are not in.

        Together the cases tell every membership once; a chain that asks for no set leads all to itself.
        """
        found: list[tuple[Membership, str]] = []
        self._follow(chain, side, NO_SETS, (), found)
        return found

    def _follow(
        self,
        chain: str,
        side: str,
        met: Membership,
        passed: tuple[str, ...],
        found: list[tuple[Membership, str]],
    ) -> None:
        block = self.chains.get(chain)
        if block is None or not any(self._dynamic(rule, side) for rule in block.rules):
            found.append((met, chain))
            return
        if chain in passed or len(found) > MOST_CASES:
            self.report(block.line, f"chain {chain}", "leads in a circle, or asks more than can be followed", "open")
            found.append((met, "return"))
            return
        inside, outside = met
        for at, rule in enumerate(block.rules):
            digest, target = self._dynamic(rule, side), _target(rule.parsed.verdict)
            if digest and target:
                if digest in outside:
                    self._shadowed(block, rule)
                else:
                    self._follow(target, side, (inside | {digest}, outside), (*passed, chain), found)
                if digest in inside:
                    return
                outside |= {digest}
            elif target and rule.parsed.known and not rule.parsed.conditions:
                for behind in block.rules[at + 1 :]:
                    self._shadowed(block, behind)
                self._follow(target, side, (inside, outside), (*passed, chain), found)
                return
            else:
                self.stranger(block, rule)
        self._passes(block)
        found.append(((inside, outside), "return"))

    def _dynamic(self, rule: Rule, side: str) -> str:
        """Return the digest of the dynamic set that a rule asks for, empty where it asks for none."""
        if not rule.parsed.known or len(rule.parsed.conditions) != 1:
            return ""
        kind, *words = rule.parsed.conditions[0].split(" ")
        named = DYNAMIC_SET.fullmatch(words[0]) if kind == "set" and words[1] == side else None
        return named[2] if named and int(named[1]) == self.family else ""

    def services(self, chain: str) -> tuple[Piece, ...]:
        """Return the outcome of every service behind a chain."""
        if chain not in self._services:
            pieces: list[Piece] = []
            self._judge(chain, [(0, LAST_POINT)], pieces, 0)
            joined: list[Piece] = []
            for piece in sorted(pieces):
                if joined and joined[-1].outcome == piece.outcome and joined[-1].high + 1 == piece.low:
                    joined[-1] = joined[-1]._replace(high=piece.high)
                else:
                    joined.append(piece)
            self._services[chain] = tuple(joined)
        return self._services[chain]

    def _judge(self, chain: str, region: list[Interval], pieces: list[Piece], depth: int) -> None:
        outcome = self._outcome(chain) if depth <= DEEPEST else BY_HAND["return"]
        if outcome is not None:
            pieces += [Piece(low, high, outcome) for low, high in region]
            return
        block = self.chains[chain]
        whole = region
        self._check_authentication(block, region)
        for rule in block.rules:
            matched = points_of(rule.parsed, self.family)
            target = _target(rule.parsed.verdict)
            if matched is None or not target:
                self.stranger(block, rule)
                continue
            part = intersected(region, matched)
            region = without(region, matched)
            if part:
                self._judge(target, part, pieces, depth + 1)
            elif not matched or intersected(whole, matched):
                self._shadowed(block, rule)
        if region:
            self._passes(block)
            pieces += [Piece(low, high, BY_HAND["return"]) for low, high in region]

    def _check_authentication(self, block: Chain, region: list[Interval]) -> None:
        """Report a chain that asks for protocols of IPv6 before it asks for the header that may hide them."""
        asks = len(block.rules) > 1 and points_of(block.rules[0].parsed, self.family) != AUTHENTICATION
        if self.family == 6 and asks and intersected(region, AUTHENTICATION):
            problem = "does not ask for an authentication header first: what is behind it is judged"
            self.report(block.line, f"chain {block.name}", problem)

    def _outcome(self, chain: str) -> Outcome | None:
        """Return what a chain of an outcome really does, or None where the chain leads on."""
        if chain in BY_HAND:
            return BY_HAND[chain]
        named = outcome_of(chain)
        if named is None and chain in self.chains:
            return None
        if chain not in self._outcomes:
            self._outcomes[chain] = self._real_outcome(chain, named)
        return self._outcomes[chain]

    def _real_outcome(self, chain: str, named: tuple[Outcome, str] | None) -> Outcome:
        block = self.chains.get(chain)
        if block is None or named is None:
            self.report(0, f"chain {chain}", "is not there")
            return BY_HAND["return"]
        self.align(block, block.rules, outcome_rules(*named, self.family))
        ends = [rule.parsed for rule in block.rules if rule.parsed.verdict in BY_HAND and not rule.parsed.conditions]
        first = ends[0].verdict if ends else "return"
        return named[0] if first == VERDICTS[named[0].effect] else BY_HAND[first]

    def align(self, block: Chain, rules: list[Rule], expected: list[Shape]) -> None:
        """Report every rule of a chain that is not expected in its place, and every expected one that is missing."""
        if len(rules) > MOST_RULES + len(expected):
            self.report(block.line, f"chain {block.name}", f"has {len(rules)} rules, and {len(expected)} are ours")
            rules = rules[: MOST_RULES + len(expected)]
        found = [(rule.parsed.conditions, rule.parsed.verdict) if rule.parsed.known else None for rule in rules]
        matcher = SequenceMatcher(None, expected, found, autojunk=False)
        for kind, first, end, start, stop in matcher.get_opcodes():
            if kind != "equal":
                for conditions, verdict in expected[first:end]:
                    words = f"{', '.join(conditions) or 'every packet'}: {verdict}"
                    self.report(block.line, f"chain {block.name}", f"misses its rule '{words}' in its place")
                for rule in rules[start:stop]:
                    self.stranger(block, rule)

    def stranger(self, block: Chain, rule: Rule) -> None:
        """Report a rule that we do not render, with what it does to the direction it stands in."""
        way = {"in": "inbound", "out": "outbound"}.get(block.name.split("_")[1], "what reaches it")
        words = rule.text.split()
        verdict = next((words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-j", "-g")), "")
        leads_to = outcome_of(verdict)
        verdict = VERDICTS[leads_to[0].effect].upper() if leads_to else verdict
        change = {"ACCEPT": "open", "RETURN": "open", "DROP": "closed", "REJECT": "closed"}.get(verdict, "shape")
        does = "may change what is decided behind it" if change == "shape" else f"makes {change} {way} what it matches"
        self.report(rule.line, rule.text, f"is not a rule of ours in chain {block.name}: it {does}", change)

    def _shadowed(self, block: Chain, rule: Rule) -> None:
        self.report(rule.line, rule.text, f"can never be met in chain {block.name}, and is not a rule of ours")

    def _passes(self, block: Chain) -> None:
        self.report(block.line, f"chain {block.name}", "has no last rule that decides: what it does not match passes")


def _target(verdict: str) -> str:
    """Return the chain that a verdict leads to for good, or what it decides; empty for anything else."""
    return verdict.removeprefix("goto ") if verdict.startswith("goto ") else verdict if verdict in BY_HAND else ""
