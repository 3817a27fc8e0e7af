"""Passwords for Ansible: kept in memory alone, and given to it through a pipe that only it reads.

Ansible takes a password from a file that it is told of. Here that is a named pipe in a private directory: what goes
through it is on no disk, in no argument and in no environment, which have the path alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ringfence.rollout.secret_pipe import secret_pipe

BECOME = "ANSIBLE_BECOME_PASSWORD_FILE"
VAULT = "ANSIBLE_VAULT_PASSWORD_FILE"


@dataclass(frozen=True, slots=True)
class Passwords:
    """What Ansible becomes root with on hosts, and what it opens its vaults with; None for what nobody gave."""

    become: str | None = field(default=None, repr=False)
    vault: str | None = field(default=None, repr=False)

    def data(self) -> dict[str, str | None]:
        """Return plain data, for a pipe and nothing else."""
        return {"become": self.become, "vault": self.vault}

    @staticmethod
    def of(data: Mapping[str, str | None]) -> Passwords:
        """Return the passwords of plain data."""
        return Passwords(data.get("become"), data.get("vault"))

    @contextmanager
    def offered(self) -> Iterator[None]:
        """Let every Ansible that this process starts within read them."""
        given = {BECOME: self.become, VAULT: self.vault}
        with ExitStack() as stack:
            for name, secret in given.items():
                if secret is not None:
                    path = stack.enter_context(secret_pipe(secret))
                    stack.enter_context(_variable(name, str(path)))
            yield


NO_PASSWORDS = Passwords()


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
