"""The chains of emergencies as iptables lists them, of a host without nft, compared with what the host keeps."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from .emergency_lines import QUARANTINE, Emergency, Grant
from .emergency_table import LABEL, Compared, Path, of_family

BITS = {4: 32, 6: 128}
_WAYS = ("in", "out", "forward")
_HOOKS = {"in": "INPUT", "out": "OUTPUT", "forward": "FORWARD"}
_MODULES = {6: "tcp", 17: "udp", 132: "sctp", 1: "icmp", 58: "ipv6-icmp"}
_HAS_LABEL = f"-m connlabel --label {LABEL}"
LABEL_DROP = f"{_HAS_LABEL} -m conntrack ! --ctstate RELATED -j DROP"
_GROUP = "-d ff00::/8 "
_BUILT_IN = {
    4: (),
    6: tuple(
        f"{place}-p ipv6-icmp -m hl --hl-eq {hops} -m icmp6 --icmpv6-type {kind} -j RETURN"
        for place, hops, kinds in (
            ("", 255, (133, 135, 136)),
            ("-s fe80::/10 ", 255, (134, 137)),
            (f"-s fe80::/10 {_GROUP}", 1, (130, 131, 132, 143)),
            (f"-s ::/128 {_GROUP}", 1, (131, 132, 143)),
        )
        for kind in kinds
    ),
}
_DHCP = {
    (4, "in"): "-p udp -m udp --sport 67 --dport 68 -j RETURN",
    (4, "out"): "-d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN",
    (6, "in"): "-s fe80::/10 -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j RETURN",
    (6, "out"): "-s fe80::/10 -d ff02::1:2/128 -p udp -m udp --sport 546 --dport 547 -j RETURN",
}
Rules = dict[str, list[str]]


def compare(
    entries: Sequence[Emergency], controls: Sequence[Path], listing: str, over: set[str], loose: set[str]
) -> Compared:
    """Return what the listing of the chains differs in; `over` have ended, `loose` end about now."""
    told = Compared()
    found = _parsed(listing)
    for family in BITS:
        has = found.get(family, {})
        labelled = LABEL_DROP in has.get("rfe_in", ())
        choices = [
            _rendered(some, controls, family, labelled or any(entry.grants for entry in some))
            for some in ([entry for entry in entries if entry.id not in over], entries)
        ]
        wanted = next((one for one in choices if one == has), choices[0])
        for chain, rules in has.items():
            ours = set(wanted.get(chain, ()))
            beside = [rule for rule in rules if rule not in ours]
            told.extra += [f"IPv{family}: chain {chain} has '{rule[:120]}', which is not kept" for rule in beside]
        for entry in entries:
            if entry.id not in over:
                _missing(told, entry, _rendered([entry], (), family, bool(entry.grants)), has, family)
        if wanted != has and not told.extra and not told.missing:
            told.extra.append(f"IPv{family}: the rules of our emergencies are not all there, or stand in another order")
    return told


def _missing(told: Compared, entry: Emergency, wanted: Rules, has: Rules, family: int) -> None:
    for chain, rules in wanted.items():
        there = set(has.get(chain, ()))
        lacks = [rule for rule in rules if rule not in there]
        if lacks:
            told.missing[entry.id].append(f"IPv{family}: chain {chain} lacks '{lacks[0]}'")


def _rendered(entries: Sequence[Emergency], controls: Sequence[Path], family: int, labelled: bool) -> Rules:
    rules: Rules = defaultdict(list)
    if not entries and not labelled:
        return {}
    rules["rfe_in"].append("-i lo -j RETURN")
    rules["rfe_out"].append("-o lo -j RETURN")
    if any(entry.kind == QUARANTINE for entry in entries):
        for way in _WAYS:
            rules[f"rfe_{way}"] += _BUILT_IN[family]
    for entry in entries:
        _cut(rules, entry, family)
    _cut_forwarded(rules, entries, controls, family)
    for control in (one for one in controls if entries and one.family == family):
        _keep_open(rules, control)
    if any(entry.isolates for entry in entries):
        for way in ("in", "out"):
            rules[f"rfe_{way}"].append(_DHCP[family, way])
    for entry in (one for one in entries if one.isolates):
        _isolate(rules, entry, family)
    for entry, grant in ((one, grant) for one in entries for grant in one.grants):
        _permit(rules, grant, family, _stop(entry))
    if labelled:
        rules["rfe_in"].append(LABEL_DROP)
        rules["rfe_out"].append(LABEL_DROP)
    # every chain that is used is entered
    for way, hook in _HOOKS.items():
        if rules.get(f"rfe_{way}"):
            rules[hook] = [f"-j rfe_{way}"]
    return {chain: some for chain, some in rules.items() if some}


def _span(control: Path) -> str:
    return control.addresses if "-" in control.addresses else f"{control.addresses}-{control.addresses}"


def _cut(rules: Rules, entry: Emergency, family: int) -> None:
    cut = [_whole(one, family) for one in of_family(entry.remote, family)]
    for way, option in (("in", "-s"), ("out", "-d")):
        rules[f"rfe_{way}"] += [f"{option} {one}{_stop(entry)} -j DROP" for one in cut]


def _cut_forwarded(rules: Rules, entries: Sequence[Emergency], controls: Sequence[Path], family: int) -> None:
    """Add what cuts the isolated behind this host: first as senders, but for answers to Ansible, then as receivers."""
    for option in ("-s", "-d"):
        for entry in entries:
            cut = [_whole(one, family) for one in of_family(entry.remote, family)]
            for path in (one for one in controls if one.family == family):
                answers = f"--dst-range {_span(path)} -m tcp --sport {path.port} -m conntrack --ctdir REPLY"
                asks = f"--src-range {_span(path)} -m tcp --dport {path.port}"
                passes = f"-p tcp -m iprange {answers if option == '-s' else asks} -j RETURN"
                rules["rfe_forward"] += [f"{option} {one} {passes}" for one in cut]
            rules["rfe_forward"] += [f"{option} {one}{_stop(entry)} -j DROP" for one in cut]


def _keep_open(rules: Rules, control: Path) -> None:
    span = _span(control)
    rules["rfe_in"].append(f"-p tcp -m iprange --src-range {span} -m tcp --dport {control.port} -j RETURN")
    rules["rfe_out"].append(f"-p tcp -m iprange --dst-range {span} -m tcp --sport {control.port} -j RETURN")


def _isolate(rules: Rules, entry: Emergency, family: int) -> None:
    kept = [_whole(one, family) for one in of_family(entry.kept, family)]
    for way in _WAYS:
        chain = f"rfe_k_{entry.id[2:]}_{way}"
        rules[f"rfe_{way}"].append(f"{_stop(entry)} -j {chain if kept else 'DROP'}".strip())
        if kept:
            options = {"in": ("-s",), "out": ("-d",), "forward": ("-s", "-d")}[way]
            rules[chain] = [*(f"{option} {one} -j RETURN" for option in options for one in kept), "-j DROP"]


def _permit(rules: Rules, grant: Grant, family: int, stop: str) -> None:
    if grant.protocol == (58 if family == 4 else 1):
        return
    near = [_whole(one, family) for one in of_family(grant.local, family)] if grant.local else [""]
    module = "" if grant.protocol is None else _MODULES.get(grant.protocol, str(grant.protocol))
    chain, back = ("rfe_in", "rfe_out") if grant.direction == "in" else ("rfe_out", "rfe_in")
    for far in (_whole(one, family) for one in of_family(grant.remote, family)):
        for here in near:
            for ports in grant.ports or (None,):
                asks = answers = f" -p {module}" if module else ""
                if ports is not None:
                    span = f"{ports[0]}" if ports[0] == ports[1] else f"{ports[0]}:{ports[1]}"
                    if grant.protocol in (1, 58):
                        asks += f" -m {'icmp --icmp' if grant.protocol == 1 else 'icmp6 --icmpv6'}-type {span}"
                    else:
                        asks, answers = f"{asks} -m {module} --dport {span}", f"{answers} -m {module} --sport {span}"
                source, target = (far, here) if grant.direction == "in" else (here, far)
                asked = _places(source, target) + asks
                rules[chain] += [
                    f"{asked} -m conntrack --ctstate NEW{stop} {_HAS_LABEL} --set -j RETURN",
                    f"{asked}{stop} {_HAS_LABEL} -j RETURN",
                ]
                rules[back].append(
                    f"{_places(target, source)}{answers} -m conntrack --ctdir REPLY{stop} {_HAS_LABEL} -j RETURN"
                )


def _places(source: str, target: str) -> str:
    return " ".join((*((f"-s {source}",) if source else ()), *((f"-d {target}",) if target else ())))


def _whole(network: str, family: int) -> str:
    return network if "/" in network else f"{network}/{BITS[family]}"


def _stop(entry: Emergency) -> str:
    if not entry.ends:
        return ""
    # the second of --datestop is the last that matches
    return f" -m time --datestop {datetime.fromtimestamp(entry.ends - 1, UTC).strftime('%Y-%m-%dT%H:%M:%S')}"


def _parsed(listing: str) -> dict[int, Rules]:
    """Return the rules of our chains, and those that lead to them, by family and chain."""
    found: dict[int, Rules] = {}
    rules: Rules = defaultdict(list)
    for line in listing.split("\n"):
        if line.startswith("# section "):
            rules = found.setdefault(6 if "ip6" in line else 4, defaultdict(list))
        elif match := re.fullmatch(r"-A (\S+) (.*)", line.strip()):
            rules[match[1]].append(match[2].replace(f'"{LABEL}"', str(LABEL)))
    return {family: dict(some) for family, some in found.items()}
