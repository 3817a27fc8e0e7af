"""What hosts and the kernel put into a ruleset after it was loaded: processes, tuples, memories, counters.

None of this is part of the verdict table; each is told under its own name, so that a proof can leave it out knowingly.
"""

from __future__ import annotations

import re

from .graph import Report
from .listing import ChainBlock, Listing, SetBlock, seconds
from .shapes import DYNAMIC_SET, MEMORIES, MEMORY_SET, outcome_of

_COUNTED = re.compile(r"counter packets (\d+) bytes (\d+)")
_EXPIRES = re.compile(r"\bexpires (\S+)")
_TUPLES = re.compile(r"(standing|cut)[46]")
_PAIRS = re.compile(r"cut_(?:icmp|bare)[46]")
# nft names protocols by /etc/protocols where it is not told to print numbers.
_PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
_PROTOCOL = rf"\d+|{'|'.join(_PROTOCOLS)}"
_TUPLE = re.compile(rf"(\S+) \. (\S+) \. ({_PROTOCOL}) \. (\d+) \. (\d+)(?: timeout \S+)?(?: expires \S+)?")
_PAIR = re.compile(r"(\S+) \. (\S+) \. (\S+)")
_REMEMBERED = re.compile(rf"(\S+) \. ({_PROTOCOL})(?: \. (\d+))?(?= |$)")
_PROCESSES = re.compile(
    r"(units|users)_(in|out)(?:_\w+)?|(containers|containers_cut|peers)_(in|out)[46](?:_[0-9a-f]{12})?"
)
_ANSWER = re.compile(r"([0-9a-f.:]+)(?: timeout \S+)? expires (\S+)")


def filled(listing: Listing, report: Report) -> dict[str, list[dict[str, object]]]:
    """Return `processes`, `standing`, `cut`, `remembered` (denied and watched packets), `full`, `answers`, `counters`.

    `full` are the memories that can take no more: what else is denied or watched is not remembered.

    `report(line, text, problem)` is told of elements that are none.
    """
    found: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("processes", "standing", "cut", "remembered", "full", "answers", "counters")
    }
    for block in listing.sets.values():
        _add_set(block, found, report)
    for chain in listing.chains.values():
        found["counters"] += _counters(chain)
    return found


def _add_set(block: SetBlock, found: dict[str, list[dict[str, object]]], report: Report) -> None:
    tuples = _TUPLES.fullmatch(block.name)
    memory = MEMORY_SET.fullmatch(block.name)
    dynamic = DYNAMIC_SET.fullmatch(block.name)
    if memory and len(block.elements) >= _most(block.properties):
        found["full"].append({**_memory(memory), "family": int(memory[4]), "entries": len(block.elements)})
    for element in block.elements:
        if _PROCESSES.fullmatch(block.name):
            found["processes"].append(_process(block.name, element))
        elif tuples and (met := _TUPLE.fullmatch(element)):
            found[tuples[1]].append(_tuple(met))
        elif _PAIRS.fullmatch(block.name) and (met := _PAIR.fullmatch(element)):
            found["cut"].append({"client": met[1], "server": met[2]})
        elif memory and (met := _REMEMBERED.match(element)):
            found["remembered"].append(_remembered(memory, met, element))
        elif dynamic and (met := _ANSWER.fullmatch(element)):
            found["answers"].append({"set": dynamic[2], "address": met[1], "expires": seconds(met[2])})
        elif tuples or memory or dynamic or _PAIRS.fullmatch(block.name):
            report(block.line, f"{block.name}: {element}", "is not an element of ours")


def _counters(chain: ChainBlock) -> list[dict[str, object]]:
    named = outcome_of(chain.name)
    if not named:
        return []
    (effect, name, _), direction = named
    return [
        {
            "effect": effect,
            "rule": name,
            "direction": direction or None,
            "packets": rule.packets,
            "bytes": rule.bytes,
        }
        for rule in chain.rules
        if rule.text == "counter"
    ]


def _process(name: str, element: str) -> dict[str, object]:
    key, _, verdict = element.partition(" : ")
    # nft prints the path of a control group in quotation marks, of one that is gone its number alone, which no later
    # one gets; a living one may be called by digits too.
    gone = name.startswith("units_") and re.fullmatch(r"[0-9]+", key) is not None
    return {"map": name, "key": key.strip('"'), "verdict": verdict, **({"gone": True} if gone else {})}


def _tuple(met: re.Match[str]) -> dict[str, object]:
    return {
        "protocol": _number(met[3]),
        "local": met[1],
        "remote": met[2],
        "local_port": int(met[4]),
        "remote_port": int(met[5]),
    }


def _memory(name: re.Match[str]) -> dict[str, object]:
    return {"effect": MEMORIES[name[1]], "rule": name[2], "direction": name[3]}


def _most(properties: list[str]) -> float:
    """Return how many elements a set takes."""
    sizes = [int(text.removeprefix("size ")) for text in properties if re.fullmatch(r"size \d+", text)]
    return sizes[0] if sizes else float("inf")


def _remembered(name: re.Match[str], met: re.Match[str], element: str) -> dict[str, object]:
    counted, expires = _COUNTED.search(element), _EXPIRES.search(element)
    return {
        **_memory(name),
        "peer": met[1],
        "protocol": _number(met[2]),
        "port": int(met[3]) if met[3] else None,
        "packets": int(counted[1]) if counted else 0,
        "bytes": int(counted[2]) if counted else 0,
        "expires": seconds(expires[1]) if expires else None,
    }


def _number(protocol: str) -> int:
    return _PROTOCOLS[protocol] if protocol in _PROTOCOLS else int(protocol)
