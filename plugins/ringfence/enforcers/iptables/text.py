"""Parts of what a host loads: sets, and chains of the tables filter and mangle of one family, collected once each.

Names: chains and sets of ours begin with `rf_`, chains have 28 characters at most, sets 31. A set's name ends in the
generation it was loaded as: `_g0` here, another where the target loads beside a generation that is still in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ringfence.enforcers.iptables.networks import networks_of
from ringfence.model.errors import RingfenceError
from ringfence.model.intervals import IntervalSet

GENERATION = "_g0"
FAMILY_OF_SETS = {4: "inet", 6: "inet6"}
SECTION = "# section "
# Built-in chain, and the chain of ours that it leads to first, in each table.
ENTRIES = {
    "mangle": {"INPUT": "rf_in", "OUTPUT": "rf_out", "POSTROUTING": "rf_post"},
    "filter": {"INPUT": "rf_in", "OUTPUT": "rf_out"},
}
LEAST_ELEMENTS = 64
# NFT_JUMP_STACK_SIZE of linux/netfilter/nf_tables.h is 16, the chain of the hook among them; legacy has no such limit.
MOST_CHAINS = 15

Chains = dict[str, tuple[str, ...]]


@dataclass
class Parts:
    """What one family needs: sets by name, and chains by table and name, in the order in which they were first needed.

    A chain is the rules behind `-A <name> `.
    """

    family: int
    sets: dict[str, str] = field(default_factory=dict)
    filter: Chains = field(default_factory=dict)
    mangle: Chains = field(default_factory=dict)

    def chain(self, prefix: str, rules: Sequence[str]) -> str:
        """Add a chain of the table filter whose name says what is in it, and return the name."""
        name = content_name(prefix, *rules)
        self.filter[name] = tuple(rules)
        return name

    def set_of_networks(self, prefix: str, addresses: IntervalSet) -> str:
        """Add the set of some addresses of the family, its name made of its content, and return the name."""
        return self.set_of_elements(prefix, "hash:net", networks_of(addresses))

    def set_of_elements(self, prefix: str, kind: str, elements: Sequence[str], *options: str) -> str:
        """Add a set of elements, its name made of its content, and return the name."""
        name = f"{content_name(prefix, *elements)}{GENERATION}"
        self.sets[name] = set_text(self.family, name, kind, size_for(len(elements)), *options, elements=elements)
        return name

    def check_depth(self) -> None:
        """Raise RingfenceError where more chains stand behind each other than the kernel follows."""
        depths: dict[str, int] = {}

        def depth(chain: str) -> int:
            if chain not in depths:
                targets = [words[-1] for words in map(str.split, self.filter.get(chain, ())) if words[-2] == "-g"]
                depths[chain] = 1 + max(map(depth, targets), default=0)
            return depths[chain]

        if any(depth(chain) > MOST_CHAINS for chain in ("rf_in", "rf_out")):
            raise RingfenceError(
                f"more than {MOST_CHAINS} chains would stand behind each other, which iptables over nf_tables refuses",
                remedy="name fewer host names and fewer single ports in the rules of this host",
            )

    def stream(self) -> str:
        """Return what `iptables-restore --noflush` takes, a transaction for each table."""
        return "".join(
            _table_text(name, chains) for name, chains in (("mangle", self.mangle), ("filter", self.filter)) if chains
        )


def content_name(prefix: str, *content: str) -> str:
    """Return a name that says what is in it, so that equal content has one name in every ruleset and version."""
    return f"{prefix}_{hashlib.blake2b(chr(0).join(content).encode(), digest_size=6).hexdigest()}"


def size_for(count: int) -> int:
    """Return how many elements a set of so many must be able to take: ipset's own limit is 65,536."""
    return max(LEAST_ELEMENTS, 1 << max(count - 1, 0).bit_length())


def set_text(family: int, name: str, kind: str, most: int, *options: str, elements: Iterable[str] = ()) -> str:
    """Return a set as lines for `ipset restore`."""
    head = " ".join((f"create {name} {kind} family {FAMILY_OF_SETS[family]} hashsize 64 maxelem {most}", *options))
    return "".join((f"{head}\n", *(f"add {name} {element}\n" for element in elements)))


def _table_text(table: str, chains: Chains) -> str:
    heads = "".join(f":{name} - [0:0]\n" for name in chains)
    rules = "".join(f"-A {name} {rule}\n" for name, of_chain in chains.items() for rule in of_chain)
    entries = "".join(f"-I {hook} 1 -j {name}\n" for hook, name in ENTRIES[table].items() if name in chains)
    return f"*{table}\n{heads}{rules}{entries}COMMIT\n"
