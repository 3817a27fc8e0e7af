"""Suggestions of labels with their evidence, in lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.operations.labels import Suggested


def suggestion_lines(found: Suggested) -> Iterator[Line]:
    """Yield what was written, where suggestions were accepted, else every suggestion."""
    if found.accepted:
        for one, rule in zip(found.accepted, found.rules, strict=True):
            yield Line(f"{one.name} written into labels.yml, priority {rule['priority']}", style="green")
        return
    for one in found.suggestions:
        yield Line(f"{one.name}  {counted(len(one.assets), 'asset')}", bold=True)
        yield Line(f"  when {one.when}")
        for reason in one.evidence:
            yield Line(f"  {reason}")
    take = "; to take one: ringfence labels suggest --accept NAME" if found.suggestions else ""
    yield Line(f"{counted(len(found.suggestions), 'suggestion')}{take}")
