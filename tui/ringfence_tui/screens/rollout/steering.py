"""What ending a run would do, in numbers, for the dialogs that ask."""

from __future__ import annotations

from ringfence.model.counts import counted
from ringfence.presenting.rollout_board import BoardHead, Phase

from ringfence_tui.spans import Row, row


def abort_rows(head: BoardHead) -> tuple[Row, ...]:
    """Return what aborting a run would do."""
    return (
        row(f"confirmed   {_hosts(head, Phase.WELL)}: the new table stays there"),
        row(f"at work     {_hosts(head, Phase.WORKS)}: what waits goes back by itself within {head.confirm_within} s"),
        row(f"not begun   {_hosts(head, Phase.NEXT, Phase.HELD)}"),
    )


def back_rows(head: BoardHead, plan: str) -> tuple[Row, ...]:
    """Return what rolling a run back would do; `plan` is the one that comes back."""
    return (
        row("the run ends first, and no other drives its hosts in between"),
        row(f"confirmed   {_hosts(head, Phase.WELL)}: plan {plan[:4]} comes back, in a run of its own with its waves"),
        row(f"at work     {_hosts(head, Phase.WORKS)}: what waits is taken back at once"),
        row(f"not begun   {_hosts(head, Phase.NEXT, Phase.HELD)}: hold what they held"),
        row("it is done also when you leave; runs/ says who asked for it"),
    )


def _hosts(head: BoardHead, *phases: Phase) -> str:
    return counted(head.count(*phases), "host")
