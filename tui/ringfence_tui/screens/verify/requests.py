"""What the questions of verify are asked with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Verify:
    """Read hosts back; without `limit` all of the plan, without `plan` the last that hosts confirmed."""

    plan: str = ""
    limit: tuple[str, ...] = ()
    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Keep:
    """Make a rule of the draft that allows what a host lets through."""

    host: str
    direction: str
    family: int
    remote: tuple[str, ...]
    services: tuple[str, ...]
