# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host holds, as its status tells it, in the form that results have."""

from __future__ import annotations

import re

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL, enforcement

from .answer_values import shown
from .host_emergencies import emergency_entries, read_emergencies
from .orders import Reply
from .reply_shape import HISTORY

# Entries of each list that a result carries; the script sends fewer.
MOST_EVENTS = 50
MOST_DAMAGED = 100
MOST_RECORDED = 100_000
MOST_FORWARDS, LONGEST_FORWARD = 20, 300
# Of the lines of status_forwarding those that say what passes.
_FORWARDS = re.compile(r"^(forwarded, judged by |bridge \S+: forwarded past |/proc/sys/net/\S+: this host forwards$)")


def held(reply: Reply, enforcer: str = USUAL) -> dict:
    """Return what a host holds and can do, from the reply to `status`.

    `state` is what its kernel was read to have: `confirmed`, `waiting` (for a confirmation), `lost` (confirmed, and not
    in the kernel: open), `none`, or `unknown`, with a sentence for each reason in `unknown`. `in_kernel` is the
    beginning of the digest of the verdict table that the kernel has.
    """
    unknown = _unknown(reply)
    return {
        "enforcer": enforcer,
        "state": "unknown" if unknown else _state(reply),
        "unknown": unknown[:MOST_DAMAGED],
        "in_kernel": reply.last("in_kernel"),
        "plan": reply.last("plan"),
        "sequence": int(reply.last("sequence") or 0),
        "ruleset": reply.last("ruleset"),
        "table": reply.last("verdict_table"),
        "applied": reply.last("applied"),
        "waiting": _waiting(reply),
        "damaged": [*reply.all("damaged"), *reply.all("unkept")][:MOST_DAMAGED],
        "reached_from": reply.last("peer"),
        "persistence": reply.last("persistence"),
        "features": enforcement(enforcer).features(reply),
        "emergency": emergency_entries(read_emergencies(reply)),
        "history": [_event(line) for line in _history(reply)[-MOST_EVENTS:]],
    }


def forwards(reply: Reply) -> list[str]:
    """Return what a host forwards for others, in the words of its script; it tells that beside its listing."""
    lines = reply.sections.get("foreign", "").splitlines()
    return [shown(line, LONGEST_FORWARD) for line in lines if _FORWARDS.search(line)][:MOST_FORWARDS]


def recorded(listing: str, rules: dict, enforcer: str = USUAL) -> tuple[list[dict], list[dict]]:
    """Return the counters and the denials of a listing, of a table or of single sets; `rules` are those of a plan."""
    filled = enforcement(enforcer).filled(listing)
    counters, denials = ([_named(entry, rules) for entry in filled[name]] for name in ("counters", "remembered"))
    return counters[:MOST_RECORDED], denials[:MOST_RECORDED]


def _history(reply: Reply) -> list[str]:
    return [line for line in reply.sections.get("history", "").splitlines() if HISTORY.fullmatch(line)]


def full_records(listing: str, rules: dict, enforcer: str = USUAL) -> list[dict]:
    """Return the records of a listing that can take no more: what else was denied or watched is no denial of it."""
    return [_named(entry, rules) for entry in enforcement(enforcer).filled(listing)["full"]]


def unrecorded(full: list[dict]) -> list[str]:
    """Return a sentence for every record that can take no more."""
    return [
        f"the record of what rule {one['rule']} {'denied' if one['effect'] == 'deny' else 'would deny'} "
        f"{one['direction']} by IPv{one['family']} is full ({one['entries']} entries): later denials are counted "
        "and not recorded"
        for one in full
    ]


def _named(entry: dict, rules: dict) -> dict:
    named = rules.get(entry["rule"])
    return {**entry, "name": named["name"], "place": named["place"]} if named else entry


def _unknown(reply: Reply) -> list[str]:
    """Return the reasons for which nothing is known of a host, in its own words or for what it leaves out."""
    if reply.all("unknown") or reply.all("stands"):
        return reply.all("unknown")
    table = reply.last("table")
    if table == "present" and reply.last("pending") != "armed":
        return ["the kernel has a table of ours that is neither what was confirmed nor what waits"]
    if table not in ("present", "absent"):
        return ["this host does not tell what is in its kernel"]
    return []


def _state(reply: Reply) -> str:
    stands = reply.all("stands")
    if "candidate" in stands or (reply.last("pending") == "armed" and reply.last("table") != "absent"):
        return "waiting"
    if not reply.last("ruleset"):
        return "lost" if reply.all("damaged") else "none"
    return "confirmed" if "confirmed" in stands else "lost"


def _waiting(reply: Reply) -> dict | None:
    if not reply.last("pending"):
        return None
    return {
        "plan": reply.last("pending_plan"),
        "ruleset": reply.last("pending_ruleset"),
        "until": int(reply.last("pending_deadline") or 0),
        "armed": reply.last("pending") == "armed",
        "stands": "candidate" in reply.all("stands"),
    }


def _event(line: str) -> dict:
    time, event, plan, sequence, ruleset = ("" if word == "-" else word for word in line.split(" "))
    return {"time": time, "event": event, "plan": plan, "sequence": int(sequence or 0), "ruleset": ruleset}
