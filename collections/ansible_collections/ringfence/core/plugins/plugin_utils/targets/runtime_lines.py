# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host fills in at run time as the lines that its script reads: processes, and names to look up."""

from __future__ import annotations


def runtime_lines(runtime: list[dict]) -> str:
    """Return a host's `runtime` as lines `unit|user|container NAME MAP goto CHAIN`, `fqdn NAME SET timeout T`."""
    lines = []
    for process in runtime:
        kind = next(kind for kind in ("unit", "user", "fqdn", "container") if kind in process)
        lines += [f"{kind} {process[kind]} {name} {verdict}\n" for name, verdict in process["elements"]]
    return "".join(lines)
