"""Turns what a sweep saw into hosts: only what is in the ranges, and one host for each address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    Host,
    address_name,
    good_addresses,
    host_name,
    named,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.api import Report, Seen
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.ranges import Ranges


def hosts(reports: Mapping[str, Report], ranges: Ranges, label_prefix: str, workload: bool) -> Found:
    """Return the hosts that reports saw inside of ranges, each report by what it is called; the latest counts."""
    found: dict[str, tuple[str, dict[str, object]]] = {}
    warnings: list[str] = []
    outside = 0
    for called, report in reports.items():
        if report.fault:
            warnings.append(f"{called} is not whole: {report.fault}; {len(report.hosts)} hosts of it are there")
        for seen in report.hosts:
            for address in good_addresses(_addresses(seen)):
                network = ranges.of(address)
                if network is None:
                    outside += 1
                    continue
                variables = _variables(seen, address, str(network), called, label_prefix, workload)
                when = str(seen.get("seen", ""))
                if address not in found or (len(when), when) >= (len(found[address][0]), found[address][0]):
                    found[address] = (when, variables)
    if outside:
        warnings.append(f"{outside} addresses that were seen are outside of 'ranges' and left out")
    unreached = {f"sweep {called}": report.fault for called, report in reports.items() if report.fault}
    return Found(sorted(named(_candidates(found)), key=lambda host: host[0]), warnings, unreached)


def _candidates(found: Mapping[str, tuple[str, dict[str, object]]]) -> list[Candidate]:
    """Return a host for each address; where the names of two would be one, each `:` stays one sign."""
    count = Counter(host_name(address) for address in found)
    wishes = {address: address if count[host_name(address)] == 1 else address_name(address) for address in found}
    return [Candidate(wishes[address], address_name(address), variables) for address, (_, variables) in found.items()]


def unrecorded(found: Sequence[Host], recorded: frozenset[str]) -> list[Host]:
    """Return the hosts whose address no other host has."""
    return [one for one in found if recorded.isdisjoint(_texts(one[1].get("ringfence_addresses")))]


def _variables(
    seen: Seen, address: str, network: str, called: str, label_prefix: str, workload: bool
) -> dict[str, object]:
    fact = {**{key: value for key, value in seen.items() if key not in ("addresses", "seen")}, "range": network}
    when = str(seen.get("seen", ""))
    if when.isascii() and when.isdigit() and len(when) <= 11:
        fact["seen"] = datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "ansible_host": address,
        "ringfence_addresses": [address],
        "ringfence_labels": {f"{label_prefix}range": network},
        "ringfence_sources": [f"sweep {called}"],
        "ringfence_workload": workload,
        **({} if workload else {"ringfence_kind": "swept"}),
        "ringfence_sweep": fact,
    }


def _addresses(seen: Seen) -> list[str]:
    return _texts(seen.get("addresses"))


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
