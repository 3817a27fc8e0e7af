"""What a host forwards for others in its ruleset: two base chains, and maps from addresses to tables.

A packet is met by `forwarded_out` with its sender's table, then by `forwarded_in` with its receiver's: behind
destination NAT, in front of source NAT. Both must let it pass, and a side whose address has no table here lets all
pass. The chains are those of containers (`container_chains`); their maps are part of the text, for the inventory knows
the addresses. Above the tables stand the control paths of all of them, stateless, then what permissions began, replies
and the built-ins, as on hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ringfence.enforcers import Forwarded
from ringfence.enforcers.nftables.built_in_rules import built_in_rules, replies
from ringfence.enforcers.nftables.container_chains import ASKED_ANEW, BRIDGED, LOCAL, PERMITTED
from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    chain_text,
    content_name,
    elements_text,
    set_text,
)
from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction
from ringfence.model.tables import range_texts_of

# Direction of the judged side -> chain and priority: who sends first, all in front of other tables at priority 0.
BASES = {Direction.OUT: ("forwarded_out", -11), Direction.IN: ("forwarded_in", -10)}


class Forwarding:
    """The workloads that one ruleset judges on their way, in groups of one table each."""

    def __init__(self, forwarded: Sequence[Forwarded], *, bridged: bool = False) -> None:
        """Take the groups; with `bridged` the target has packets within a bridge pass here as well."""
        self.forwarded = forwarded
        self.bridged = bridged

    def base_chains(self, parts: Parts, start: Callable[[Forwarded, Direction], str]) -> str:
        """Return the base chains, and add the chains and maps they need.

        `start` gives the chain that a group's table begins with in one direction.
        """
        if self.bridged:
            parts.chains[BRIDGED] = chain_text(BRIDGED, ())
        control = list(self._control(parts))
        text = ""
        for direction, (name, priority) in BASES.items():
            starts = [(one, start(one, direction)) for one in self.forwarded]
            cut = [(one, chain) for one, chain in starts if one.cut]
            rules = (
                f"type filter hook forward priority {priority}; policy accept;",
                *control,
                PERMITTED,
                *self._lookups(parts, direction, f"forwarded_cut_{direction}", cut, f"{ASKED_ANEW} "),
                *replies(direction),
                *built_in_rules(direction),
                *self._lookups(parts, direction, f"forwarded_{direction}", starts),
            )
            text += chain_text(name, rules)
        return text

    def _lookups(
        self, parts: Parts, direction: Direction, prefix: str, starts: Sequence[tuple[Forwarded, str]], asks: str = ""
    ) -> Iterator[str]:
        """Yield the rule that leads addresses of a family to their tables, for each family that has any."""
        for family, protocol in PROTOCOL_OF_FAMILY.items():
            elements = []
            for one, chain in starts:
                texts = range_texts_of(one.addresses)
                if texts.count(family):
                    leads = f" : goto {chain}"
                    elements.append(texts.joined(f"{leads},\n\t\t\t", (family,)) + leads)
            if elements:
                name = f"{prefix}{family}"
                kind = f"type {TYPE_OF_FAMILY[family]} : verdict"
                held = elements_text(",\n\t\t\t".join(elements))
                parts.sets[name] = set_text("map", name, kind, "flags interval", held)
                yield f"{asks}{protocol} {LOCAL[direction]} vmap @{name}"

    def _control(self, parts: Parts) -> Iterator[str]:
        """Yield the rules that keep the control paths of the workloads open, on the way to them and back."""
        paths: dict[Control, list[IntervalSet]] = {}
        for one in self.forwarded:
            if one.table.control:
                paths.setdefault(one.table.control, []).append(one.addresses)
        for control, several in paths.items():
            managers, managed = range_texts_of(addresses_of(control.networks)), range_texts_of(union(several))
            for family, protocol in PROTOCOL_OF_FAMILY.items():
                if not managers.count(family) or not managed.count(family):
                    continue
                ends = []
                for prefix, texts in (("managers", managers), ("managed", managed)):
                    elements = texts.joined(", ", (family,))
                    ends.append(content_name(f"forwarded_{prefix}{family}", elements))
                    kind = f"type {TYPE_OF_FAMILY[family]}"
                    parts.sets[ends[-1]] = set_text("set", ends[-1], kind, "flags interval", elements_text(elements))
                there, back = (
                    f"{protocol} saddr @{one} {protocol} daddr @{other}" for one, other in (ends, ends[::-1])
                )
                yield f"{there} tcp dport {control.port} accept"
                yield f"{back} tcp sport {control.port} accept"
