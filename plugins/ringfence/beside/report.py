"""What a host tells of its other tables: the parts of its report, read as far as they are understood.

The report is a text of parts, each behind a line `part …` (the script's `beside.sh` writes it):

    part nft FAMILY NAME        what `nft -nn -s -j list table` prints
    part save VARIANT FAMILY    what `iptables-save` prints (`nft` or `legacy`, `4` or `6`)
    saved FAMILY NAME           a table of nft that `iptables-save` alone tells; `saved all` are all of them
    part ipset                  what `ipset save` prints
    unread WHAT                 what the host has and could not be told, or was too long
    end                         the last line: without it the report was cut short

A host may tell anything: what is no part of this shape is something of which nothing is known, never an error.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ringfence.beside.ipsets import read_sets
from ringfence.beside.iptables_listing import NotAListing, read_tables
from ringfence.beside.judging import Finding, Judge
from ringfence.beside.nft_listing import NotATable, read_table
from ringfence.beside.packets import FORWARD, PORTS, REPLIES, packet_of
from ringfence.beside.rules import Table
from ringfence.model.intervals import IntervalSet
from ringfence.model.safe_text import clean_line
from ringfence.model.services import BLOCK

# Characters of a report, which the script holds it to as well, and sentences of what could not be read.
MOST = 1_000_000
MOST_UNREAD = 50
# Ports and types at which rules turn that are looked at one by one.
MOST_EDGES = 2_000
_OUT = (("output", False), ("postrouting", False), ("prerouting", True), ("input", True))
_THROUGH = tuple((hook, reply) for reply in (False, True) for hook in ("prerouting", FORWARD, "postrouting"))
_IN = (("prerouting", False), ("input", False), ("output", True), ("postrouting", True))


@dataclass(slots=True)
class Others:
    """The other tables of a host, sentences of those that could not be read, and when it told them (ISO text).

    `size` is the length of the report in characters, which what a judgement costs grows with.
    """

    tables: list[Table] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    edges: set[int] = field(default_factory=set)
    seen: str = ""
    size: int = 0
    _judge: Judge | None = None

    @property
    def judge(self) -> Judge:
        """Return the judge of these tables."""
        if self._judge is None:
            self._judge = Judge(self.tables)
        return self._judge

    def may_cut(self) -> dict[str, list[str]]:
        """Return who may cut what this host sends or takes, each with the places of their chains."""
        return self.judge.may_cut()

    def finding(
        self, client: int, server: int, service: int, *, inbound: bool = False, own: bool = False, through: bool = False
    ) -> Finding | None:
        """Return what other tables of one end do with a connection (None: it passes), its first packet first.

        With `through` those of a host that forwards it and is no end. `client` and `server` are points of addresses,
        `service` one of the service line.
        """
        ways = [*_OUT, *_IN] if own else list(_THROUGH if through else _IN if inbound else _OUT)
        protocol, kind = divmod(service, BLOCK)
        answered = protocol not in REPLIES or kind in REPLIES[protocol]
        packets = [
            packet_of(hook, client, server, service, first=first, reply=reply, own=own, through=through)
            for first in (True, False)
            for hook, reply in ways
            if not (first and reply) and (first or answered)
        ]
        found = self.judge.found(packets)
        if self.unread:
            # it may send packets elsewhere before what was read is asked
            rest = f"; what could be read has it {found}" if found is not None and found.cut else ""
            return Finding(False, "", "", f"{self.unread[0]}{rest}")
        return found

    def sent_elsewhere(self, client: int, server: int, service: int) -> Finding | None:
        """Return the translation by which a connection to this host may go on to another, None for none."""
        return self.judge.sends_elsewhere(packet_of("prerouting", client, server, service))

    def stretches(self, services: IntervalSet) -> Iterator[tuple[int, int]]:
        """Yield stretches of the service line within which no rule of these tables turns."""
        edges = sorted(self.edges)[:MOST_EDGES]
        for low, high in services.intervals:
            cuts = [low]
            for protocol in range(low // BLOCK, high // BLOCK + 1):
                base = protocol * BLOCK
                cuts.append(base)
                if protocol in PORTS or protocol in REPLIES:
                    cuts += [base + edge for edge in edges if 0 <= edge < BLOCK]
            starts = sorted({one for one in cuts if low <= one <= high})
            yield from zip(starts, [*(one - 1 for one in starts[1:]), high], strict=True)


def unpacked(text: str) -> str:
    """Return a report from the form that results carry it in. Raise ValueError where it is none."""
    try:
        engine = zlib.decompressobj()
        data = engine.decompress(base64.b64decode(text, validate=True), MOST)
    except (binascii.Error, zlib.error) as error:
        raise ValueError("no report") from error
    return data.decode("utf-8", "replace")


@dataclass(slots=True)
class _Parts:
    """The parts of a report, taken apart."""

    unread: list[str] = field(default_factory=list)
    nft: list[tuple[str, str, str]] = field(default_factory=list)
    save: list[tuple[str, int, str]] = field(default_factory=list)
    saved: set[tuple[str, ...]] = field(default_factory=set)
    ipset: str = ""


def read_report(text: str) -> Others:
    """Return what a report says."""
    parts = _taken_apart(text[:MOST].split("\n"))
    found = Others(unread=parts.unread, size=len(text))
    told = _told_by_iptables(found, parts)
    for family, name, body in parts.nft:
        called = f"nftables table {clean_line(family)} {clean_line(name)}"
        try:
            table, foreign = read_table(body, found.edges)
        except NotATable:
            found.unread.append(f"{called}, which is not understood")
            continue
        whole = not any(map(any, foreign.values()))
        if whole or ((family, name) in told and _joined(table, foreign, told[family, name])):
            found.tables.append(table)
        else:
            found.unread.append(f"{called}, which has rules of iptables that it does not tell")
    for key, table in told.items():
        if {key, ("all",)} & parts.saved:
            found.tables.append(table)
    for key in sorted(parts.saved - told.keys() - {("all",)}):
        found.unread.append(f"nftables table {clean_line(' '.join(key))}, which iptables does not tell")
    del found.unread[MOST_UNREAD:]
    if len(found.edges) > MOST_EDGES:
        found.unread.append(f"more than {MOST_EDGES} ports that rules name")
    return found


def _taken_apart(lines: Sequence[str]) -> _Parts:
    parts = _Parts()
    head: list[str] = []
    body: list[str] = []
    ended = False
    for line in [*lines, "part"]:
        words = line.split(" ")
        if words[0] not in ("part", "unread", "saved") and line != "end":
            body.append(line)
            continue
        _take(parts, head, "\n".join(body))
        head, body = [], []
        ended = line == "end" or (ended and line == "part")
        if words[0] == "part":
            head = words[1:]
        elif words[0] == "unread":
            parts.unread.append(clean_line(" ".join(words[1:]))[:200])
        elif words[0] == "saved":
            parts.saved.add(tuple(words[1:3]))
    if not ended:
        parts.unread.append("the host's report, which was cut short")
    return parts


def _take(parts: _Parts, head: list[str], body: str) -> None:
    if head[:1] == ["nft"] and len(head) == 3:
        parts.nft.append((head[1], head[2], body))
    elif head[:1] == ["save"] and head[1:] in (["nft", "4"], ["nft", "6"], ["legacy", "4"], ["legacy", "6"]):
        parts.save.append((head[1], int(head[2]), body))
    elif head == ["ipset"]:
        parts.ipset = body
    elif head or body not in ("", "\n"):
        parts.unread.append("a part of the host's report that is not understood")


def _told_by_iptables(found: Others, parts: _Parts) -> dict[tuple[str, ...], Table]:
    """Take the tables of the legacy variant, and return those of the other one by family and name."""
    sets = read_sets(parts.ipset)
    told: dict[tuple[str, ...], Table] = {}
    for variant, family, body in parts.save:
        try:
            tables = read_tables(body, variant, family, sets, found.edges)
        except NotAListing as error:
            found.unread.append(f"ip{'6' if family == 6 else ''}tables ({variant}): {error}")
            continue
        if variant == "legacy":
            found.tables += tables
        else:
            told |= {("ip6" if family == 6 else "ip", table.name): table for table in tables}
    return told


def _joined(table: Table, foreign: dict[str, list[bool]], told: Table) -> bool:
    """Put what iptables tells of a table in place of the rules that nft cannot tell; return whether the two agree."""
    if {name: len(rules) for name, rules in foreign.items() if rules} != {
        name: count for name, count in told.counts.items() if count
    }:
        return False
    for name, rules in foreign.items():
        theirs = told.chains[name].rules if name in told.chains else []
        chain = table.chains[name]
        numbered = [rule for rule in chain.rules if not rules[rule.number - 1]]
        numbered += [rule for rule in theirs if rules[rule.number - 1]]
        chain.rules = sorted(numbered, key=lambda rule: rule.number)
    table.called = told.called
    return True
