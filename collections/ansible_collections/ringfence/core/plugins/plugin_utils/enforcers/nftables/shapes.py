"""The shapes of our rulesets as a kernel lists them: which sets, fixed rules and outcome chains there may be.

This is the reading side of `ringfence.enforcers.nftables`; docs/architecture.md, "A ruleset", is what both follow.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import Outcome

DIRECTIONS = ("in", "out")
HOOKS = {"in": "input", "out": "output"}
IP = {4: "ip", 6: "ip6"}
ADDRESS_TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}
DEEPEST_LEVEL = 6
VERDICTS = {"allow": "accept", "watch": "accept", "deny": "drop"}
MEMORIES = {"denied": "deny", "watched": "watch"}
# Direction -> fields of the remote and the local address, remote and local port, and the interface.
FIELDS = {"in": ("saddr", "daddr", "sport", "dport", "iifname"), "out": ("daddr", "saddr", "dport", "sport", "oifname")}
# The built-ins of both directions, and a DHCP client's packets by direction.
BUILT_IN = (
    "ip6 hoplimit 255 icmpv6 type { 133, 135, 136 } accept",
    "ip6 hoplimit 255 ip6 saddr fe80::/10 icmpv6 type { 134, 137 } accept",
    "ip6 hoplimit 1 ip6 saddr fe80::/10 ip6 daddr ff00::/8 icmpv6 type { 130, 131, 132, 143 } accept",
    "ip6 hoplimit 1 ip6 saddr :: ip6 daddr ff00::/8 icmpv6 type { 131, 132, 143 } accept",
    "ip ttl 1 ip protocol 2 ip daddr 224.0.0.0/4 accept",
)
DHCP = {
    "in": (
        "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
        "ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept",
    ),
    "out": (
        "ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
        "ip6 saddr fe80::/10 ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept",
    ),
}
# No replies are IGMP, and what leaves a DHCP client's port for a server's in a flow that the far end began.
REPLIES = {
    "in": ("ct state established,related ct protocol != 2 accept",),
    "out": (
        "ct state established,related ct protocol != { 2, 17 } accept",
        "ct state established,related ct protocol != 2 ct direction 0 accept",
        "ct state established,related udp sport . udp dport != { 68 . 67, 546 . 547 } accept",
        "ct state established,related meta l4proto 1 ct protocol != 2 ct original proto-src != 67 accept",
        "ct state established,related meta l4proto 58 ct protocol != 2 ct original proto-src != 547 accept",
    ),
}
MESSAGES = {4: "icmp", 6: "icmpv6"}
# A tuple that stood lets no SYN without ACK pass: that begins another connection.
WITHOUT_PORTS = "meta l4proto != { 1, 6, 17, 58, 132 }"
NO_FIRST_PACKET = "tcp flags & (0x2 | 0x10) != 0x2"

IDENTITY_CHAIN = re.compile(r"plan_([0-9a-f]{16})")
OUTCOME_CHAIN = re.compile(r"(allow|deny|watch)_([0-9A-Za-z]+?)(?:_(in|out))?(_log)?")
MEMORY_SET = re.compile(r"(denied|watched)_([0-9A-Za-z]+)_(in|out)([46])(_bare)?(?:_\d+)?")
PROCESS_CHAIN = re.compile(r"(in|out)(?=_)(?:_u(\d+))?(?:_x(\d+))?")
POLICY_CHAIN = re.compile(r"(in|out)_([dklrsp])_[0-9a-f]{12}")
PEERS_CHAIN = re.compile(r"(in|out)_k_[0-9a-f]{12}")
DYNAMIC_SET = re.compile(r"dyn([46])_([0-9a-f]{12})")
DYNAMIC_LOOKUP = re.compile(r"(ip6?) ([sd]addr) @dyn([46])_([0-9a-f]{12}) goto (\S+)")
ANSWER_STANDS = 3600  # seconds that an element of a dynamic set stays unless it is given again
# The first rule of both base chains while there are permissions (targets/script/emergency.sh): their connections pass.
PASSES = "ct label 97 accept"
GOTO = re.compile(r"goto (\S+)")
GOTO_V4 = re.compile(r"meta nfproto ipv4 goto (\S+)")
ADDRESS_LOOKUP = re.compile(r"(ip6?) ([sd]addr) vmap @(\S+)")
INLINE_MAP = re.compile(r"((?:meta l4proto|(?:tcp|udp|sctp) dport|icmp(?:v6)? type)) vmap \{ (.*) \}")
CONTROL_RULE = re.compile(r"ip6? [sd]addr @control[46] tcp [sd]port (\d+) accept")
# What containers are met by, with the hook and the priority of those that the kernel enters.
CONTAINER_CHAINS = (
    *("containers_in", "containers_out", "containers_forward_out", "containers_forward_in"),
    *("containers_input", "containers_output", "containers_link", "containers_bridged"),
)
# What forwarded packets are met by, for others than containers.
FORWARD_CHAINS = ("forwarded_out", "forwarded_in")

_SETS = (
    (re.compile(r"control([46])"), "set", "type {address}", "flags interval"),
    (re.compile(r"cut([46])"), "set", "type {address} . {address} . inet_proto . inet_service . inet_service"),
    (re.compile(r"cut_icmp([46])"), "set", "type {address} . {address} . {message}"),
    (re.compile(r"cut_bare([46])"), "set", "type {address} . {address} . inet_proto"),
    (
        re.compile(r"standing([46])"),
        "set",
        "type {address} . {address} . inet_proto . inet_service . inet_service",
        "flags timeout",
    ),
    (re.compile(r"(?:in|out)_[lr]([46])_[0-9a-f]{12}"), "map", "type {address} : verdict", "flags interval"),
    (re.compile(r"units_(?:in|out)_[1-6]"), "map", "type cgroupsv2 : verdict"),
    (re.compile(r"users_(?:in|out)(?:_u\d+)?"), "map", "type uid : verdict"),
    (re.compile(r"peers_(?:in|out)([46])_[0-9a-f]{12}"), "map", "type {address} : verdict"),
    (re.compile(r"containers_(?:cut_)?(?:in|out)([46])"), "map", "type {address} : verdict"),
    (re.compile(r"networks_(?:in|out)([46])"), "map", "type {address} : verdict", "flags interval"),
    (re.compile(r"container_nets([46])"), "set", "type {address}", "flags interval"),
    (re.compile(r"forwarded_(?:cut_)?(?:in|out)([46])"), "map", "type {address} : verdict", "flags interval"),
    (re.compile(r"forwarded_manage(?:rs|d)([46])_[0-9a-f]{12}"), "set", "type {address}", "flags interval"),
    (DYNAMIC_SET, "set", "type {address}", "size 256", "flags timeout"),
)


def set_shape(name: str) -> tuple[str, list[str]] | None:
    """Return the kind and the properties that a set of this name has, or None where we render no such set."""
    if memory := MEMORY_SET.fullmatch(name):
        key = f"{ADDRESS_TYPE[int(memory[4])]} . inet_proto" + ("" if memory[5] else " . inet_service")
        return "set", [f"type {key}", "size 4096", "flags dynamic,timeout", "timeout 3600s"]
    for pattern, kind, *properties in _SETS:
        if match := pattern.fullmatch(name):
            family = int(match[1]) if match.groups() else 4
            words = {"address": ADDRESS_TYPE[family], "message": f"{MESSAGES[family]}_type"}
            return kind, [text.format(**words) for text in properties]
    return None


def header(direction: str) -> str:
    """Return the first line of a base chain."""
    return f"type filter hook {HOOKS[direction]} priority 0; policy accept;"


def control_rules(direction: str, families: list[int], port: int) -> list[str]:
    """Return the rules of the control path."""
    remote, _, _, local_port, _ = FIELDS[direction]
    return [f"{IP[family]} {remote} @control{family} tcp {local_port} {port} accept" for family in families]


def fixed_rules(direction: str) -> list[str]:
    """Return the rules between the control path and the policy."""
    remote, local, remote_port, local_port, interface = FIELDS[direction]
    keys = {
        f: f"{ip} {local} . {ip} {remote} . meta l4proto . th {local_port} . th {remote_port}" for f, ip in IP.items()
    }
    ends = {f: f"ct original {ip} saddr . ct reply {ip} saddr" for f, ip in IP.items()}
    return [
        f'{interface} "lo" accept',
        *(f"{key} @cut{family} drop" for family, key in keys.items()),
        *(f"{key} . {MESSAGES[family]} type @cut_icmp{family} drop" for family, key in ends.items()),
        *(f"{WITHOUT_PORTS} {key} . meta l4proto @cut_bare{family} drop" for family, key in ends.items()),
        *REPLIES[direction],
        *(f"{key} @standing{family} {NO_FIRST_PACKET} accept" for family, key in keys.items()),
        *(f"meta l4proto != 6 {key} @standing{family} accept" for family, key in keys.items()),
        *BUILT_IN,
        *DHCP[direction],
    ]


def process_rules(direction: str, units: int, users: int) -> list[str]:
    """Return the rules that tell processes apart, for these numbers of units and users."""
    rules = []
    if units:
        rules += [f"socket cgroupv2 level {n} vmap @units_{direction}_{n}" for n in range(DEEPEST_LEVEL, 0, -1)]
    if users:
        rules.append(f"meta skuid vmap @users_{direction}")
    return rules


def lost(rule: str) -> str:
    """Return what is lost with a rule that tells processes apart, as the end of a sentence; empty for others."""
    if level := re.match(r"socket cgroupv2 level (\d)", rule):
        return f": units at depth {level[1]} are judged as any other process"
    return ": users are judged as any other process" if rule.startswith("meta skuid") else ""


@lru_cache(maxsize=4096)
def outcome_of(chain: str) -> tuple[Outcome, str] | None:
    """Return the outcome that a chain's name stands for, and its direction (empty for both), or None."""
    match = OUTCOME_CHAIN.fullmatch(chain)
    if not match or (match[1] == "allow" and not match[4]) == bool(match[3]):
        return None
    return Outcome(match[1], match[2], bool(match[4])), match[3] or ""


def outcome_rules(outcome: Outcome, direction: str) -> list[str]:
    """Return the rules of an outcome's chain."""
    rules = ["counter"]
    memory = next((prefix for prefix, effect in MEMORIES.items() if effect == outcome.effect), None)
    if memory:
        for family, ip in IP.items():
            name = f"{memory}_{outcome.rule}_{direction}{family}"
            peer = f"{ip} {FIELDS[direction][0]} . meta l4proto"
            rules += [
                f"meta l4proto {{ 6, 17, 132 }} update @{name} {{ {peer} . th dport counter }}",
                f"meta l4proto != {{ 6, 17, 132 }} update @{name}_bare {{ {peer} counter }}",
            ]
    if outcome.log:
        rules.append(f'log prefix "ringfence {outcome.effect} {outcome.rule} {direction} "')
    return [*rules, VERDICTS[outcome.effect]]
