# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The emergencies of a host: what it is asked, and what it told of them."""

from __future__ import annotations

import re
import time

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.emergency_kernel import Held, judge
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.emergency_lines import (
    Emergency,
    EmergencyError,
    format,  # noqa: A004
    parse,
)

from .orders import Reply

_ID = re.compile(r"[qp]-[0-9a-f]{8}", re.ASCII)
ENDS = "# whole\n"
NOT_AS_TOLD = "this host's kernel does not have what it was told"


def emergency_order(put: str, ends: list[str]) -> str:
    """Return the standard input of the verb `emergency`. Raise PlanError for what is neither lines nor ids."""
    try:
        lines = format(parse(put if put.endswith("\n") or not put else f"{put}\n"))
    except EmergencyError as error:
        raise PlanError("input", f"the emergency is not valid: {error}") from error
    for one in ends:
        if not _ID.fullmatch(one):
            raise PlanError("input", f"'{one[:40]}' is no id of an emergency: q- or p- and 8 hexadecimal digits")
    return lines + "".join(f"end {one}\n" for one in ends) + ENDS


def approval_values(approval: dict | None, host: str) -> dict[str, str]:
    """Return what is sent beside a permission: the request that somebody approved, and the signature."""
    if not approval:
        return {}
    text, signature = (str(approval.get(name) or "").rstrip("\n") for name in ("text", "signature"))
    return {"plan_text": text, "signature": signature, "host": host}


def clock_values() -> dict[str, str]:
    """Return what is sent beside every order: the time here, for what ends by itself ends by it."""
    return {"now": str(int(time.time()))}


def read_emergencies(reply: Reply, now: float | None = None) -> Held:
    """Return the emergencies that a host keeps, and whether its kernel holds them. What cannot be read is drift."""
    kept, listing = (reply.sections.get(name, "") for name in ("emergency", "emergency_kernel"))
    try:
        passes, skew = reply.last("label_passes") != "no", int(reply.last("clock_skew") or 0)
        return judge(kept, listing, time.time() if now is None else now, passes, skew)
    except (EmergencyError, ValueError) as error:
        return Held(drift=(f"what this host keeps of emergencies cannot be read: {str(error)[:200]}",))


def held_lines(found: Held) -> str:
    """Return what the kernel holds, as lines."""
    return format(entry for entry, held in zip(found.entries, found.held, strict=True) if held)


def unlike_told(found: Held, put: str, ends: list[str]) -> list[str]:
    """Return sentences for what the kernel of a host has otherwise than it was told, none where it does as told.

    What was ended is known to be gone only where the kernel has nothing that is not kept: rules of iptables bear no id.
    """
    ids = {line.split(" ")[1] for line in put.splitlines() if line.startswith("emergency ")} | set(ends)
    wrong = [one for one in found.drift if one.split(":")[0] in ids]
    return wrong + [one for one in found.beside if ends and one not in wrong]


def emergency_entries(found: Held) -> list[dict]:
    """Return the emergencies of a host as results have them."""
    return [
        {
            "id": entry.id,
            "kind": entry.kind,
            "since": entry.since,
            "ends": entry.ends,
            "who": entry.who,
            "why": entry.why,
            "isolates": entry.isolates,
            "held": held,
        }
        for entry, held in zip(found.entries, found.held, strict=True)
    ]


def kept_lines(reply: Reply, put: str, ends: list[str]) -> tuple[str, str]:
    """Return what a host kept before an order, and what it keeps behind it."""
    before = _entries(reply.sections.get("emergency_before", ""))
    after = {one: entry for one, entry in before.items() if one not in ends} | _entries(put)
    return format(before.values()), format(after.values())


def _entries(text: str) -> dict[str, Emergency]:
    lines = [line for line in text.splitlines() if line and not line.startswith("control ")]
    try:
        return {entry.id: entry for entry in parse("".join(f"{line}\n" for line in lines))}
    except EmergencyError:
        return {}
