"""One thing that was looked at: what it is, how it stands, and the way out where it does not stand well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended: `warn` costs something, `fail` keeps a rollout or a command from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """A check by name; `host` is empty for this machine and the workspace."""

    name: str
    status: Status
    detail: str
    remedy: str = ""
    host: str = ""

    def data(self) -> dict[str, str]:
        """Return plain data for `--json`."""
        return {
            "host": self.host,
            "name": self.name,
            "status": str(self.status),
            "detail": self.detail,
            "remedy": self.remedy,
        }


def ok(name: str, detail: str) -> Check:
    """Return a check of something that stands well."""
    return Check(name, Status.OK, detail)


def warn(name: str, detail: str, remedy: str) -> Check:
    """Return a check of something that costs something."""
    return Check(name, Status.WARN, detail, remedy)


def fail(name: str, detail: str, remedy: str) -> Check:
    """Return a check of something that keeps Ringfence from working."""
    return Check(name, Status.FAIL, detail, remedy)


def told_to_root(name: str) -> Check:
    """Return a check of something that only root could have looked at."""
    return warn(name, "told to root alone", "first let Ansible become root")


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version text, as far as they go."""
    numbers: list[int] = []
    for part in text.split("."):
        digits = "".join(letter for letter in part[:9] if letter.isascii() and letter.isdigit())
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
