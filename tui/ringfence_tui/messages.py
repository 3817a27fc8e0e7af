"""Messages between screens."""

from __future__ import annotations

from textual.message import Message

from ringfence_tui.subjects import (
    AssetsSubject,
    AssetSubject,
    PairSubject,
    PictureSubject,
    PlanSubject,
    RuleSubject,
    RunSubject,
)

__all__ = [
    "AssetSubject",
    "AssetsSubject",
    "GoTo",
    "JobsChanged",
    "NotTaken",
    "PairSubject",
    "PictureSubject",
    "PlanSubject",
    "RuleSubject",
    "RunSubject",
    "WorkspaceChanged",
]


class GoTo(Message):
    """Go to a screen by its name, with a subject that its `take` understands, None for none."""

    def __init__(self, screen: str, subject: object = None) -> None:
        super().__init__()
        self.screen = screen
        self.subject = subject


class WorkspaceChanged(Message):
    """Files or state of the workspace are others now: every screen asks anew when it is next shown."""


class JobsChanged(Message):
    """What a job in the background is at (`text`, none: it has ended); `of` is the screen that began it."""

    def __init__(self, text: str, of: str = "") -> None:
        super().__init__()
        self.text = text
        self.of = of


class NotTaken(Message):
    """Something that was pasted is not taken, or not yet, and why."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why
