"""Plug-ins found by entry point: what this package brings and what others add, by group and name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from ringfence.model.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """The plug-ins of one entry-point group; each is loaded when it is first asked for, so a broken one stops no other.

    `protocol` is what a plug-in must be: a runtime-checkable protocol or a class. `what` is a plug-in's noun in
    messages, `needs` what such a thing offers. `built_in` plug-ins need no entry point.
    """

    def __init__(
        self, group: str, protocol: Any, what: str, needs: str, built_in: Mapping[str, T] | None = None
    ) -> None:
        self.group = group
        self.protocol = protocol
        self.what = what
        self.needs = needs
        self.built_in = dict(built_in or {})
        self._loaded: dict[str, T] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names of the installed plug-ins, sorted."""
        return tuple(sorted({*self.built_in, *self._points}))

    def get(self, name: str) -> T:
        """Return the plug-in of a name.

        Raise InputError where there is none, where two packages bring it, and where it cannot be loaded or is not
        what this group holds.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    @cached_property
    def _points(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, dict[str, EntryPoint]] = {}
        for point in entry_points(group=self.group):
            # a package that is installed twice, as in development, brings the same object twice
            found.setdefault(point.name, {})[point.value] = point
        return {name: list(points.values()) for name, points in found.items()}

    def _load(self, name: str) -> T:
        points = self._points.get(name, [])
        if not points and name in self.built_in:
            return self.built_in[name]
        if not points:
            near = get_close_matches(name, self.names(), 1)
            remedy = f"did you mean '{near[0]}'? " if near else ""
            remedy += f"installed are: {', '.join(self.names()) or 'none'}"
            raise InputError(f"no {self.what} is called '{name}'", remedy=remedy)
        if len(points) > 1:
            brought = " and ".join(f"'{point.value}'" for point in points)
            raise InputError(f"the {self.what} '{name}' is there twice: {brought}", remedy="uninstall one of them")
        (point,) = points
        try:
            found = point.load()
        except Exception as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise InputError(
                f"the {self.what} '{name}' ({_origin(point)}) cannot be loaded: {said}",
                remedy="reinstall the package that brings it, or uninstall it",
            ) from error
        if not isinstance(found, self.protocol):
            raise InputError(f"'{point.value}' is not a valid {self.what}", remedy=f"it needs {self.needs}")
        return found  # type: ignore[no-any-return]  # the protocol was checked


def _origin(point: EntryPoint) -> str:
    return f"{point.value} of {point.dist.name}" if point.dist is not None else point.value
