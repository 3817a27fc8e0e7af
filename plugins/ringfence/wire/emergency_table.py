"""The table of emergencies as nft lists it: what it must hold for what a host keeps, and what it holds beside."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .address_line import V6_BASE, interval_of, range_text
from .emergency_lines import QUARANTINE, Emergency, EmergencyError, Grant

LABEL = 97
IP = {4: "ip", 6: "ip6"}
TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}
CHAINS = ("input", "output", "forward")
ALL = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}
LABEL_DROP = f"ct label {LABEL} ct state != related drop"
# Direction of a grant -> the chains that its connections begin and are answered in.
_HOOKS = {
    "in": ("input", "output"),
    "out": ("output", "input"),
    **dict.fromkeys(("to", "from"), ("forward", "forward")),
}
_MODULES = {6: "tcp", 17: "udp", 132: "sctp"}
_TYPES = {1: "icmp", 58: "icmpv6"}
_BUILT_IN = (
    "ip6 hoplimit 255 icmpv6 type { 133, 135, 136 } accept",
    "ip6 hoplimit 255 ip6 saddr fe80::/10 icmpv6 type { 134, 137 } accept",
    "ip6 hoplimit 1 ip6 saddr fe80::/10 ip6 daddr ff00::/8 icmpv6 type { 130, 131, 132, 143 } accept",
    "ip6 hoplimit 1 ip6 saddr :: ip6 daddr ff00::/8 icmpv6 type { 131, 132, 143 } accept",
)
_DHCP = {
    "input": (
        "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
        "ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept",
    ),
    "output": (
        "ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
        "ip6 saddr fe80::/10 ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept",
    ),
}
# Numbers that one version of nft prints and another names.
_WORDS = (
    (re.compile(r"\bct state 0x0*8\b"), "ct state new"),
    (re.compile(r"\bct state != 0x0*4\b"), "ct state != related"),
    (re.compile(r"\bct direction 1\b"), "ct direction reply"),
    (re.compile(r"\bmeta nfproto 2\b"), "meta nfproto ipv4"),
)
_SET = re.compile(r"[chikpq]_([0-9a-f]{8})_(?:[0-9]+_)?[46]", re.ASCII)


@dataclass(frozen=True)
class Path:
    """A control path that stays open beside emergencies: a family, a closed range of addresses as text, and a port."""

    family: int
    addresses: str
    port: int


@dataclass
class Compared:
    """What the kernel lacks, by id, and sentences for what it has beside."""

    missing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    extra: list[str] = field(default_factory=list)


@dataclass
class _Table:
    sets: dict[str, set[str]] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in CHAINS})


def range_of(family: int, low: int, high: int) -> str:
    """Return the text of a closed range of address numbers."""
    base = V6_BASE if family == 6 else 0
    return range_text(base + low, base + high)


def of_family(networks: Iterable[str], family: int) -> tuple[str, ...]:
    """Return the networks of a family."""
    return tuple(one for one in networks if (6 if ":" in one else 4) == family)


def compare(
    entries: Sequence[Emergency], controls: Sequence[Path], listing: str, over: set[str], loose: set[str]
) -> Compared:
    """Return what the listing of the table differs in; `over` have ended, `loose` end about now."""
    found, strangers = _parsed(listing)
    known = {entry.id for entry in entries}
    there = {_id_of(name) for name in found.sets}
    shown = [entry for entry in entries if entry.id not in over or entry.id in there]
    labelled = LABEL_DROP in found.rules["input"] or any(entry.grants for entry in shown)
    wanted = _rendered(shown, controls, labelled)
    told = Compared(extra=[f"the table of emergencies has '{line[:120]}'" for line in strangers])
    for name, elements in wanted.sets.items():
        identity = _id_of(name)
        has = found.sets.get(name)
        if has is None or (identity not in over and elements - has):
            told.missing[identity].append(f"{name} lacks {', '.join(sorted(elements - (has or set()))[:3])}")
        if has and has - elements:
            told.extra.append(f"{identity}: {name} has {', '.join(sorted(has - elements)[:3])}, which is not kept")
    for name in found.sets.keys() - wanted.sets.keys():
        if _id_of(name) not in loose:
            told.extra.append(f"{_id_of(name)}: the kernel has the set {name}, and nothing kept tells of it")
    for chain in CHAINS:
        _compare_rules(told, chain, wanted.rules[chain], found.rules[chain], known)
    return told


def _id_of(name: str) -> str:
    """Return the id of the emergency that a set is of, or the name of a set that is none of ours."""
    match = _SET.fullmatch(name)
    return f"{'p' if name.startswith('p') else 'q'}-{match[1]}" if match else name


def _compare_rules(told: Compared, chain: str, wanted: list[str], found: list[str], known: set[str]) -> None:
    if wanted == found:
        return
    there, ours = set(found), set(wanted)
    lacks = [rule for rule in wanted if rule not in there]
    for rule in lacks:
        match = re.search(r"@(\S+)", rule)
        ids = {_id_of(match[1])} if match else known
        if rule == LABEL_DROP or (" tcp " in rule and "@" not in rule):
            ids = set()
            told.extra.append(f"the table of emergencies lacks '{rule}' in chain {chain}")
        for identity in sorted(ids):
            told.missing[identity].append(f"chain {chain} lacks '{rule}'")
    beside = [rule for rule in found if rule not in ours]
    told.extra += [f"the table of emergencies has '{rule[:120]}' in chain {chain}" for rule in beside]
    if not lacks and not beside:
        told.extra.append(f"the rules of chain {chain} of the table of emergencies stand in another order")


def _rendered(entries: Sequence[Emergency], controls: Sequence[Path], labelled: bool) -> _Table:
    table = _Table()
    rules = table.rules
    if not entries and not labelled:
        return table
    rules["input"].append('iifname "lo" accept')
    rules["output"].append('oifname "lo" accept')
    if any(entry.kind == QUARANTINE for entry in entries):
        # neighbours are found whatever is cut off: networks of the link itself, and the whole family
        for chain in CHAINS:
            rules[chain] += _BUILT_IN
    for entry in entries:
        _cut(table, entry)
    _cut_forwarded(table, entries, controls)
    _keep_open(rules, controls if entries else ())
    if any(entry.isolates for entry in entries):
        for chain, dhcp in _DHCP.items():
            rules[chain] += dhcp
    for entry in entries:
        if entry.isolates:
            _isolate(table, entry)
        if entry.inside:
            _isolate_inside(table, entry)
    for number, entry, grant in ((n, one, grant) for one in entries for n, grant in enumerate(one.grants, start=1)):
        for family in IP:
            _permit(table, f"p_{entry.id[2:]}_{number}_{family}", entry, grant, family)
    for chain in CHAINS if labelled else ():
        rules[chain].append(LABEL_DROP)
    return table


def _keep_open(rules: dict[str, list[str]], controls: Sequence[Path]) -> None:
    for control in controls:
        ip = IP[control.family]
        rules["input"].append(f"{ip} saddr {control.addresses} tcp dport {control.port} accept")
        rules["output"].append(f"{ip} daddr {control.addresses} tcp sport {control.port} accept")


def _cut(table: _Table, entry: Emergency) -> None:
    for family, ip in IP.items():
        if networks := of_family(entry.remote, family):
            name = f"q_{entry.id[2:]}_{family}"
            table.sets[name] = set(networks)
            table.rules["input"].append(f"{ip} saddr @{name} drop")
            table.rules["output"].append(f"{ip} daddr @{name} drop")


def _cut_forwarded(table: _Table, entries: Sequence[Emergency], controls: Sequence[Path]) -> None:
    """Add what cuts the isolated behind this host: first as senders, but for answers to Ansible, then as receivers."""
    for sends in (True, False):
        for entry in entries:
            for family, ip in IP.items():
                if not of_family(entry.remote, family):
                    continue
                name = f"q_{entry.id[2:]}_{family}"
                far, near = _but_kept(table, entry, family)
                for one in (control for control in controls if control.family == family):
                    answers = f"{ip} saddr @{name} {ip} daddr {one.addresses} tcp sport {one.port} ct direction reply"
                    asks = f"{ip} saddr {one.addresses} {ip} daddr @{name} tcp dport {one.port}"
                    table.rules["forward"].append(f"{answers if sends else asks} accept")
                dropped = f"{near}{ip} saddr @{name}" if sends else f"{far}{ip} daddr @{name}"
                table.rules["forward"].append(f"{dropped} drop")


def _but_kept(table: _Table, entry: Emergency, family: int) -> tuple[str, str]:
    """Return what leaves out who is kept, as sender and as receiver, and add their set."""
    far = near = ""
    inside = [one for one in entry.kept if one.startswith("@")]
    # in sets of their own, for they may overlap
    for letter, texts in (("k", entry.kept[len(inside) :]), ("h", entry.addresses_of(inside))):
        if kept := of_family(texts, family):
            name, ip = f"{letter}_{entry.id[2:]}_{family}", IP[family]
            table.sets[name] = set(kept)
            far, near = f"{far}{ip} saddr != @{name} ", f"{near}{ip} daddr != @{name} "
    return far, near


def _isolate_inside(table: _Table, entry: Emergency) -> None:
    for family, ip in IP.items():
        cut = of_family(entry.addresses_of([f"@{one}" for one in entry.inside]), family)
        if not cut:
            continue
        name = f"c_{entry.id[2:]}_{family}"
        table.sets[name] = set(cut)
        far, near = _but_kept(table, entry, family)
        sent, received = f"{near}{ip} saddr @{name} drop", f"{far}{ip} daddr @{name} drop"
        table.rules["input"].append(sent)
        table.rules["output"].append(received)
        table.rules["forward"] += [sent, received]


def _isolate(table: _Table, entry: Emergency) -> None:
    for family, ip in IP.items():
        name = f"i_{entry.id[2:]}_{family}"
        table.sets[name] = set(ALL[family])
        far, near = _but_kept(table, entry, family)
        table.rules["input"].append(f"{far}{ip} saddr @{name} drop")
        table.rules["output"].append(f"{near}{ip} daddr @{name} drop")
        table.rules["forward"].append(f"{far}{near}{ip} saddr @{name} drop")


def _permit(table: _Table, name: str, entry: Emergency, grant: Grant, family: int) -> None:
    remote, local = (of_family(entry.addresses_of(texts), family) for texts in (grant.remote, grant.local))
    if not remote or (grant.local and not local) or grant.protocol == (58 if family == 4 else 1):
        return
    ip = IP[family]
    table.sets[name] = set(remote)
    chain, back = _HOOKS[grant.direction]
    far, near = ("saddr", "daddr") if grant.direction in ("in", "to") else ("daddr", "saddr")
    here = [f" {ip} {side} {_several(local)}" if local else "" for side in (near, far)]
    asks = answers = "" if grant.protocol is None else f" meta l4proto {grant.protocol}"
    if grant.ports and grant.protocol is not None:
        ports = _several([str(low) if low == high else f"{low}-{high}" for low, high in grant.ports])
        if grant.protocol in _TYPES:
            asks = f" {_TYPES[grant.protocol]} type {ports}"
        else:
            module = _MODULES[grant.protocol]
            asks, answers = f" {module} dport {ports}", f" {module} sport {ports}"
    table.rules[chain] += [
        f"{ip} {far} @{name}{here[0]}{asks} ct state new ct label set {LABEL}",
        f"{ip} {far} @{name}{here[0]}{asks} ct label {LABEL} accept",
    ]
    table.rules[back].append(f"{ip} {near} @{name}{here[1]}{answers} ct direction reply ct label {LABEL} accept")


def _several(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


def _parsed(listing: str) -> tuple[_Table, list[str]]:
    """Return sets and rules of a listing, and its lines that are nothing of ours."""
    table, strangers = _Table(), []
    # elements may go over several lines
    text = re.sub(r",\s*\n\s*", ", ", listing)
    block: list[str] = []
    for line in (raw.strip() for raw in text.split("\n")):
        if line == "}" and block:
            strangers += _close(table, block)
            block = []
        elif re.fullmatch(r"(set|chain) \S+ \{", line):
            block = [line]
        elif block:
            block.append(line)
        elif line not in ("", "}", "table inet ringfence_emergency {"):
            strangers.append(line)
    return table, strangers


def _close(table: _Table, block: list[str]) -> list[str]:
    """Add a set or a chain, and return its lines that are nothing of ours."""
    kind, name, _ = block[0].split(" ")
    if kind == "set":
        strangers: list[str] = []
        table.sets[name] = set()
        properties = [line for line in block[1:] if not line.startswith("elements = {")]
        if properties != [f"type {TYPE[6 if name.endswith('6') else 4]}", "flags interval,timeout"]:
            strangers.append(f"set {name}: {'; '.join(properties)}")
        for line in block[1:]:
            if line.startswith("elements = {"):
                table.sets[name] |= _elements(line, strangers)
        return strangers
    if name not in CHAINS:
        return block
    head = block[1].replace("filter - 20", "-20") if len(block) > 1 else ""
    table.rules[name] = [_one_wording(line) for line in block[2:]]
    return [] if head == f"type filter hook {name} priority -20; policy accept;" else [f"chain {name}: {head}"]


def _one_wording(rule: str) -> str:
    for pattern, word in _WORDS:
        rule = pattern.sub(word, rule)
    return rule


def _elements(line: str, strangers: list[str]) -> set[str]:
    """Return the networks of a set's elements, each in the one form that entries have."""
    found = set()
    for one in line.removeprefix("elements = {").rstrip("}").split(","):
        words = one.split()
        try:
            found.add(_network(words[0]))
        except (IndexError, ValueError, EmergencyError):
            strangers.append(one)
    return found


def _network(text: str) -> str:
    low, high = interval_of(text)
    size = high - low + 1
    return range_text(low, low) + ("" if size == 1 else f"/{(128 if low >= V6_BASE else 32) - size.bit_length() + 1}")
