"""What the rollout's questions are asked with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Make a plan; `rebase` asks the hosts first, `back_from` makes the one that goes back from a plan.

    Passwords are for Ansible, which is asked for the inventory.
    """

    rebase: bool = False
    back_from: str = ""
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Begin:
    """Roll a plan out. Passwords are for Ansible; they go from pipe to pipe, and are written nowhere."""

    plan: str
    limit: tuple[str, ...] = ()
    excuse: tuple[str, ...] = ()
    renew: bool = False
    confirm_within: int = 30
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Steer:
    """Want something of a run; `pause` None changes nothing."""

    run: str
    pause: bool | None = None
    abort: bool = False
    excuse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WayBack:
    """What rolling a run back would bring back: the short name of the plan before."""

    run: str
    plan: str


@dataclass(frozen=True, slots=True)
class AskDenials:
    """Ask the hosts of a run what they denied since they got its table."""

    run: str
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Renew:
    """A subject: roll a plan out on some hosts where its table stands already, as after drift; it asks first."""

    plan: str
    hosts: tuple[str, ...]
