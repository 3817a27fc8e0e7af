"""What is asked and told of emergencies between the two processes: light values."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence_tui.passwords import Given

NO_PASSWORDS = Given()
# A line and the colour that it stands out by: green, red, yellow, or none.
Told = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CutRequest:
    """Whom to isolate, as a selector, and why; who stays reachable, and for how long (`4h`), empty until released."""

    what: str
    why: str
    keep: tuple[str, ...] = ()
    within: str = ""


@dataclass(frozen=True, slots=True)
class LetThroughRequest:
    """Who may reach whom on what, for how long (`2h`), and why."""

    client: str
    server: str
    service: str
    within: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class CutView:
    """A quarantine or a permission that is prepared under an id, and what it would cut or let through."""

    id: str
    lines: Told


@dataclass(frozen=True, slots=True)
class DoRequest:
    """An emergency by its id, to be carried out or ended, and the passwords that Ansible needs."""

    id: str
    passwords: Given = NO_PASSWORDS


@dataclass(frozen=True, slots=True)
class DoneView:
    """What the kernels of hosts hold now; `ok` where all of them are as they should be."""

    ok: bool
    lines: Told


@dataclass(frozen=True, slots=True)
class StandingView:
    """The emergencies that stand or are still held somewhere: ids, and a line of each.

    The newest are first, and before all others those about the asset that was asked for.
    """

    ids: tuple[str, ...]
    lines: tuple[str, ...]
