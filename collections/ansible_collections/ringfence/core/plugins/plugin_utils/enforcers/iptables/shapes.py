"""The shapes of what we load for iptables, in the words that `rules` says them in; written without the renderer."""

from __future__ import annotations

import re
from functools import lru_cache

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import Outcome

HOOKS = {"in": "INPUT", "out": "OUTPUT"}
# Direction -> the remote and the local address as sets are asked for them, the option of the local port, the interface.
SIDES = {"in": ("src", "dst", "dport", "i"), "out": ("dst", "src", "sport", "o")}
MEMORIES = {"denied": "deny", "watched": "watch"}
VERDICTS = {"allow": "return", "watch": "return", "deny": "drop"}
ANSWER_STANDS = 3600

OURS = re.compile(r"rf_\w+")
IDENTITY_CHAIN = re.compile(r"rf_plan_([0-9a-f]{16})")
OUTCOME_CHAIN = re.compile(r"rf_(allow|deny|watch)_([0-9A-Za-z]+?)(?:_(in|out))?(_log)?")
PROCESS_CHAIN = re.compile(r"rf_out(?=_[ux]\d)(?:_u(\d+))?(?:_x(\d+))?")
POLICY_CHAIN = re.compile(r"rf_(in|out)_[dlmprs]_[0-9a-f]{12}")
FIXED_CHAINS = ("rf_in", "rf_out", "rf_cut_in", "rf_cut_out", "rf_units_out", "rf_users_out")
MARK_CHAINS = {"INPUT": "rf_in", "OUTPUT": "rf_out", "POSTROUTING": "rf_post"}

GENERATION = re.compile(r"(rf_\w+)_g([0-9]{1,4})")
MEMORY_SET = re.compile(r"rf_(denied|watched)_([0-9A-Za-z]+)_(in|out)([46])")
DYNAMIC_SET = re.compile(r"rf_dyn([46])_([0-9a-f]{12})")
CLASSES_SET = re.compile(r"rf_(in|out)_c([46])_[0-9a-f]{12}")
STANDING_SET = re.compile(r"rf_standing_([lr])([46])")
NETWORKS_SET = re.compile(r"(?:rf_control|rf_(?:in|out)_[lr](?=[46]_))([46])(?:_[0-9a-f]{12})?")
_INET = {4: "inet", 6: "inet6"}

_BUILT_IN: dict[int, list[tuple[str, ...]]] = {
    4: [("d 224.0.0.0/4", "p 2", "ttl 1")],
    6: [
        *(("hl 255", f"icmp6 {kind}", "p 58") for kind in (133, 135, 136)),
        *(("hl 255", f"icmp6 {kind}", "p 58", "s fe80::/10") for kind in (134, 137)),
        *(("d ff00::/8", "hl 1", f"icmp6 {kind}", "p 58", "s fe80::/10") for kind in (130, 131, 132, 143)),
        *(("d ff00::/8", "hl 1", f"icmp6 {kind}", "p 58", "s ::/128") for kind in (131, 132, 143)),
    ],
}
_DHCP = {
    ("in", 4): ("dport 68", "p 17", "sport 67"),
    ("in", 6): ("d fe80::/10", "dport 546", "p 17", "s fe80::/10", "sport 547"),
    ("out", 4): ("d 255.255.255.255/32", "dport 67", "p 17", "sport 68"),
    ("out", 6): ("d ff02::1:2/128", "dport 547", "p 17", "s fe80::/10", "sport 546"),
}
_STATE = "state ESTABLISHED,RELATED"

# The first rule of both chains while there are permissions (targets/script/emergency.sh): their connections pass.
PASSES = "-m connlabel --label 97 -j RETURN"

# Conditions and a verdict.
Shape = tuple["tuple[str, ...]", str]


def control_rule(direction: str, family: int, port: int) -> Shape:
    """Return the rule of the control path."""
    remote, _, local_port, _ = SIDES[direction]
    return tuple(sorted((f"{local_port} {port}", "p 6", f"set rf_control{family} {remote}"))), "return"


