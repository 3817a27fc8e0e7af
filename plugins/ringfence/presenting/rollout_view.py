"""What became of a plan on its hosts, in lines: changes, connections that are denied now, failures, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.safe_text import clean_line
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.operations.apply import Rollout
    from ringfence.operations.plan_result import PlanResult
    from ringfence.rollout import PlaybookResult


def rollout_lines(rollout: Rollout) -> Iterator[Line]:
    """Yield what a rollout did."""
    result = rollout.result
    for name, host in sorted(result.hosts.items()):
        yield from _standing(name, host.result.get("standing_denied"))
        if more := host.result.get("standing_denied_more"):
            yield Line(f"{name}: {more} more established connections are denied now", style="yellow")
    changed = sum(host.changed for host in result.hosts.values())
    well = sum(host.ok for host in result.hosts.values())
    hold, change = ("would hold it", "would change") if rollout.request.check else ("hold it", "changed")
    yield Line(
        f"plan {rollout.plan.short}: {well}/{len(result.hosts)} hosts {hold}, {changed} {change}",
        style="green" if result.ok else "red",
        bold=True,
    )
    yield from failed_lines(result)


def failed_lines(result: PlaybookResult) -> Iterator[Line]:
    """Yield why each host failed that did."""
    for host in sorted(result.hosts.values(), key=lambda one: one.host):
        if not host.ok:
            reason = f": {clean_line(host.reason)}" if host.reason else ""
            yield Line(f"  {clean_line(host.host)}: {host.state}{reason}", style="red")


def interrupted_lines(rollout: Rollout) -> Iterator[Line]:
    """Yield what becomes of hosts that an interrupt left in between, and what a person can do."""
    plan, request = rollout.plan, rollout.request
    yield Line("interrupted", style="red")
    chosen = "".join(f" --limit {shlex.quote(host)}" for host in request.limit)
    if rollout.left_in_between:
        confirm, rollback = (f"ringfence {verb} {plan.short}{chosen}" for verb in ("confirm", "rollback"))
        yield Line(f"  a host that waits for its confirmation goes back by itself within {request.confirm_within} s")
        yield Line(f"  → keep what waits: {confirm}; take it back now: {rollback}")
    yield Line(f"  → go on: ringfence apply {plan.short}{chosen}; hosts that hold the plan are not touched")


def confirmed_lines(done: PlanResult) -> Iterator[Line]:
    """Yield how many hosts confirmed, and why others did not."""
    yield Line(f"plan {done.plan.short}: {done.well}/{len(done.result.hosts)} hosts confirmed")
    yield from failed_lines(done.result)


def rolled_back_lines(done: PlanResult) -> Iterator[Line]:
    """Yield which hosts went back, and what else can be done where none did."""
    changed = done.changed
    hosts = f": {', '.join(changed)}" if changed else ""
    yield Line(f"{len(changed)} of {len(done.result.hosts)} hosts went back{hosts}")
    yield from failed_lines(done.result)
    if not changed and done.result.ok:
        restore = f"ringfence plan --restore EARLIER (before {done.plan.short})"
        yield Line(f"nothing waited; to undo what is confirmed: {restore}")


def _standing(name: str, connections: object) -> Iterator[Line]:
    """Yield what became of the connections that stood before and that the new table denies."""
    told = [one for one in connections if isinstance(one, dict)] if isinstance(connections, list) else []
    certain = [one for one in told if one.get("certain") is not False]
    unsure = len(told) - len(certain)
    ended = sum(one.get("cut") is True for one in certain)
    for denied, became in ((ended, "ended"), (len(certain) - ended, "let stand (cut: true would end them)")):
        if denied:
            text = f"{clean_line(name)}: {denied} established connections are denied now, and were {became}"
            yield Line(text, style="yellow")
    if unsure:
        yield Line(f"{clean_line(name)}: {unsure} established connections depend on their process, and were let stand")
