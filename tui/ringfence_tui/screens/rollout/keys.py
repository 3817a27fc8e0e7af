"""The keys of the rollout, and which of them the last line shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import Enum, auto

from ringfence.presenting.rollout_board import BoardHead

from ringfence_tui.keys import Key

PLAN = Key("p", "make_plan", "plan", "Make a plan of the files as they are now", changes=True)
REBASE = Key("b", "rebase", "", "Ask the hosts what they hold, then make a plan", changes=True)
ROLL_OUT = Key("o", "roll_out", "roll out", "Roll this plan out: asks for its first four digits", changes=True)
PAUSE = Key("P", "pause", "pause", "Pause before the next wave, or go on", changes=True)
GO_ON = replace(PAUSE, label="go on")
ABORT = Key("A", "abort", "abort", "End the run: what waits for its confirmation goes back by itself", changes=True)
EXCUSE = Key("x", "excuse", "excuse", "Go on without the host at the cursor where it fails", changes=True)
AGAIN = Key("r", "again", "again", "Roll the same plan out again: hosts that hold it are not touched", changes=True)
BACK = Key(
    "R", "roll_back", "roll back", "Go back to what hosts held before; a run that works ends first", changes=True
)
LOG = Key("l", "log", "log", "Show what the run told, or the board again")
DIFF = Key("d", "diff", "diff", "Show the diff of the plan, or the board again")
DENIED = Key("i", "denied", "denied", "Ask the hosts that confirmed what they denied since they got the new table")
HISTORY = Key("H", "history", "history", "Show the runs until now")
VERIFY = Key("v", "verify", "verify", "Show what hosts enforce beside what their plan says")
LONGER = Key("plus", "within(1)", "", "Give hosts more time to confirm a new table")
SHORTER = Key("minus", "within(-1)", "", "Give hosts less time to confirm a new table")
PASSWORDS = Key("K", "passwords", "", "Give the passwords that Ansible needs")
# Seconds that a host has to confirm a new table, else it goes back by itself.
TIMES = (30, 60, 120, 300, 900)
KEYS = (
    PLAN,
    REBASE,
    ROLL_OUT,
    PAUSE,
    ABORT,
    EXCUSE,
    AGAIN,
    BACK,
    LOG,
    DIFF,
    DENIED,
    HISTORY,
    VERIFY,
    LONGER,
    SHORTER,
    PASSWORDS,
)


class Shown(Enum):
    """What the screen shows."""

    PLAN = auto()
    BOARD = auto()
    LOG = auto()


def keys_of(shown: Shown, head: BoardHead | None, usable: Collection[str] = "xrR") -> tuple[Key, ...]:
    """Return the keys of what is shown, of a run where there is one; of x, r and R those that are `usable`."""
    if shown is Shown.PLAN:
        return (ROLL_OUT, PLAN, *([DIFF] if head else []), HISTORY, VERIFY)
    if head is not None and head.lives:
        found: tuple[Key, ...] = (GO_ON if head.pause else PAUSE, ABORT, BACK, EXCUSE, LOG, DIFF, HISTORY)
    else:
        found = (AGAIN, EXCUSE, BACK, DENIED, LOG, DIFF, PLAN, HISTORY, VERIFY)
    return tuple(key for key in found if key not in (AGAIN, EXCUSE, BACK) or key.name in usable)
