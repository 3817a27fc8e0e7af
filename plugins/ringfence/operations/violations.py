"""Violations that a watch found: listed, settled by what the policy says now, accepted by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError, InputErrors
from ringfence.watch.events import DENIALS, End, Kind
from ringfence.watch.judge import Judge
from ringfence.watch.violations import Status, Violation, ViolationStore, overdue
from ringfence.workspace import STATE

if TYPE_CHECKING:
    from datetime import datetime

    from ringfence.estate import Estate

__all__ = ["Status", "Violations", "accept", "known_ids", "violations"]

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Violations:
    """Violations, the newest last."""

    violations: tuple[Violation, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"violations": [one.data() for one in self.violations]}

    @property
    def new(self) -> int:
        """Return how many nobody has accepted and nothing has fixed."""
        return sum(one.status is Status.NEW for one in self.violations)


def violations(estate: Estate, statuses: Sequence[Status] = ()) -> Violations:
    """Return the kept violations of some statuses, of all without any, settled by the policy as the files have it.

    One is fixed where it was not seen for long, or where the policy now says otherwise of what was seen.
    """
    store = ViolationStore(estate.directory / STATE)
    found = store.load()
    now = current_time()
    open_ones = {key: one for key, one in found.items() if one.status is not Status.FIXED}
    if open_ones:
        after = estate.workspace.settings.watch.fixed_after
        judge = Judge(estate.in_force(), {})
        settled = {key: overdue(_judged(judge, one, now), now, after) for key, one in open_ones.items()}
        changed = {key: one for key, one in settled.items() if one is not found[key]}
        if changed:
            store.replace(changed)
            found |= changed
    chosen = [one for one in found.values() if not statuses or one.status in statuses]
    return Violations(tuple(sorted(chosen, key=lambda one: (one.last_seen, one.id))))


def known_ids(estate: Estate) -> list[str]:
    """Return the ids of all violations that are kept."""
    return list(ViolationStore(estate.directory / STATE).load())


def accept(estate: Estate, ids: Sequence[str], because: str) -> Violations:
    """Accept violations by their ids, or beginnings of them, with a person's reason, and return them.

    They stay accepted however often they are seen. Raise InputErrors for ids that none or several have.
    """
    if not because.strip():
        raise InputError("a violation is accepted for a reason", remedy="--because 'the old backup, gone in March'")
    if len(because) > LONGEST_REASON:
        raise InputError(f"the reason has more than {LONGEST_REASON} letters")
    store = ViolationStore(estate.directory / STATE)
    found = store.load()
    chosen: dict[str, Violation] = {}
    errors: list[InputError] = []
    for word in ids:
        met = [one for key, one in found.items() if key.startswith(word)]
        if len(met) == 1:
            chosen[met[0].id] = met[0]
        else:
            near = nearest(word, found)
            what = f"{len(met)} violations have an id that begins" if met else "no violation has an id that begins"
            remedy = did_you_mean(word, near) if near else "ringfence violations lists them"
            errors.append(InputError(f"{what} with '{word}'", remedy=remedy))
    if errors:
        raise InputErrors(errors)
    now = current_time()
    accepted = {
        key: replace(one, status=Status.ACCEPTED, because=because.strip(), changed=now) for key, one in chosen.items()
    }
    store.replace(accepted)
    return Violations(tuple(accepted.values()))


def _judged(judge: Judge, one: Violation, now: datetime) -> Violation:
    """Return a violation, fixed where the policy as it is now says otherwise of the flow by which it was seen."""
    if one.kind not in DENIALS:
        return one
    seen = one.example
    client, server = judge.end(seen.client, seen.host), judge.end(seen.server, seen.host)
    if (client.asset, server.asset) != (seen.client_asset, seen.server_asset):
        return _fixed(one, "its address is another asset's now", now)
    now_is = judge.ruled(client, server, seen.protocol, seen.port, answered=False)
    if now_is.kind is Kind.ALLOWED and not _is_unknown(client, server):
        return _fixed(one, f"the policy allows it now: {now_is.rule}", now)
    if now_is.kind is Kind.CUT and one.kind is not Kind.NOT_ENFORCED:
        return _fixed(one, f"it is cut now: {now_is.rule}", now)
    if now_is.kind is Kind.DENIED and one.kind is Kind.WOULD_DENY:
        return _fixed(one, f"the policy denies it now: {now_is.rule}", now)
    return one


def _is_unknown(client: End, server: End) -> bool:
    """Return whether no end is an asset: then nothing of the policy was asked."""
    return client.asset is None and server.asset is None


def _fixed(one: Violation, because: str, now: datetime) -> Violation:
    return replace(one, status=Status.FIXED, because=because, changed=now)
