"""ansible-core as PyPI gives it, alone: what it declares that it needs, and nothing else of this environment."""

from __future__ import annotations

import re
import shutil
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def copy_packages(target: Path) -> None:
    """Copy ansible-core and all that it needs, from this environment into a directory for PYTHONPATH."""
    for one in needed("ansible-core"):
        for file in one.files or ():
            if ".." in file.parts or "__pycache__" in file.parts:
                continue  # a command, or what Python makes anew
            path = target / file
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), path)


def make_environment(directory: Path) -> Path:
    """Return the Python of a new virtual environment that has ansible-core alone."""
    venv.create(directory, symlinks=True)
    (packages,) = directory.glob("lib/python3*/site-packages")
    copy_packages(packages)
    return directory / "bin/python"


def needed(name: str) -> list[Distribution]:
    """Return a distribution and, over all steps, those that it requires here."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        key = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if key in found:
            continue
        found[key] = distribution(key)
        required = map(Requirement, found[key].requires or ())
        waiting += [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return list(found.values())
