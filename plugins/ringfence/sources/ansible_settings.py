"""What `ansible.cfg` and the environment say of caches: where facts are kept, and what keeps inventories."""

from __future__ import annotations

import configparser
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.model.errors import InputError, Place

MEMORY = "memory"
# Where Ringfence keeps what hosts told, in a workspace.
FACTS = Path(".ringfence") / "facts"


@dataclass(frozen=True, slots=True)
class AnsibleSettings:
    """The `ansible.cfg` that Ansible takes in a directory, None for none, and its values by section and key."""

    file: Path | None
    values: Mapping[tuple[str, str], str]

    def first(self, variables: tuple[str, ...], *keys: tuple[str, str]) -> str:
        """Return the first value that is set: of the environment's variables, then of the file's keys; '' for none."""
        said = [os.environ.get(name, "") for name in variables]
        return next((text for text in (*said, *(self.values.get(key, "") for key in keys)) if text), "")


def ansible_settings(directory: Path) -> AnsibleSettings:
    """Return the settings that Ansible has in a directory. Raise InputError if its ansible.cfg is not valid."""
    file = _file(directory)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(file or (), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        faulty = getattr(error, "errors", None) or [(getattr(error, "lineno", 1), "")]
        shown = file.relative_to(directory) if file and file.is_relative_to(directory) else file
        said = str(error).splitlines()[0].partition(" File: ")[0]
        raise InputError(f"it is not a valid ansible.cfg: {said}", Place(str(shown), int(faulty[0][0]))) from error
    return AnsibleSettings(
        file, {(section, key): parser[section][key] for section in parser.sections() for key in parser[section]}
    )


def fact_caches_of(directory: Path) -> tuple[Path, ...]:
    """Return the directories that may hold facts of hosts: the workspace's own, and Ansible's `jsonfile` cache.

    A relative path in `ansible.cfg` counts from that file, as for Ansible.
    """
    settings = ansible_settings(directory)
    plugin = settings.first(("ANSIBLE_CACHE_PLUGIN",), ("defaults", "fact_caching"))
    where = settings.first(("ANSIBLE_CACHE_PLUGIN_CONNECTION",), ("defaults", "fact_caching_connection"))
    own = directory / FACTS
    if plugin.rpartition(".")[2] != "jsonfile" or not where:
        return (own,)
    base = settings.file.parent if settings.file else directory
    cache = base / Path(where).expanduser()
    return (own,) if cache.absolute() == own.absolute() else (own, cache)


def without_fact_cache(directory: Path) -> dict[str, str]:
    """Return the environment in which Ansible knows no facts, and caches inventories as the user's settings say.

    Otherwise facts of hosts would override the inventory's own variables. Plug-ins cache inventories where facts are
    cached, unless another place is set for them (`inventory_cache` of Ansible's documentation).
    """
    settings = ansible_settings(directory)
    kept = settings.first(
        ("ANSIBLE_INVENTORY_CACHE_PLUGIN", "ANSIBLE_CACHE_PLUGIN"),
        ("inventory", "cache_plugin"),
        ("defaults", "fact_caching"),
    )
    return {"ANSIBLE_CACHE_PLUGIN": MEMORY, "ANSIBLE_INVENTORY_CACHE_PLUGIN": kept or MEMORY}


def _file(directory: Path) -> Path | None:
    """Return the file that Ansible reads: of the environment, here, the user's, the system's."""
    named = os.environ.get("ANSIBLE_CONFIG")
    found = []
    if named:
        path = directory / Path(named).expanduser()
        found.append(path / "ansible.cfg" if path.is_dir() else path)
    try:
        # Ansible passes over a file where everybody may write one.
        public = directory.stat().st_mode & stat.S_IWOTH
    except OSError:
        public = 0
    found += [] if public else [directory / "ansible.cfg"]
    found += [Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    return next((path for path in found if path.is_file() and os.access(path, os.R_OK)), None)
