"""What hosts and the kernel put into chains and sets after they were loaded: processes, tuples, memories, counters.

None of this is part of the verdict table; each is told under its own name, so that a proof can leave it out knowingly.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from .listing import Chain, Rule, SetBlock
from .rules import PROTOCOLS
from .shapes import DYNAMIC_SET, MEMORIES, MEMORY_SET, STANDING_SET, outcome_of

Report = Callable[..., None]
NAMES = ("processes", "standing", "cut", "remembered", "full", "answers", "counters")
WITH_PORTS = (6, 17, 132)
_TUPLE = re.compile(r"([0-9a-f.:]+),([^,:]+):(\d+),([0-9a-f.:]+)")
_PEER = re.compile(r"([0-9a-f.:]+?),([^,:]+):(\S+)")
_ADDRESS = re.compile(r"[0-9a-f.:]+")
_CUT = ({"p", "s", "d", "sport", "dport"}, {"p", "ctorigsrc", "ctreplsrc"}, {"p", "ctorigsrc", "ctreplsrc", "icmp"},
        {"p", "ctorigsrc", "ctreplsrc", "icmp6"})  # fmt: skip


def of_sets(sets: dict[str, SetBlock], report: Report) -> dict[str, list[dict[str, object]]]:
    """Return what sets hold: `standing`, `remembered` (denied and watched packets), `full`, `answers`.

    `full` are the memories that can take no more: what else is denied or watched is not remembered. Of a standing
    tuple the port of the other end stands in another set, and is not told.
    """
    found: dict[str, list[dict[str, object]]] = {name: [] for name in NAMES}
    for block in sets.values():
        memory, dynamic = MEMORY_SET.fullmatch(block.name), DYNAMIC_SET.fullmatch(block.name)
        standing = STANDING_SET.fullmatch(block.name)
        if not (memory or dynamic or standing):
            continue
        if memory and len(block.elements) >= int(block.properties.get("maxelem", "0")):
            found["full"].append({**_memory(memory), "family": int(memory[4]), "entries": len(block.elements)})
        for line, key, options in block.elements:
            left = _timeout(options)
            one = None
            if memory:
                one = _remembered(memory, key, left)
            elif dynamic and _ADDRESS.fullmatch(key) and left:
                one = {"set": dynamic[2], "address": key, "expires": float(left)}
            elif standing:
                one = _standing(key)
            if one is None:
                report(line, f"{block.name}: {key}", "is not an element of ours")
            elif memory:
                found["remembered"].append(one)
            elif dynamic:
                found["answers"].append(one)
            elif standing and standing[1] == "l":
                found["standing"].append(one)
    return found


def counters(chains: dict[str, Chain]) -> list[dict[str, object]]:
    """Return what the chains of outcomes have counted, each at its last rule."""
    found: list[dict[str, object]] = []
    for chain in chains.values():
        named = outcome_of(chain.name)
        if named and chain.rules:
            (effect, name, _), direction = named
            last = chain.rules[-1]
            found.append(
                {
                    "effect": effect,
                    "rule": name,
                    "direction": direction or None,
                    "packets": last.packets,
                    "bytes": last.bytes,
                }
            )
    return found


def process_of(chain: str, rule: Rule) -> dict[str, object] | None:
    """Return the element of a process that a rule of a process's chain is, or None."""
    if len(rule.parsed.conditions) != 1 or not rule.parsed.verdict.startswith("goto "):
        return None
    kind, _, key = rule.parsed.conditions[0].partition(" ")
    if kind != ("path" if chain == "rf_units_out" else "uid"):
        return None
    return {"map": chain, "key": key.strip("/") if kind == "path" else key, "verdict": rule.parsed.verdict}


def cut_of(rule: Rule) -> dict[str, object] | None:
    """Return the connection that a rule of a chain `rf_cut_…` ends, or None."""
    asked = dict(condition.partition(" ")[::2] for condition in rule.parsed.conditions)
    if rule.parsed.verdict != "drop" or len(asked) != len(rule.parsed.conditions) or set(asked) not in _CUT:
        return None
    if "ctorigsrc" in asked:
        return {"client": asked["ctorigsrc"].split("/")[0], "server": asked["ctreplsrc"].split("/")[0]}
    return {key: asked[key] for key in ("p", "s", "d", "sport", "dport")}


def _timeout(options: tuple[str, ...]) -> int:
    for name, value in itertools.pairwise(options):
        if name == "timeout" and value.isdigit():
            return int(value)
    return 0


def _standing(key: str) -> dict[str, object] | None:
    met = _TUPLE.fullmatch(key)
    protocol = _number(met[2]) if met else None
    if not met or protocol is None:
        return None
    return {"protocol": protocol, "local": met[1], "remote": met[4], "local_port": int(met[3]), "remote_port": None}


def _memory(name: re.Match[str]) -> dict[str, object]:
    return {"effect": MEMORIES[name[1]], "rule": name[2], "direction": name[3]}


def _remembered(name: re.Match[str], key: str, left: int) -> dict[str, object] | None:
    met = _PEER.fullmatch(key)
    protocol = _number(met[2]) if met else None
    if not met or protocol is None:
        return None
    port = int(met[3]) if protocol in WITH_PORTS and met[3].isdigit() else None
    # a set that is refreshed by every packet cannot count them: one is known
    return {
        **_memory(name),
        "peer": met[1],
        "protocol": protocol,
        "port": port,
        "packets": 1,
        "bytes": 0,
        "expires": float(left) if left else None,
    }


def _number(protocol: str) -> int | None:
    if protocol in PROTOCOLS:
        return PROTOCOLS[protocol]
    return int(protocol) if protocol.isdigit() and int(protocol) < 256 else None
