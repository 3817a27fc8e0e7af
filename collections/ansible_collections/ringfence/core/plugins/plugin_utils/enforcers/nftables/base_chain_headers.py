"""The head of a base chain: where the kernel enters it, in which order, what becomes of packets at its end.

What follows from another head than ours is told for the direction that the chain decides.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .shapes import header

_HEAD = re.compile(r"type (\S+) hook (\S+) (?:device \S+ )?priority (-?\d+); policy (accept|drop);")
_WAY = {"in": "inbound", "out": "outbound"}
# Hooks that every packet of a direction passes; behind them what the host forwards passes too.
_PASSED = {"in": ("input", "prerouting"), "out": ("output", "postrouting")}
# NF_IP_PRI_CONNTRACK of linux/netfilter_ipv4.h: before it no packet belongs to a connection.
_CONNTRACK = -200


class Head(NamedTuple):
    """What a head makes of its chain.

    `met`: every packet of the direction meets the chain; `end`: the verdict for what no rule decides; `problem`: what
    follows where the head is not ours, else empty; `change`: `open`, `closed` or `shape`.
    """

    met: bool = True
    end: str = "accept"
    problem: str = ""
    change: str = "shape"


def read_head(text: str, direction: str) -> Head:
    """Return what the head of a direction's base chain means."""
    if text == header(direction):
        return Head()
    way = _WAY[direction]
    parts = _HEAD.fullmatch(text)
    if not parts:
        return Head(False, problem=f"{way} packets do not meet it: nothing is enforced {way}", change="open")
    kind, hook, priority, end = parts[1], parts[2], int(parts[3]), parts[4]
    if hook not in _PASSED[direction]:
        problem = f"{way} packets do not pass the hook {hook}: nothing is enforced {way}"
        return Head(False, problem=problem, change="open")
    told = []
    change = "shape"
    if priority <= _CONNTRACK:
        told.append(f"no packet belongs to a connection there: {way} replies are judged as if they began one")
        change = "closed"
    elif priority:
        told.append("it decides the same, before or after other tables than it should")
    if hook != _PASSED[direction][0]:
        told.append("what this host forwards meets it too")
        change = "closed"
    if kind != "filter":
        told.append(f"a chain of type {kind} may not meet every packet")
        change = "open"
    if end == "drop":
        told.append("a packet that no rule decides is dropped")
    return Head(True, end, "; ".join(told), change)
