"""What the rules of other firewalls do with one packet: it passes, it is cut, or nobody can tell.

Every chain of a hook is asked, one behind the other, and each has to let the packet pass: an `accept` ends its own
chain alone. Chains that jump in circles, or deeper than a kernel lets them, answer "not known".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ringfence.beside.owners import chain_owner, policy_owner, table_owner
from ringfence.beside.packets import Packet
from ringfence.beside.rules import Chain, Kind, Rule, Table, Verdict, all_of
from ringfence.model.safe_text import clean_line

# Linux, NFT_JUMP_STACK_SIZE.
DEEPEST = 16
LONGEST = 160
_SET = re.compile(r"--match-set (\S+)")
HAND_WRITTEN = "a hand-written rule"


@dataclass(frozen=True, slots=True)
class Finding:
    """What other rules do: `cut`, or not known; whose they are, where they stand, and why nobody can tell.

    `replies`: what is cut is only what goes back, or comes after the first packet.
    """

    cut: bool
    owner: str
    place: str
    because: str = ""
    replies: bool = False

    def __str__(self) -> str:
        if self.cut:
            return f"{'replies ' if self.replies else ''}cut by {self.owner} ({self.place})"
        return f"not known because of {self.because}" + (f" ({self.owner}, {self.place})" if self.place else "")

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        verdict = "cut" if self.cut else "not known"
        return {"verdict": verdict, "by": self.owner, "place": self.place, "because": self.because}


@dataclass(slots=True)
class _Ends:
    """What may become of a packet in a chain: ends, each with where it was first met; and that it may come back.

    `doubt` is the first test that could not be answered and mattered.
    """

    found: dict[Kind, tuple[str, int, str]] = field(default_factory=dict)
    back: bool = False
    doubt: tuple[str, int, str] | None = None

    def take(self, other: _Ends) -> None:
        """Take the ends of a chain that was entered."""
        for kind, where in other.found.items():
            self.found.setdefault(kind, where)
        self.doubt = self.doubt or other.doubt


class Judge:
    """Judges packets by tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        based = [(table, chain) for table in tables for chain in table.chains.values() if chain.hook]
        self.based = sorted(based, key=lambda one: one[1].priority)

    def found(self, packets: Iterable[Packet]) -> Finding | None:
        """Return the first cut of packets of one connection, in the order of their way, else the first doubt."""
        doubt: Finding | None = None
        for packet in packets:
            for table, chain in self.based:
                if not _concerns(table, chain, packet):
                    continue
                one, other_packet = _base(table, chain, packet)
                if one is not None and one.cut:
                    return replace(one, replies=not packet.first)
                doubt = doubt or one
                if other_packet:
                    return doubt
        return doubt

    def sends_elsewhere(self, packet: Packet) -> Finding | None:
        """Return the translation by which a packet to this host may go on to another, before any table of its own."""
        for table, chain in self.based:
            if chain.nat and _concerns(table, chain, packet):
                found, other_packet = _base(table, chain, packet)
                if other_packet:
                    return found
        return None

    def may_cut(self) -> dict[str, list[str]]:
        """Return the owners whose chains may cut something of this host's own, each with the chains' places."""
        found: dict[str, list[str]] = {}
        for table, chain in self.based:
            if chain.hook in ("forward",):
                continue
            for owner in _cutters(table, chain):
                places = found.setdefault(owner, [])
                if (place := f"{table.called} {clean_line(chain.name)[:LONGEST]}") not in places:
                    places.append(place)
        return found


def _concerns(table: Table, chain: Chain, packet: Packet) -> bool:
    if packet.family not in table.families or (chain.nat and not packet.first):
        return False
    inward, outward = ("ingress", "prerouting"), ("egress", "postrouting")
    if chain.device:
        # a bridge or a device has hooks of its own names, on the way in and on the way out
        sides = (*inward, "input") if packet.inward else (*outward, "output")
        return packet.hook in ("prerouting", "postrouting") and chain.hook in sides
    return chain.hook == packet.hook or (chain.hook == "ingress" and packet.hook == "prerouting")


def _base(table: Table, chain: Chain, packet: Packet) -> tuple[Finding | None, bool]:
    """Return what a chain of a hook does, and whether the packet may go on as another one."""
    ends = _Walk(table, packet).chain(chain, 0)
    if ends.back:
        ends.found.setdefault(Kind.DROP if chain.drops else Kind.ACCEPT, (chain.name, 0, ""))
    other = Kind.UNKNOWN in ends.found
    if chain.device and ends.found.keys() - {Kind.ACCEPT}:
        name, number, _ = ends.found.get(Kind.DROP) or next(iter(ends.found.values()))
        return _finding(table, name, number, because="a chain that sees only packets of some interfaces"), other
    if ends.found.keys() == {Kind.DROP}:
        name, number, _ = ends.found[Kind.DROP]
        return _finding(table, name, number, policy=chain), other
    if ends.found.keys() == {Kind.ACCEPT}:
        return None, other
    where = ends.found.get(Kind.UNKNOWN) or ends.found.get(Kind.MAYBE) or ends.doubt
    name, number, because = where or (chain.name, 0, "what is not understood")
    return _finding(table, name, number, because=because), other


