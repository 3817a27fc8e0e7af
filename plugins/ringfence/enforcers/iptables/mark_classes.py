"""From an address to what decides next in a few steps: one set that knows every class, and a tree over mark bits.

A rule for each class costs a look-up for each class. Instead, one set gives every remote address the number of its
class, as bits of the packet's mark (`SET --map-set`, in the table mangle), and chains divide the classes by some bits
each. Only packets that the policy judges are marked, and what leaves the host is cleared of the bits again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.enforcers.iptables.built_in_rules import replies
from ringfence.enforcers.iptables.networks import networks_of
from ringfence.enforcers.iptables.text import Parts
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction

# Bits that one chain asks for: fewer make more chains stand behind each other than nf_tables follows.
BITS_ASKED = 4
# Where every remote address of a family leads.
Partition = Mapping[str, IntervalSet]


@dataclass(frozen=True, slots=True)
class Marks:
    """The bits of a packet's mark that Ringfence may use on a host."""

    mask: int

    @property
    def bits(self) -> tuple[int, ...]:
        """Return the single bits, the lowest first."""
        return tuple(1 << at for at in range(32) if self.mask >> at & 1)

    @property
    def classes(self) -> int:
        """Return how many classes the bits can tell apart."""
        return 1 << len(self.bits)

    def value(self, number: int) -> int:
        """Return the mark of a class."""
        return sum(bit for at, bit in enumerate(self.bits) if number >> at & 1)


@dataclass(frozen=True, slots=True)
class Classes:
    """Remote addresses of a family by class; class 0 is that of all addresses which the others leave.

    `led` is where each of some partitions leads every class.
    """

    addresses: tuple[IntervalSet, ...]
    led: tuple[tuple[str, ...], ...]


def classes_of(partitions: Sequence[Partition]) -> Classes:
    """Return the classes of remote addresses that some partitions of one family tell apart."""
    starts: list[tuple[int, int, int, str]] = []
    for index, partition in enumerate(partitions):
        starts += [(low, high, index, target) for target, addresses in partition.items() for low, high in addresses]
    starts.sort()
    last = max(high for _, high, _, _ in starts)
    now: dict[int, str] = {}
    found: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for at, (low, _, index, target) in enumerate(starts):
        now[index] = target
        after = starts[at + 1][0] if at + 1 < len(starts) else last + 1
        if after > low:
            found[tuple(now[one] for one in range(len(partitions)))].append((low, after - 1))
    # most networks need no element: they are class 0; the others are numbered so that equal targets are neighbours
    rest = max(found, key=lambda led: (len(found[led]), led))
    order = [rest, *sorted(led for led in found if led != rest)]
    return Classes(
        tuple(IntervalSet.of(found[led]) for led in order),
        tuple(tuple(led[index] for led in order) for index in range(len(partitions))),
    )


def mark_rules(parts: Parts, direction: Direction, remote: str, classes: Classes, marks: Marks) -> list[str]:
    """Return the rules of the table mangle that mark packets of a direction with their class, and add their set."""
    elements = [
        f"{network} skbmark {marks.value(number):#x}/{marks.mask:#x}"
        for number, addresses in enumerate(classes.addresses)
        if number
        for network in networks_of(addresses)
    ]
    name = parts.set_of_elements(f"rf_{direction}_c{parts.family}", "hash:net", elements, "skbinfo")
    interface = "-i" if direction is Direction.IN else "-o"
    return [
        f"{interface} lo -j RETURN",
        *replies(direction, parts.family),
        clearing(marks),
        f"-j SET --map-set {name} {remote} --map-mark",
    ]


def clearing(marks: Marks) -> str:
    """Return the rule that takes our bits from a packet's mark."""
    return f"-j MARK --set-xmark 0x0/{marks.mask:#x}"


def tree(marks: Marks, led: Sequence[str], make_chain: Callable[[Sequence[str]], str]) -> str:
    """Return the chain that leads marked packets of every class to the class's target."""
    bits = marks.bits

    def below(at: int, first: int) -> str:
        """Return where the classes from `first` on lead that have the same bits from `at` upward."""
        if len(set(led[first : first + (1 << at)])) == 1:
            return led[first]
        low = max(at - BITS_ASKED, 0)
        mask = sum(bits[low:at])
        targets = [below(low, start) for start in range(first, min(first + (1 << at), len(led)), 1 << low)]
        default = max(targets, key=lambda target: (targets.count(target), target))
        rules = [
            f"-m mark --mark {marks.value(number << low):#x}/{mask:#x} -g {target}"
            for number, target in enumerate(targets)
            if target != default
        ]
        return make_chain([*rules, f"-g {default}"]) if rules else default

    # filled from above, so that the chains which most packets pass are as full as they can be
    levels = -(-max(len(led) - 1, 1).bit_length() // BITS_ASKED)
    return below(levels * BITS_ASKED, 0)
