"""The inventory plugin ringfence.core.sweep: what answers in given ranges and nobody has recorded."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: sweep
short_description: Unrecorded addresses that respond in given ranges
version_added: 0.1.0
description:
  - Reads XML reports of nmap, or runs nmap over I(ranges), and creates a host for each address that responded and that
    no host of the inventories parsed before has.
  - Nothing outside I(ranges) is scanned, and other addresses in a report are ignored.
  - Each host is named by its address and gets C(ringfence_addresses), C(ringfence_labels) (the range),
    C(ringfence_workload=false), C(ringfence_sources), and under C(ringfence_sweep) its MAC, vendor, C(dns_names), and
    C(listeners) (C(port), C(protocol), C(service)).
  - A report that is invalid or truncated is named in a warning; everything before the error is used.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.sweep]
  ranges:
    description: The networks to sweep, in CIDR form; names are not allowed.
    type: list
    elements: str
    required: true
  exclude:
    description: Networks and addresses to leave out.
    type: list
    elements: str
    default: []
  xml:
    description:
      - Reports of nmap (C(nmap -oX)), relative to the directory of this configuration file. If any are given, nmap is
        not run.
      - Keep them outside the inventory directory, because Ansible would treat them as inventories.
    type: list
    elements: str
    default: []
  ports:
    description: The TCP ports to try, as nmap writes them, C(22,80,1000-2000). Without it, only hosts are detected.
    type: str
    default: ''
  services:
    description: Whether nmap detects the services on open ports, which sends data to them.
    type: bool
    default: false
  names:
    description: Whether nmap looks up the names of addresses; the name servers may be outside I(ranges).
    type: bool
    default: false
  rate:
    description: The maximum number of packets per second that nmap sends.
    type: int
    default: 300
  largest:
    description: The maximum total number of addresses in I(ranges) if nmap is run.
    type: int
    default: 65536
  timeout:
    description: The maximum run time of nmap in seconds.
    type: int
    default: 1800
  recorded:
    description: Whether addresses of hosts in the inventories parsed before also become hosts.
    type: bool
    default: false
  resolve_timeout:
    description: The total time in seconds for resolving the names of hosts without a written address, to find out which
      addresses the inventory has. With C(0) none are resolved.
    type: int
    default: 10
  workload:
    description: Whether these hosts are workloads that can be enforced on. Usually they cannot until somebody manages
      them.
    type: bool
    default: false
  label_prefix:
    description: The prefix of the key of the label C(range).
    type: str
    default: sweep_
"""

EXAMPLES = r"""
# inventory/80-sweep.yml, parsed after the sources: nmap looks who is there, and nothing else
plugin: ringfence.core.sweep
ranges: [10.1.0.0/24, 2001:db8:1::/120]
exclude: [10.1.0.1]
cache: true
cache_timeout: 86400
---
# reports that another machine wrote; groups by what listens
plugin: ringfence.core.sweep
ranges: [10.0.0.0/8]
xml: [../sweeps/fra.xml, ../sweeps/ber.xml]
groups:
  databases: ringfence_sweep.listeners | default([]) | selectattr('port', 'in', [3306, 5432]) | list | length > 0
"""

import re
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found, Host, SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import (
    SourceInventory,
    file_state,
    shown_path,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.api import Sweep, read_file, run_nmap
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.ranges import read_ranges
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.recorded import recorded
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.transform import hosts, unrecorded

_PORTS = re.compile(r"(\d{1,5}(-\d{1,5})?(,(?=\d))?)*", re.ASCII)


class InventoryModule(SourceInventory):
    """Adds what answers in ranges to the inventory."""

    NAME = "ringfence.core.sweep"
    FACT = "ringfence_sweep"

    def ask(self, path: str) -> Found:
        """Return what reports saw, or nmap now."""
        ranges = read_ranges(self.get_option("ranges"), self.get_option("exclude"))
        files = self._files(path)
        if files:
            reports = {shown_path(str(file)): read_file(file) for file in files}
        else:
            sweep = self._sweep()
            if ranges.size() > self.get_option("largest"):
                raise SourceRefused(f"'ranges' has {ranges.size()} addresses: make it smaller, or 'largest' larger")
            reports = {f"nmap {number}": report for number, report in enumerate(run_nmap(ranges, sweep), start=1)}
        if reports and all(report.fault and not report.hosts for report in reports.values()):
            raise SourceRefused("; ".join(f"{called}: {report.fault}" for called, report in reports.items()))
        return hosts(reports, ranges, self.get_option("label_prefix"), self.get_option("workload"))

    def asked(self, path: str) -> list[object]:
        """Return what decides the answer: the options, and the reports as they are now."""
        return [*super().asked(path), [file_state(file) for file in self._files(path)]]

    def chosen(self, found: Sequence[Host]) -> Sequence[Host]:
        """Return the hosts that no inventory before has."""
        if self.get_option("recorded"):
            return found
        there = {str(name): host.get_vars() for name, host in self.inventory.hosts.items()}
        return unrecorded(found, recorded(there, self.get_option("resolve_timeout") if found else 0))

    def _files(self, path: str) -> list[Path]:
        return [Path(path).parent / file for file in self.get_option("xml")]

    def _sweep(self) -> Sweep:
        ports = self.get_option("ports").replace(" ", "")
        if not _PORTS.fullmatch(ports):
            raise SourceRefused(f"'ports' is '{ports}': write 22,80,1000-2000")
        least = {name: max(1, self.get_option(name)) for name in ("rate", "timeout")}
        return self.from_options(Sweep, ports=ports, **least)
