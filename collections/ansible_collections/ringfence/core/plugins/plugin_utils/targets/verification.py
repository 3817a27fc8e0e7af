# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof that a host enforces what its plan says, or the sentences that say what differs."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL, enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Host, Plan
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.set_names import set_digest

from .answer_values import shown
from .host_emergencies import read_emergencies
from .host_status import forwards, held
from .orders import Reply
from .other_firewalls import other_firewalls

# What the kernel lists, of nft or of iptables, where connections end with their permission.
LABEL_DROP = "label"
# Sentences about the verdict table, and about processes, that are told of one host; the rest is counted, and what is of
# the table told as data.
MOST_TOLD = 40
# Differences, and lines of other tables, that a result carries as data.
MOST_DATA = 5_000
MOST_FOREIGN = 500
LONGEST_FOREIGN = 300


def verify(plan: Plan, host: Host, reply: Reply) -> dict:
    """Return `drift` (nothing: proven), `differences` (the same as data), `not_proven`, `answers`, what the host holds.

    `reply` is that to `status` with its listing.
    """
    enforcer = host.enforcer
    now = held(reply, enforcer)
    wanted = plan.table(host.table)
    listing = reply.sections.get("listing", "")
    try:
        if host.containers or host.forwarded or _meets_others(enforcer, listing):
            found, told = _of_others_too(plan, host, listing)
        else:
            found = enforcement(enforcer).read(listing)
            told = differences(wanted, found)
    except (ValueError, RecursionError, OverflowError) as error:
        return unjudged(reply, f"this host's listing cannot be read: {shown(str(error), LONGEST_FOREIGN)}", enforcer)
    processes, dead = _processes(reply, found["filled"]["processes"])
    processes = _first(processes, "processes")
    sentences = _first([str(one["text"]) for one in told], "differences")
    if now["state"] == "unknown":
        # what could not be read does not differ
        processes, dead = [], 0
        if reply.last("table") in ("", "unknown"):
            told, sentences = [], []
    emergencies = _first(_emergencies(reply, found), "emergencies")
    drift = [
        *_holding(plan, host, now),
        *sentences,
        *processes,
        *_untold(host, reply, now),
        *emergencies,
        *now["damaged"],
    ]
    return {
        "drift": drift,
        "differences": told[:MOST_DATA],
        "not_proven": [*_foreign(reply), *_on_their_way(reply)],
        "older": _older(plan, reply),
        "beside": other_firewalls(reply),
        "forwards": forwards(reply),
        "dead_elements": dead,
        "leftovers": len(found["leftovers"]),
        "standing": len(found["filled"]["standing"]),
        "answers": _answers(host, found["filled"]["answers"]),
        "held": now,
    }


def _meets_others(enforcer: str, listing: str) -> bool:
    """Return whether a listing has chains for others than the host, which a plan may not know."""
    its = enforcement(enforcer)
    return hasattr(its, "meets_others") and its.meets_others(listing)


def _of_others_too(plan: Plan, host: Host, listing: str) -> tuple[dict, list[dict]]:
    """Return what a host enforces, and how that and what it enforces for others differ from the plan."""
    its = enforcement(host.enforcer)
    rendered = plan.ruleset(host.ruleset, its.SUFFIX).decode()
    found, tables, on_the_way = its.read_holding(listing, rendered, host.containers, host.runtime, host.forwarded)
    told = list(differences(plan.table(host.table), found))
    if found["present"]:
        for name, table in tables.items():
            of_one = differences(plan.table(host.containers[name]["table"]), table)
            told += [{**one, "container": name, "text": f"container {name}: {one['text']}"} for one in of_one]
        for group, table in zip(host.forwarded, on_the_way, strict=True):
            whose = first_few(group["assets"])
            of_one = differences({**plan.table(group["table"]), "control": None}, table)
            told += [
                {**one, "forwarded": group["assets"], "text": f"forwarded, {whose}: {one['text']}"} for one in of_one
            ]
    return found, told


def _emergencies(reply: Reply, found: dict) -> list[str]:
    """Return what the kernel has or lacks of the emergencies that the host keeps, one sentence each."""
    told = [shown(f"emergency {one}", LONGEST_FOREIGN) for one in read_emergencies(reply).drift]
    if found.get("passes") and LABEL_DROP not in reply.sections.get("emergency_kernel", ""):
        told.append("connections of permissions pass the table, and no table of emergencies ends them")
    return told


def _first(sentences: list[str], of_what: str) -> list[str]:
    more = len(sentences) - MOST_TOLD
    return [*sentences[:MOST_TOLD], f"and {more} {of_what} more"] if more > 0 else sentences


def unjudged(reply: Reply, why: str, enforcer: str = USUAL) -> dict:
    """Return what is told of a host whose table could not be compared: that is drift."""
    return {
        "drift": [why],
        "differences": [],
        "not_proven": _foreign(reply),
        "older": [],
        "beside": other_firewalls(reply),
        "forwards": forwards(reply),
        "dead_elements": 0,
        "leftovers": 0,
        "standing": 0,
        "answers": {},
        "held": held(reply, enforcer),
    }


def _older(plan: Plan, reply: Reply) -> list[str]:
    """Return what another release of Ringfence wrote otherwise than this one does, with the command that ends it."""
    told = reply.all("older")
    if not told:
        return []
    more = f", and {len(told) - 1} more" if told[1:] else ""
    why = "applied by another release of Ringfence, whose units differ or were changed since"
    return [f"{why} ({told[0]}{more}): 'ringfence apply {plan.identity} --renew' writes them anew"]


