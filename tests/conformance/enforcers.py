"""The enforcers that are tried: how each makes a host enforce a table, and how what the host enforces is read back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.iptables import reader as iptables_reader
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables import reader as nftables_reader
from ringfence.enforcers import iptables, nftables
from ringfence.enforcers.iptables.dynamic_sets import answer_elements
from ringfence.enforcers.iptables.processes import process_elements
from ringfence.enforcers.iptables.text import GENERATION, SECTION
from ringfence.model.addresses import address_text, family_of
from ringfence.model.services import ICMP, ICMPV6
from ringfence.model.tables import VerdictTable

from .case import Case
from .probes import Probe

UNIT_LEVEL = 2  # the depth of system.slice/<unit>
UID_OF: Mapping[str, int] = {"daemon": 1, "games": 5}
READ_BY_IPSET = (ICMP, ICMPV6, 136)
# A command and its standard input.
Step = tuple[list[str], str]


class Under(ABC):
    """One enforcer. `listeners` says whether it tells apart who listens, `bare` whether it judges a packet without its
    transport header as the reference does, `share` which part of a run's probes it gets."""

    name: str
    listeners: bool
    bare: bool
    share: float

    @abstractmethod
    def loading(self, table: VerdictTable, case: Case) -> list[Step]:
        """Return what makes a host enforce a table, its units, users and answers to names filled in."""

    @abstractmethod
    def clearing(self) -> list[Step]:
        """Return what makes a host enforce nothing."""

    @abstractmethod
    def listing(self) -> list[tuple[str, list[str]]]:
        """Return the commands whose outputs, each behind a heading, are the listing."""

    def remembers(self, probe: Probe) -> bool:
        """Return whether a probe that is denied can be found in what the host remembers."""
        # without its header a packet is counted by its rule's chain alone: it has no port to be remembered with
        return probe.shape != "bare"

    @abstractmethod
    def read(self, listing: str) -> dict[str, object]:
        """Return the table that a listing shows."""


class Nftables(Under):
    """nftables."""

    name, listeners, bare, share = "nftables", True, True, 0.6

    def loading(self, table: VerdictTable, case: Case) -> list[Step]:
        commands = []
        for dynamic in nftables.answer_elements(table):
            for (name, timeout), family in zip(dynamic["elements"], (4, 6), strict=True):  # type: ignore[call-overload]
                found = sorted(one for one in case.answers[str(dynamic["fqdn"])] if family_of(one) == family)
                elements = ", ".join(f"{address_text(one)} {timeout}" for one in found)
                if found:
                    commands.append(f"add element inet ringfence {name} {{ {elements} }}")
        for process in nftables.process_elements(table):
            unit, user = process.get("unit"), process.get("user")
            for name, goto in process["elements"]:  # type: ignore[attr-defined] # a list of pairs, docs/architecture.md
                if unit:
                    key, map_name = f'"system.slice/{unit}"', f"{name}_{UNIT_LEVEL}"
                else:
                    key, map_name = str(UID_OF[str(user)]), name
                commands.append(f"add element inet ringfence {map_name} {{ {key} : {goto} }}")
        return [(["nft", "-f", "-"], text) for text in (nftables.render(table), *(f"{one}\n" for one in commands))]

    def clearing(self) -> list[Step]:
        return [(["nft", "-f", "-"], "table inet ringfence {}\ndelete table inet ringfence\n")]

    def listing(self) -> list[tuple[str, list[str]]]:
        return [("", ["nft", "-nn", "-y", "list", "table", "inet", "ringfence"])]

    def read(self, listing: str) -> dict[str, object]:
        return nftables_reader.read_ruleset(listing)


@dataclass
class Iptables(Under):
    """iptables with ipset, by one of its variants."""

    variant: str
    listeners = bare = False
    share = 0.2

    def __post_init__(self) -> None:
        self.name = f"iptables-{self.variant}"

    def loading(self, table: VerdictTable, case: Case) -> list[Step]:
        text = iptables.render(table, iptables.Marks(iptables.DEFAULT_MASK))
        steps = self.clearing()
        for section in text.split(SECTION)[1:]:
            name, _, content = section.partition("\n")
            steps.append((["ipset", "restore"] if name == "ipset" else self._restore(name), content))
        answers = ""
        for dynamic in answer_elements(table):
            for (name, _), family in zip(dynamic["elements"], (4, 6), strict=True):  # type: ignore[call-overload]
                found = sorted(one for one in case.answers[str(dynamic["fqdn"])] if family_of(one) == family)
                answers += "".join(f"add {name}{GENERATION} {address_text(one)}\n" for one in found)
        rules = ""
        for process in process_elements(table):
            unit, user = process.get("unit"), process.get("user")
            asks = f"-m cgroup --path system.slice/{unit}" if unit else f"-m owner --uid-owner {UID_OF.get(str(user))}"
            for chain, target in process["elements"]:  # type: ignore[attr-defined] # a list of pairs
                rules += f"-I {chain} 1 {asks} -g {target.removeprefix('goto ')}\n"
        if answers:
            steps.append((["ipset", "restore"], answers))
        if rules:
            steps += [(self._restore(name), f"*filter\n{rules}COMMIT\n") for name in ("ipv4", "ipv6")]
        return steps

    def _restore(self, family: str) -> list[str]:
        return [f"{'ip6tables' if family == 'ipv6' else 'iptables'}-{self.variant}-restore", "--noflush"]

    def clearing(self) -> list[Step]:
        nothing = "*mangle\nCOMMIT\n*filter\nCOMMIT\n"
        steps = [([f"{command}-{self.variant}-restore"], nothing) for command in ("iptables", "ip6tables")]
        return [*steps, (["ipset", "destroy"], "")]

    def listing(self) -> list[tuple[str, list[str]]]:
        return [
            (f"{SECTION}ipset\n", ["ipset", "save"]),
            (f"{SECTION}ipv4 {self.variant}\n", [f"iptables-{self.variant}-save", "-c"]),
            (f"{SECTION}ipv6 {self.variant}\n", [f"ip6tables-{self.variant}-save", "-c"]),
        ]

    def remembers(self, probe: Probe) -> bool:
        # ipset reads these headers whatever the family is, and takes nothing where there is none
        return super().remembers(probe) and not (probe.shape == "empty" and probe.packet.protocol in READ_BY_IPSET)

    def read(self, listing: str) -> dict[str, object]:
        return iptables_reader.read_ruleset(listing)


NFTABLES = Nftables()
EVERY: tuple[Under, ...] = (NFTABLES, Iptables("legacy"), Iptables("nft"))
