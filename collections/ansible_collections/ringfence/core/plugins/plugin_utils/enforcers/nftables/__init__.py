# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""nftables: what a kernel lists of `table inet ringfence`, read back into the verdict table that it enforces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.runtime_lines import runtime_lines

from .reader import read_ruleset
from .shapes import ANSWER_STANDS, CONTAINER_CHAINS, FORWARD_CHAINS

if TYPE_CHECKING:  # it reads this package when it is imported
    from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply

__all__ = [
    "MISSING", "PARTS", "SUFFIX", "answer_age", "features", "filled", "meets_others", "read", "read_holding",
    "runtime_lines",
]  # fmt: skip

SUFFIX = "nft"
MISSING = "nft"
OLDEST: Any = {"nft": (0, 9, 3)}
# In this order they are one script.
PARTS = (
    "reply", "state", "sockets", "python", "flows", "connection", "signature", "kernel", "table", "stages", "processes",
    "answers", "bridged", "engines", "containers", "elements", "listing", "persistence", "guard",
    "emergency", "emergency_kept", "emergency_clock", "emergency_passing", "emergency_units", "emergency_containers",
    "emergency_nft", "emergency_iptables", "emergency_offloaded",
    "return", "move", "beside", "status", "apply", "boot", "verbs",
)  # fmt: skip


def read(listing: str) -> dict:
    """Return the verdict table of a listing, and what is not of our shape."""
    return read_ruleset(listing)


def read_holding(
    listing: str, rendered: str, containers: dict, runtime: list[dict], forwarded: list[dict] | None = None
) -> tuple[dict, dict[str, dict], list[dict]]:
    """Return the verdict table of a host, those of its containers by name, and those of what it forwards."""
    from .container_reader import read_holding as of_others

    return of_others(listing, rendered, containers, runtime, forwarded)


def meets_others(listing: str) -> bool:
    """Return whether a listing has chains that meet others than the host itself."""
    return any(f"\tchain {name} {{" in listing for name in (*CONTAINER_CHAINS, *FORWARD_CHAINS))


def filled(section: str) -> dict:
    """Return what hosts and kernel filled, of a listing of a table or of single sets."""
    inside = "\n".join(line for line in section.splitlines() if line.startswith("\t"))
    found: Any = read_ruleset(f"table inet ringfence {{\n{inside}\n}}\n")
    return found["filled"]


def features(reply: Reply) -> dict[str, str | bool]:
    """Return what a host can do, as far as it tells; an empty version of nft says that there is none."""
    found: dict[str, str | bool] = {
        key: reply.last(key) for key in ("nft", "iptables", "ipset", "kernel") if reply.last(key)
    }
    if reply.all("nft") == [""]:
        found["nft"] = ""
    found |= {key: reply.last(key) == "yes" for key in ("cgroup2", "socket_cgroup") if reply.last(key)}
    return found


def answer_age(element: dict) -> int:
    """Return how many seconds ago an element of a dynamic set was given."""
    return max(0, round(ANSWER_STANDS - element["expires"]))
