"""Names of a package that are imported from its modules when they are first asked for (PEP 562).

A question needs few of the modules that a package offers names of, and imports are a third of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package whose modules, by their names in it, have some names.

    A name must not be that of a module of the package, which would stand in its place once it is imported.
    """
    where = {name: module for module, names in modules.items() for name in names}

    def found(name: str) -> object:
        if name not in where:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f"{package}.{where[name]}"), name)

    return found
