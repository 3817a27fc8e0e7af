"""The passwords that a person gave the application for Ansible: in memory alone, as long as it runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Given:
    """What Ansible becomes root with on hosts, and what it opens its vaults with; None for what nobody gave."""

    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)

    def words(self) -> str:
        """Return which of them were given, never what they are."""
        given = [name for name, value in (("become", self.become), ("vault", self.vault)) if value is not None]
        return f"{' and '.join(given)} password given" if given else "no password given"
