"""`ringfence watch`: which events it shows."""

from __future__ import annotations

from ringfence.cli.watch import EVENTS
from ringfence.watch.events import Kind


def test_every_kind_of_event_is_shown_and_can_be_chosen() -> None:
    assert tuple(kind.word for kind in Kind) == EVENTS
