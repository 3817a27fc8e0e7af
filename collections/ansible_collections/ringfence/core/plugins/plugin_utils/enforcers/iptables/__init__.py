# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""iptables and ipset: what a host lists of both, read back into the verdict table that it enforces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.runtime_lines import runtime_lines

from .reader import read_ruleset
from .shapes import ANSWER_STANDS

if TYPE_CHECKING:  # it reads this package when it is imported
    from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply

__all__ = [
    "MISSING", "PARTS", "SUFFIX", "answer_age", "features", "filled", "read", "runtime_lines",
]  # fmt: skip

SUFFIX = "iptables"
MISSING = "iptables"
OLDEST: Any = {"iptables": (1, 4, 21), "ipset": (6, 38)}
# In this order they are one script.
PARTS = (
    "reply", "state", "sockets", "python", "flows", "connection", "signature", "kernel", "table", "processes",
    "answers", "bridged", "engines", "containers", "elements", "listing", "persistence", "guard",
    "emergency", "emergency_kept", "emergency_clock", "emergency_passing", "emergency_units", "emergency_containers",
    "emergency_nft", "emergency_iptables", "emergency_offloaded",
    "return", "move", "beside", "status", "apply", "boot", "verbs",
)  # fmt: skip


def read(listing: str) -> dict:
    """Return the verdict table of a listing, and what is not of our shape."""
    return read_ruleset(listing)


def filled(section: str) -> dict:
    """Return what hosts and kernel filled, of a listing or of single sets."""
    found: Any = read_ruleset(section)
    return found["filled"]


def features(reply: Reply) -> dict[str, str | bool | int]:
    """Return what a host can do, as far as it tells."""
    found: dict[str, str | bool | int] = {
        key: reply.last(key) for key in ("iptables", "ipset", "nft", "kernel") if reply.all(key)
    }
    found |= {key: reply.last(key) == "yes" for key in ("cgroup2", "skbinfo") if reply.last(key)}
    if reply.last("marks_used"):
        found["marks_used"] = int(reply.last("marks_used"))
    return found


def answer_age(element: dict) -> int:
    """Return how many seconds ago an element of a dynamic set was given."""
    return max(0, round(ANSWER_STANDS - element["expires"]))
