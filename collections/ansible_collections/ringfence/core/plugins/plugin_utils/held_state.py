# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host holds, as its status tells it, in the form that results have."""

from __future__ import annotations

from .nft_reader import read_ruleset
from .reply_shape import HISTORY
from .target_orders import Reply

# Entries of each list that a result carries; the script sends fewer.
MOST_EVENTS = 50
MOST_DAMAGED = 100
MOST_RECORDED = 100_000


def held(reply: Reply) -> dict:
    """Return what a host holds and can do, from the reply to `status`.

    `state` is `confirmed`, `waiting` (for a confirmation), `lost` (confirmed, and not in the kernel) or `none`.
    """
    return {
        "state": _state(reply),
        "plan": reply.last("plan"),
        "sequence": int(reply.last("sequence") or 0),
        "ruleset": reply.last("ruleset"),
        "table": reply.last("verdict_table"),
        "applied": reply.last("applied"),
        "waiting": _waiting(reply),
        "damaged": reply.all("damaged")[:MOST_DAMAGED],
        "reached_from": reply.last("peer"),
        "persistence": reply.last("persistence"),
        "features": _features(reply),
        "history": [_event(line) for line in _history(reply)[-MOST_EVENTS:]],
    }


def recorded(listing: str, rules: dict) -> tuple[list[dict], list[dict]]:
    """Return the counters and the denials of a listing, of a table or of single sets; `rules` are those of a plan."""
    inside = "\n".join(line for line in listing.splitlines() if line.startswith("\t"))
    filled = read_ruleset(f"table inet ringfence {{\n{inside}\n}}\n")["filled"]
    counters, denials = ([_named(entry, rules) for entry in filled[name]] for name in ("counters", "remembered"))
    return counters[:MOST_RECORDED], denials[:MOST_RECORDED]


def _features(reply: Reply) -> dict[str, str | bool]:
    """Return what a host can do, as far as it tells."""
    found: dict[str, str | bool] = {key: reply.last(key) for key in ("nft", "kernel") if reply.last(key)}
    found |= {key: reply.last(key) == "yes" for key in ("cgroup2", "socket_cgroup") if reply.last(key)}
    return found


def _history(reply: Reply) -> list[str]:
    return [line for line in reply.sections.get("history", "").splitlines() if HISTORY.fullmatch(line)]


def _named(entry: dict, rules: dict) -> dict:
    named = rules.get(entry["rule"])
    return {**entry, "name": named["name"], "place": named["place"]} if named else entry


def _state(reply: Reply) -> str:
    if reply.last("pending") == "armed":
        return "waiting"
    if not reply.last("ruleset"):
        return "none"
    return "confirmed" if "confirmed" in reply.all("stands") else "lost"


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