def fixed_rules(direction: str, family: int) -> list[Shape]:
    """Return the rules between the control path and the policy, in order."""
    remote, local, _, interface = SIDES[direction]
    standing = (
        f"set rf_standing_l{family} {local},{local},{remote}",
        f"set rf_standing_r{family} {local},{remote},{remote}",
    )
    return [
        ((f"{interface} lo",), "return"),
        ((), f"jump rf_cut_{direction}"),
        *_replies(direction, family),
        (("!flags ACK,SYN SYN", "p 6", *standing), "return"),
        (("!p 6", *standing), "return"),
        *((conditions, "return") for conditions in _BUILT_IN[family]),
        (_DHCP[direction, family], "return"),
    ]


def _replies(direction: str, family: int) -> list[Shape]:
    """Return the rules for replies: none of IGMP, none of a DHCP client's that was not asked, none about those."""
    if direction == "in":
        return [(("!ctproto 2", _STATE), "return")]
    client, server, messages = {4: (68, 67, 1), 6: (546, 547, 58)}[family]
    return [
        (("!ctproto 17", "!ctproto 2", _STATE), "return"),
        (("!ctproto 2", "ctdir ORIGINAL", _STATE), "return"),
        ((f"!sport {client}", "p 17", _STATE), "return"),
        ((f"!dport {server}", "p 17", _STATE), "return"),
        ((f"!ctorigsrcport {server}", "!ctproto 2", f"p {messages}", _STATE), "return"),
    ]


def marking_rules(direction: str, family: int, classes: str, mask: int) -> list[Shape]:
    """Return the rules of mangle that mark packets with the class of their remote address."""
    return [
        ((f"{SIDES[direction][3]} lo",), "return"),
        *_replies(direction, family),
        ((), f"mark 0x0/{mask:#x}"),
        ((), f"map {classes} {SIDES[direction][0]}"),
    ]


@lru_cache(maxsize=4096)
def outcome_of(chain: str) -> tuple[Outcome, str] | None:
    """Return the outcome that a chain's name stands for, and its direction (empty for both), or None."""
    match = OUTCOME_CHAIN.fullmatch(chain)
    if not match or (match[1] == "allow" and not match[4]) == bool(match[3]):
        return None
    return Outcome(match[1], match[2], bool(match[4])), match[3] or ""


def outcome_rules(outcome: Outcome, direction: str, family: int) -> list[Shape]:
    """Return the rules of an outcome's chain."""
    rules: list[Shape] = []
    memory = next((prefix for prefix, effect in MEMORIES.items() if effect == outcome.effect), None)
    if memory:
        rules.append(((), f"add rf_{memory}_{outcome.rule}_{direction}{family} {SIDES[direction][0]},dst"))
    if outcome.log:
        rules.append(((), f"log ringfence {outcome.effect} {outcome.rule} {direction} "))
    return [*rules, ((), VERDICTS[outcome.effect])]


def set_shape(name: str, elements: int) -> tuple[str, dict[str, str]] | None:
    """Return the kind and the properties of a set of this name with so many elements, None where we make no such set.

    Sizes of its table are the kernel's own business and no property.
    """
    fitting = str(max(64, 1 << max(elements - 1, 0).bit_length()))
    if match := MEMORY_SET.fullmatch(name):
        return "hash:ip,port", {"family": _INET[int(match[4])], "maxelem": "4096", "timeout": "3600"}
    if match := DYNAMIC_SET.fullmatch(name):
        return "hash:ip", {"family": _INET[int(match[1])], "maxelem": "256", "timeout": str(ANSWER_STANDS)}
    if match := STANDING_SET.fullmatch(name):
        return "hash:ip,port,ip", {"family": _INET[int(match[2])], "maxelem": "65536", "timeout": "0"}
    if match := CLASSES_SET.fullmatch(name):
        return "hash:net", {"family": _INET[int(match[2])], "maxelem": fitting, "skbinfo": "yes"}
    if match := NETWORKS_SET.fullmatch(name):
        return "hash:net", {"family": _INET[int(match[1])], "maxelem": fitting}
    return None