def _finding(table: Table, name: str, number: int, because: str = "", policy: Chain | None = None) -> Finding:
    owner = _owner(table, table.chains.get(name) or Chain(name), number)
    rule = f"rule {number}" if number else "policy"
    place = f"{table.called}, chain {clean_line(name)[:LONGEST]}, {rule}"
    return Finding(not because, owner, place, clean_line(because)[:LONGEST])


def _owner(table: Table, chain: Chain, number: int) -> str:
    owner = table_owner(table.name) or chain_owner(chain.name)
    if owner:
        return owner
    if not number:
        entered = {chain_owner(verdict.target) for rule in chain.rules for verdict in _verdicts(rule)}
        return policy_owner(entered) or "a hand-written policy"
    texts = (match.text for rule in chain.rules if rule.number == number for match in rule.matches)
    sets = (found.group(1) for text in texts for found in _SET.finditer(text))
    return next(filter(None, map(chain_owner, sets)), HAND_WRITTEN)


def _verdicts(rule: Rule) -> list[Verdict]:
    return [verdict for _, verdict in rule.choices] + ([rule.verdict] if rule.verdict else [])


def _cutters(table: Table, chain: Chain) -> set[str]:
    """Return the owners of what may drop or change in a chain of a hook and in all that it leads to."""
    found = {_owner(table, chain, 0)} if chain.drops else set()
    seen, waiting = {chain.name}, [chain]
    while waiting:
        one = waiting.pop()
        for rule in one.rules:
            for verdict in _verdicts(rule):
                if verdict.kind in (Kind.DROP, Kind.UNKNOWN, Kind.MAYBE):
                    found.add(_owner(table, one, rule.number))
                elif verdict.kind in (Kind.JUMP, Kind.GOTO) and verdict.target not in seen:
                    seen.add(verdict.target)
                    waiting += [table.chains[verdict.target]] if verdict.target in table.chains else []
    return found


class _Walk:
    """One packet on its way through the chains of a table; a chain that was asked is not asked again."""

    def __init__(self, table: Table, packet: Packet) -> None:
        self.table = table
        self.packet = packet
        self.known: dict[str, _Ends] = {}
        self.inside: set[str] = set()

    def chain(self, chain: Chain, depth: int) -> _Ends:
        """Return what may become of the packet in a chain."""
        if chain.name in self.known:
            return self.known[chain.name]
        ends = _Ends()
        if chain.name in self.inside or depth > DEEPEST:
            ends.found[Kind.UNKNOWN] = (chain.name, 0, "chains that lead in circles or too deep")
            return ends
        self.inside.add(chain.name)
        for rule in chain.rules:
            if not self._rule(chain, rule, ends, depth):
                break
        else:
            ends.back = True
        self.inside.discard(chain.name)
        self.known[chain.name] = ends
        return ends

    def _rule(self, chain: Chain, rule: Rule, ends: _Ends, depth: int) -> bool:
        """Take what a rule may do into the ends of its chain; return whether the packet may go on to the next rule."""
        truths = [(match.test(self.packet), match.text) for match in rule.matches]
        truth = all_of(one for one, _ in truths)
        if truth is False:
            return True
        doubt = next((text for one, text in truths if one is None), "")
        if rule.verdict is not None:
            through, ended = self._follow(chain, rule, rule.verdict, ends, depth)
            if ended and truth is None:
                ends.doubt = ends.doubt or (chain.name, rule.number, doubt)
            return through or truth is None
        for match, verdict in rule.choices:
            meets = match.test(self.packet)
            if meets is False:
                continue
            through, ended = self._follow(chain, rule, verdict, ends, depth)
            if ended and (truth is None or meets is None):
                ends.doubt = ends.doubt or (chain.name, rule.number, doubt or match.text)
            if meets is True:
                return through or truth is None
        return True

    def _follow(self, chain: Chain, rule: Rule, verdict: Verdict, ends: _Ends, depth: int) -> tuple[bool, bool]:
        """Return whether a packet that meets the rule may go on behind it, and whether it may end there."""
        where = (chain.name, rule.number, verdict.target)
        if verdict.kind in (Kind.ACCEPT, Kind.DROP):
            ends.found.setdefault(verdict.kind, where)
            return False, True
        if verdict.kind in (Kind.UNKNOWN, Kind.MAYBE):
            ends.found.setdefault(verdict.kind, where)
            return True, True
        if verdict.kind is Kind.RETURN:
            ends.back = True
            return False, True
        target = self.table.chains.get(verdict.target)
        if target is None:
            ends.found.setdefault(Kind.UNKNOWN, (chain.name, rule.number, f"chain {verdict.target}, which is not told"))
            return True, True
        inner = self.chain(target, depth + 1)
        ends.take(inner)
        if verdict.kind is Kind.GOTO:
            ends.back = ends.back or inner.back
            return False, True
        return inner.back, bool(inner.found)
