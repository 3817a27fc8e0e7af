"""What a draft does: to the flows that were seen, rule by rule, to tests and invariants, and to hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.model.picture import PictureFlow, Sign, SignCount


@dataclass(frozen=True, slots=True)
class SignChange:
    """How many flows have one sign before and another one after."""

    before: Sign
    after: Sign
    count: SignCount

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"before": self.before.name.lower(), "after": self.after.name.lower(), **counts(self.count)}


@dataclass(frozen=True, slots=True)
class StandsBefore:
    """A rule (or `default`, or a built-in) that decides flows which a drafted rule matches and does not decide."""

    rule: str
    name: str
    tier: str
    place: str
    flows: int

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {name: getattr(self, name) for name in ("rule", "name", "tier", "place", "flows")}


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """Whether a drafted rule decides anything: `decides` of the flows that it `matches`; who decides the others.

    `bites` are the hosts, of the `hosts` that it speaks for, whose mode enforces it.
    """

    rule: str
    name: str
    place: str
    action: str
    decides: int
    matches: int
    before: tuple[StandsBefore, ...]
    bites: int
    hosts: int

    def words(self) -> str:
        """Return whether it decides anything, in a line for people."""
        said = f"decides {self.decides:,} of {self.matches:,} flows"
        if self.before:
            first = self.before[0]
            tier = f", tier {first.tier}," if first.tier else ""
            said += f": '{first.name}'{tier} decides {first.flows:,} before it"
        return said

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        names = ("rule", "name", "place", "action", "decides", "matches", "bites", "hosts")
        return {**{name: getattr(self, name) for name in names}, "before": [one.data() for one in self.before]}


@dataclass(frozen=True, slots=True)
class Checks:
    """Tests and invariants, as if every mode were full: how many there are, those not met, those not met only now."""

    tests: int
    failing: tuple[str, ...]
    invariants: int
    broken: tuple[str, ...]
    newly: tuple[str, ...]

    def words(self) -> str:
        """Return how many are met, for people."""
        tests, invariants = self.tests - len(self.failing), self.invariants - len(self.broken)
        return f"tests {tests}/{self.tests}  invariants {invariants}/{self.invariants}"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "tests": self.tests,
            "failing": list(self.failing),
            "invariants": self.invariants,
            "broken": list(self.broken),
            "newly_not_met": list(self.newly),
        }


@dataclass(frozen=True, slots=True)
class DraftEffect:
    """What is different under a draft: flows newly denied and newly allowed, and those whose sign changes.

    `would_be_denied` counts what passes only because a mode does not bite, before and after. `worst` are newly denied
    flows, the busiest first. `hosts` take another table. `checks` is None where nobody asked.
    """

    flows: int
    newly_denied: SignCount
    newly_allowed: SignCount
    would_be_denied: tuple[SignCount, SignCount]
    changes: tuple[SignChange, ...]
    rules: tuple[RuleEffect, ...]
    worst: tuple[PictureFlow, ...]
    hosts: tuple[str, ...]
    checks: Checks | None = None

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        before, after = self.would_be_denied
        return {
            "flows": self.flows,
            "newly_denied": counts(self.newly_denied),
            "newly_allowed": counts(self.newly_allowed),
            "would_be_denied": {"before": counts(before), "after": counts(after)},
            "changes": [one.data() for one in self.changes],
            "rules": [one.data() for one in self.rules],
            "worst": [_flow(one) for one in self.worst],
            "hosts": list(self.hosts),
            "checks": self.checks.data() if self.checks else None,
        }


def counts(count: SignCount) -> dict[str, int]:
    """Return a count as plain data."""
    return {"flows": count.flows, "connections": count.connections}


def _flow(one: PictureFlow) -> dict[str, object]:
    return {
        "client": one.client.address,
        "client_asset": one.client.asset,
        "server": one.server.address,
        "server_asset": one.server.asset,
        "protocol": one.protocol,
        "port": one.port,
        "connections": one.connections,
    }


@dataclass(frozen=True, slots=True)
class RuleHome:
    """A document that a rule can stand in: its file, its head (`scope`, `tier`, `priority`), its number in the file.

    `new` says that the file has no such document yet, `document` is the number that it gets then. `tier` and `scope`
    are for people, "" for no scope.
    """

    file: str
    head: Mapping[str, object]
    document: int
    tier: str
    scope: str
    new: bool


@dataclass(frozen=True, slots=True)
class OfferedService:
    """A service that the traffic of a cell was seen on, in the words of the grammar."""

    words: str
    count: SignCount


@dataclass(frozen=True, slots=True)
class FilledRule:
    """A rule made of a cell, as plain data of the grammar, with what it can be made otherwise.

    `homes` are the documents that it can stand in, the proposed one first; `services` are all ticked in it; `processes`
    are the units of the client that were seen, None for flows that named none.
    """

    rule: Mapping[str, object]
    homes: tuple[RuleHome, ...]
    services: tuple[OfferedService, ...]
    processes: tuple[tuple[str | None, int], ...]
