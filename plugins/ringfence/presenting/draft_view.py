"""The draft and what it does, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line
from ringfence.presenting.map.words import service_word
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.model.draft_effect import DraftEffect
    from ringfence.model.picture import SignCount
    from ringfence.operations.draft import Drafted


def draft_lines(found: Drafted) -> Iterator[Line]:
    """Yield the changes of a draft, what is in its way, and the difference that it makes to the files."""
    for damaged in found.damaged:
        yield Line(damaged.words(), style="red")
    if not found.changes:
        more = ", and an undone change can be done again" if found.can_redo else ""
        yield Line(f"the draft is empty{more}")
        return
    for number, one in enumerate(found.changes, 1):
        yield Line(f"{number}  {one.file}: {one.words()}")
    for file in found.edited.reloaded:
        yield Line(f"{file} was changed since; the draft is applied to it as it is now", style="yellow")
    for conflict in found.edited.conflicts:
        yield Line(f"{conflict.place}: {conflict.message}: {conflict.remedy}", style="red")
    if found:
        yield Line()
        yield from map(_of_difference, found.difference().splitlines())
    elif not found.edited.conflicts:
        yield Line("together the changes leave every file as it is")


def effect_lines(found: DraftEffect, words: str) -> Iterator[Line]:
    """Yield what a draft does to flows, rule by rule, to hosts, tests and invariants."""
    yield Line(f"{words}: {counted(found.flows, 'flow')} judged", bold=True)
    denied, allowed = found.newly_denied, found.newly_allowed
    yield Line(f"newly denied   {_count(denied)}", style="red" if denied.flows else None)
    yield Line(f"newly allowed  {_count(allowed)}", style="yellow" if allowed.flows else None)
    before, after = found.would_be_denied
    if before.flows or after.flows:
        yield Line(f"would be denied in mode full  {after.flows:,} ({after.flows - before.flows:+,})")
    for rule in found.rules:
        style = None if rule.decides else "yellow"
        yield Line(f"'{rule.name}' {rule.words()}", style=style)
        if rule.hosts:
            yield Line(f"  bites on {rule.bites:,} of {counted(rule.hosts, 'host')} it speaks for")
    for flow in found.worst:
        client, server = (end.asset or end.address for end in (flow.client, flow.server))
        service = service_word(flow.protocol, flow.port)
        yield Line(f"denied: {client} to {server} {service}, {counted(flow.connections, 'connection')}", style="red")
    hosts = f": {first_few(found.hosts)}" if found.hosts else ""
    yield Line(f"{counted(len(found.hosts), 'host takes', 'hosts take')} another table{hosts}")
    if found.checks is not None:
        yield Line(found.checks.words(), style="red" if found.checks.newly else None)
        for broken in found.checks.newly:
            yield Line(f"  met until now: {broken}", style="red")


def _of_difference(line: str) -> Line:
    head = line.startswith(("+++", "---"))
    style = None if head or not line.startswith(("+", "-")) else "green" if line.startswith("+") else "red"
    return Line(line, style=style, bold=head or None)


def _count(count: SignCount) -> str:
    return f"{counted(count.flows, 'flow')}, {counted(count.connections, 'connection')}"
