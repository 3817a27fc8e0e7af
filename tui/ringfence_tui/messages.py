"""Messages between screens."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


class GoTo(Message):
    """Go to a screen by its name, with a subject that its `take` understands, None for none."""

    def __init__(self, screen: str, subject: object = None) -> None:
        super().__init__()
        self.screen = screen
        self.subject = subject


class WorkspaceChanged(Message):
    """Files or state of the workspace are others now: every screen asks anew when it is next shown."""


class JobsChanged(Message):
    """What works in the background is another thing now: the top line shows `text`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@dataclass(frozen=True, slots=True)
class AssetSubject:
    """One asset by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class AssetsSubject:
    """The assets that a filter chooses."""

    filter: str


@dataclass(frozen=True, slots=True)
class PairSubject:
    """Two ends, as selectors or names, and a service (`tcp/5432`), empty for any."""

    client: str
    server: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class PictureSubject:
    """The map, with only what has one of these signs."""

    signs: str


@dataclass(frozen=True, slots=True)
class RuleSubject:
    """A rule by its id."""

    rule_id: str


@dataclass(frozen=True, slots=True)
class RunSubject:
    """A rollout by its id."""

    run_id: str


@dataclass(frozen=True, slots=True)
class PlanSubject:
    """A plan by its name."""

    plan: str
