"""Process classes: who on a host, by kind and name; the kinds of a class are those of one platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from ringfence.wire.plan_format import LINUX_KINDS, PLATFORMS, WINDOWS_KINDS

__all__ = [
    "LINUX_KINDS",
    "OTHER",
    "PLATFORMS",
    "WINDOWS_KINDS",
    "Named",
    "ProcessClass",
    "kinds_of",
    "process_classes",
]


# Names by kind, for every kind of a platform.
Named = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, init=False)
class ProcessClass:
    """Who on a host: sorted pairs of kind and name; a kind without a pair means none of the named ones.

    `ProcessClass(unit, user)` is short for the kinds of Linux; other kinds are given by their names.
    """

    names: tuple[tuple[str, str], ...]

    def __init__(self, unit: str | None = None, user: str | None = None, **others: str | None) -> None:
        given = {"unit": unit, "user": user, **others}
        names = tuple(sorted((kind, name) for kind, name in given.items() if name is not None))
        object.__setattr__(self, "names", names)

    def name(self, kind: str) -> str | None:
        """Return the name of a kind, None for none of the named ones."""
        return next((name for one, name in self.names if one == kind), None)

    @property
    def unit(self) -> str | None:
        """Return the systemd unit."""
        return self.name("unit")

    @property
    def user(self) -> str | None:
        """Return the user of Linux."""
        return self.name("user")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of the platform that this class is of; those of Linux where it names nothing."""
        return kinds_of(kind for kind, _ in self.names)

    def order(self, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return what classes are sorted by: the names of some kinds, by default of those of its own platform."""
        return tuple(self.name(kind) or "" for kind in kinds or self.kinds)

    def data(self) -> dict[str, str | None]:
        """Return plain data: the name, or None, of every kind."""
        return {kind: self.name(kind) for kind in self.kinds}

    def __str__(self) -> str:
        """Return the names in one text, empty for none."""
        return " ".join(filter(None, self.order()))


OTHER = ProcessClass()


def kinds_of(named: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of the platform that some kinds are of, of Linux for none."""
    given = set(named)
    return next((kinds for kinds in PLATFORMS.values() if given & set(kinds)), LINUX_KINDS)


def process_classes(named: Iterable[tuple[str, Iterable[str]]]) -> tuple[ProcessClass, ...]:
    """Return every combination of some names by kind, with none of them for each, `other` first."""
    return _classes(tuple((kind, tuple(names)) for kind, names in named))


@lru_cache(maxsize=1024)
def _classes(named: Named) -> tuple[ProcessClass, ...]:
    kinds = [kind for kind, _ in named]
    every = product(*((None, *names) for _, names in named))
    return tuple(ProcessClass(**dict(zip(kinds, one, strict=True))) for one in every)
