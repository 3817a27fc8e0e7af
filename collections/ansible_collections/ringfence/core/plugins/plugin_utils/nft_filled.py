"""What hosts and the kernel put into a ruleset after it was loaded: processes, tuples, memories, counters.

None of this is part of the verdict table; each is told under its own name, so that a proof can leave it out knowingly.
"""

from __future__ import annotations

import re

from .nft_listing import Listing, SetBlock, seconds
from .nft_shapes import MEMORIES, MEMORY_SET, outcome_of

_COUNTED = re.compile(r"counter packets (\d+) bytes (\d+)")
_EXPIRES = re.compile(r"\bexpires (\S+)")
_TUPLES = re.compile(r"(standing|cut)[46]")
_PROCESSES = re.compile(r"(units|users)_(in|out)(?:_\w+)?")


def filled(listing: Listing) -> dict[str, list[dict[str, object]]]:
    """Return `processes`, `standing`, `cut`, `remembered` (denied and watched packets) and `counters`."""
    found: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("processes", "standing", "cut", "remembered", "counters")
    }
    for block in listing.sets.values():
        if _PROCESSES.fullmatch(block.name):
            found["processes"] += _processes(block)
        elif tuples := _TUPLES.fullmatch(block.name):
            found[tuples[1]] += _tuples(block)
        elif MEMORY_SET.fullmatch(block.name):
            found["remembered"] += _remembered(block)
    for chain in listing.chains.values():
        named = outcome_of(chain.name)
        for rule in chain.rules:
            if named and rule.text == "counter":
                (effect, name, _), direction = named
                found["counters"].append(
                    {
                        "effect": effect,
                        "rule": name,
                        "direction": direction or None,
                        "packets": rule.packets,
                        "bytes": rule.bytes,
                    }
                )
    return found


def _processes(block: SetBlock) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for element in block.elements:
        key, _, verdict = element.partition(" : ")
        found.append({"map": block.name, "key": key.strip('"'), "verdict": verdict})
    return found


def _tuples(block: SetBlock) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for element in block.elements:
        local, remote, local_port, remote_port = element.split(" . ")
        found.append({"local": local, "remote": remote, "local_port": int(local_port), "remote_port": int(remote_port)})
    return found


def _remembered(block: SetBlock) -> list[dict[str, object]]:
    name = MEMORY_SET.fullmatch(block.name)
    assert name is not None
    found: list[dict[str, object]] = []
    for element in block.elements:
        words = element.split()
        counted, expires = _COUNTED.search(element), _EXPIRES.search(element)
        found.append(
            {
                "effect": MEMORIES[name[1]],
                "rule": name[2],
                "direction": name[3],
                "peer": words[0],
                "protocol": _number(words[2]),
                "port": None if name[5] else int(words[4]),
                "packets": int(counted[1]) if counted else 0,
                "bytes": int(counted[2]) if counted else 0,
                "expires": seconds(expires[1]) if expires else None,
            }
        )
    return found


def _number(protocol: str) -> int:
    names = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
    return names[protocol] if protocol in names else int(protocol)
