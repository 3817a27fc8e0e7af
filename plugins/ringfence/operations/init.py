"""Beginning a workspace: the files of a new one, which git keeps and AWX takes as a project."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from ringfence.model.addresses import network_of
from ringfence.model.errors import InputError, Place, file_error
from ringfence.operations.execution import Execution
from ringfence.wire.first_few import first_few
from ringfence.workspace import INVENTORY

# Templates whose files git or tools would take for their own, and what they are called in a workspace.
NAMES = {"gitignore": ".gitignore"}
HOSTS = Path("hosts.csv")
# What Ansible reads beside an inventory file.
VARIABLES = ("group_vars", "host_vars")
_TEMPLATES = files("ringfence") / "templates"
# What `--control` replaces in the template of ringfence.yml.
CONTROL = "# control:\n#   from: [10.9.0.0/24]\n#   port: 22\n"


def write_workspace(
    directory: Path, networks: tuple[str, ...] = (), port: int = 22, inventory: Path | None = None
) -> tuple[Path, ...]:
    """Write the files of a new workspace and return their paths in it, in order.

    With `inventory`, an Ansible inventory that is there (a file or a directory), links to it stand in place of an
    inventory of its own, also to the `group_vars` and `host_vars` beside it.

    Raise InputError, before anything is written, if one of them exists already, if a network is not valid, or if the
    directory cannot exist; OutsideError if the machine cannot write.
    """
    for network in networks:
        network_of(network)
    links = {} if inventory is None else _links_to(directory, inventory)
    contents = {
        path: _filled(text, networks, port)
        for path, text in _templates(_TEMPLATES, PurePosixPath())
        if inventory is None or not (path.is_relative_to(INVENTORY) or path == HOSTS)
    }
    if "\0" in str(directory):
        raise InputError("a path has no NUL character", Place(str(directory).replace("\0", "?")))
    in_the_way = [path for path in (*contents, *links) if os.path.lexists(directory / path)]
    if in_the_way:
        raise InputError(
            f"these files are already there: {first_few([str(path) for path in in_the_way], 3)}; nothing was written",
            Place(str(directory)),
            "choose another directory",
        )
    for path, text in contents.items():
        try:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            with (directory / path).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise file_error(error, directory / path, "cannot be written") from error
    for path, target in links.items():
        try:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).symlink_to(target)
        except OSError as error:
            raise file_error(error, directory / path, "cannot be linked") from error
    return (*contents, *links)


def _links_to(directory: Path, inventory: Path) -> dict[Path, str]:
    """Return the links that make an inventory the workspace's, by their paths in it; none where it is that already.

    Raise InputError where there is no such inventory.
    """
    if not inventory.exists():
        raise InputError("there is no such inventory", Place(str(inventory)), "name a file or a directory of Ansible's")
    own = directory / INVENTORY
    if inventory.absolute() == own.absolute():
        return {}
    if inventory.is_dir():
        return {Path(INVENTORY): os.path.relpath(inventory.resolve(), directory.resolve())}
    beside = [inventory, *(path for name in VARIABLES if (path := inventory.parent / name).is_dir())]
    return {Path(INVENTORY) / path.name: os.path.relpath(path.resolve(), own.resolve()) for path in beside}


def _templates(folder: Traversable, below: PurePosixPath) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, below / entry.name)
        else:
            yield Path(below / NAMES.get(entry.name, entry.name)), entry.read_text(encoding="utf-8")


def _filled(text: str, networks: tuple[str, ...], port: int) -> str:
    if not networks:
        return text
    listed = ", ".join(f'"{network}"' for network in networks)
    return text.replace(CONTROL, f"control:\n  from: [{listed}]\n  port: {port}\n")


def make_repository(directory: Path, execution: Execution | None = None) -> bool:
    """Return whether the directory is in a git repository, after making it one where it was in none."""
    listener = (execution or Execution()).listener
    if shutil.which("git") is None:
        listener.note("git is not installed, so nothing keeps the history of this workspace")
        return False
    inside = _git(directory, "rev-parse", "--is-inside-work-tree")
    if inside.returncode == 0:
        return True
    made = _git(directory, "init", "--quiet")
    if made.returncode:
        listener.note(f"git init failed: {made.stderr.strip()}")
    return made.returncode == 0


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=False)