def _foreign(reply: Reply) -> list[str]:
    lines = reply.sections.get("foreign", "").splitlines()
    return [shown(line, LONGEST_FOREIGN) for line in lines[:MOST_FOREIGN]]


def _holding(plan: Plan, host: Host, now: dict) -> list[str]:
    """Return what is said of the state of a host that does not hold the plan, with the command that ends it."""
    if now["state"] == "unknown":
        ends = f"'ringfence apply {plan.identity} --renew'" if now["ruleset"] else "'ringfence plan --rebase'"
        return [f"unknown: {why}; fix this, then run {ends}" for why in now["unknown"]]
    if now["state"] == "waiting":
        short = now["waiting"]["plan"][:12]
        waits = f"plan {short} is waiting for confirmation on this host"
        if now["waiting"]["armed"]:
            return [f"{waits}: 'ringfence confirm {short}' confirms it, 'ringfence rollback {short}' reverts it"]
        return [f"{waits}, but its scheduled rollback is gone: 'ringfence rollback {short}' reverts it"]
    if now["state"] == "lost":
        return [
            f"open: the kernel of this host has no Ringfence table, although it confirmed {_short(now['plan'])}; "
            f"'ringfence apply {plan.identity} --renew' reloads it"
        ]
    went = _went_back(plan, now)
    if now["state"] == "none":
        return [*went, "this host holds no plan: it is open"]
    if now["ruleset"] != host.ruleset:
        return [
            *went,
            f"this host holds ruleset {now['ruleset'][:12]} of plan {now['plan'][:12]} (sequence {now['sequence']}), "
            f"plan {plan.identity} (sequence {plan.sequence}) requires {host.ruleset[:12]}",
        ]
    return []


def _short(plan: str) -> str:
    return f"plan {plan[:12]}" if plan else "a plan"


# What the history calls the end of a wait that was not confirmed.
WENT_BACK = ("timed-out", "rolled-back", "abandoned", "flushed", "failed")


def _went_back(plan: Plan, now: dict) -> list[str]:
    told = [event for event in now["history"] if event["plan"] == plan.digest]
    if not told or told[-1]["event"] not in WENT_BACK:
        return []
    return [
        f"rolled back: plan {plan.identity} was not confirmed on this host ({told[-1]['event']}, {told[-1]['time']}); "
        f"'ringfence apply {plan.identity}' tries again"
    ]


def _untold(host: Host, reply: Reply, now: dict) -> list[str]:
    """Return a sentence for every process of the plan that the host says nothing of, which proves nothing."""
    if now["ruleset"] != host.ruleset:
        return []
    told = {("unit", line.split(" ")[1]) for line in reply.all("unit")}
    told |= {("user", line.split(" ")[0]) for line in reply.all("user")}
    told |= {("container", line.split(" ")[1]) for line in reply.all("container")}
    kinds = ("unit", "user", "container")
    told |= {(kind, name) for kind in kinds for name in reply.all(f"no_{kind}")}
    planned = [(kind, process[kind]) for process in host.runtime for kind in kinds if kind in process]
    return [f"unknown: this host does not report {kind} {name}" for kind, name in planned if (kind, name) not in told]


def _answers(host: Host, elements: list[dict]) -> dict[str, list[dict]]:
    """Return, for every name of the plan, the addresses that the host holds for it and their ages in seconds."""
    names = [process["fqdn"] for process in host.runtime if "fqdn" in process]
    return {
        name: [
            {"address": one["address"], "age": enforcement(host.enforcer).answer_age(one)}
            for one in elements
            if one["set"] == set_digest(f"fqdn:{name}")
        ]
        for name in names
    }


def _on_their_way(reply: Reply) -> list[str]:
    """Return a sentence for every unit that began or ended while the kernel was listed."""
    moving = [
        f"{kind} {who} is starting or stopping: its rules are not checked"
        for kind in ("unit", "container")
        for who in sorted({line.split(" ")[1] for line in reply.all(kind) if line.startswith("changing ")})
    ]
    return _first(moving, "units and containers")


def _processes(reply: Reply, elements: list[dict]) -> tuple[list[str], int]:
    """Return what is wrong with the elements of processes, and how many belong to cgroups that are gone."""
    wanted, may_be = {}, set()
    for line in reply.all("unit"):
        runs, who, name, chain, path = line.split(" ")
        if runs == "runs":
            wanted[name, path, f"goto {chain}"] = f"unit {who}"
        elif runs == "changing":
            may_be.add((name, path, f"goto {chain}"))
    for line in reply.all("container"):
        runs, who, name, chain, address = line.split(" ")
        if runs == "runs":
            wanted[name, address, f"goto {chain}"] = f"container {who}"
        else:
            may_be.add((name, address, f"goto {chain}"))
    for line in reply.all("user"):
        who, name, chain, uid = line.split(" ")
        wanted[name, uid, f"goto {chain}"] = f"user {who}"
    found = {(element["map"], element["key"], element["verdict"]) for element in elements}
    dead = {(element["map"], element["key"], element["verdict"]) for element in elements if "gone" in element}
    missing = [
        f"{who} is running but not in {key[0]}: its rules do not apply"
        for key, who in wanted.items()
        if key not in found
    ]
    foreign = [
        f"{name} leads '{key}' to {verdict.removeprefix('goto ')}, and no such process is planned"
        for name, key, verdict in sorted(found - dead - may_be - wanted.keys())
    ]
    return missing + foreign, len(dead)
