# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host enforces on what it forwards, read back from its listing, and the chains that lead there compared.

Chains, maps and sets that lead to the tables are compared with the plan's own text; each table is read from the kernel,
from the chain that this text leads its addresses to.
"""

from __future__ import annotations

import re

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import interval_of

from .container_reader import HeldReader, compared
from .graph import Peers
from .listing import Listing
from .reader import host_part
from .shapes import DIRECTIONS, FORWARD_CHAINS

_SETS = re.compile(r"forwarded_.*")


def read_groups(listing: Listing, rendered: Listing, groups: list[dict], peers: Peers) -> tuple[list[dict], list[dict]]:
    """Return what of the chains differs from the plan's text, and the table that is enforced on each group's addresses.

    `groups` are what the plan says of the host's `forwarded`; a table's control path is in the chains, and so compared.
    """
    drift = compared(rendered, listing, FORWARD_CHAINS, _SETS, "what this host forwards")
    leads = {direction: _leads(rendered, direction) for direction in DIRECTIONS}
    tables = []
    for one in groups:
        first = interval_of(one["addresses"][0])
        starts = {direction: chain for direction in DIRECTIONS if (chain := leads[direction].get(first))}
        tables.append(HeldReader(host_part(listing), peers, starts).held())
    return drift, tables


def _leads(rendered: Listing, direction: str) -> dict[tuple[int, int], str]:
    """Return the chain that every range of addresses is led to."""
    found = {}
    for family in (4, 6):
        block = rendered.sets.get(f"forwarded_{direction}{family}")
        for element in block.elements if block else ():
            key, _, verdict = element.partition(" : goto ")
            found[interval_of(key)] = verdict
    return found
