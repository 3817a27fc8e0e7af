"""What hosts could not see when they were asked for their flows, a problem for each reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ringfence.flows.records import clean_text
from ringfence.model.counts import counted
from ringfence.model.problems import Problem, Severity

# Hosts that are named, and reasons that are told.
NAMED = 3
MOST_REASONS = 20


def unseen_of(result: Mapping[str, object]) -> tuple[str, ...]:
    """Return what a host's report says it could not see; none where a report says nothing of the kind."""
    told = result.get("unseen")
    return tuple(clean_text(one) for one in told if isinstance(one, str)) if isinstance(told, list) else ()


def unseen_problems(unseen: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    """Return a warning for each reason, with the hosts that gave it; those of most hosts first."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for host in sorted(unseen):
        for reason in dict.fromkeys(unseen[host]):
            hosts[reason].append(host)
    reasons = sorted(hosts, key=lambda reason: (-len(hosts[reason]), reason))
    problems = [Problem(Severity.WARNING, f"{_named(hosts[reason])}: {reason}") for reason in reasons]
    if len(problems) > MOST_REASONS:
        more = counted(len(problems) - MOST_REASONS, "more reason")
        problems[MOST_REASONS:] = [Problem(Severity.WARNING, f"{more} why hosts did not see everything")]
    return problems


def _named(hosts: list[str]) -> str:
    shown = ", ".join(map(clean_text, hosts[:NAMED]))
    return shown if len(hosts) <= NAMED else f"{shown} and {counted(len(hosts) - NAMED, 'more host')}"
