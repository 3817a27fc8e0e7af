"""Everything that the answer of an inventory depends on, as digests: the same digests mean the same answer.

In doubt a source counts as dynamic: its answer may change while every file stays the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ringfence.sources.ansible_settings import AnsibleSettings, ansible_settings, fact_caches_of
from ringfence.sources.inventory_files import MOST_BYTES
from ringfence.sources.table_files import kind_of_file

# Plug-ins that read nothing but their own files, and what those name.
_FROM_FILES = {"ringfence.core.onprem", "ringfence.core.labels", "constructed", "ansible.builtin.constructed"}
_KNOWN_READERS = {"host_list", "advanced_host_list", "script", "auto", "yaml", "ini", "toml", "constructed"}
_PLUGIN = re.compile(r"""(?:^|[{,])\s*["']?plugin["']?\s*:""", re.M)
# What in a template gives another value another time, or looks elsewhere.
_LOOKS_ELSEWHERE = re.compile(
    r"\b(?:lookup|query|q|now)\s*\(|\|\s*(?:random\w*|shuffle|strftime|realpath|expanduser|expandvars|fileglob)\b"
    r"|\bis\s+(?:not\s+)?(?:file|directory|exists|link|mount|link_exists|same_file|vault\w*)\b"
)
_OF_THE_TERMINAL = {"PWD", "OLDPWD", "SHLVL", "_", "TERM", "COLUMNS", "LINES", "SOURCE_DATE_EPOCH"}
_OF_ANSIBLE = {"HOME", "PATH", "PYTHONPATH", "USER", "LOGNAME", "TZ", "VIRTUAL_ENV", "LANG"}
_CONFIGURATION_UP_TO = 1 << 20
_VARIABLES = ("group_vars", "host_vars")


@dataclass(frozen=True, slots=True)
class InventoryState:
    """`files` is the digest of everything that a static answer depends on, `environment` that of all variables.

    `dynamic` names what may answer otherwise while nothing of that changed, empty for nothing.
    """

    files: str
    environment: str
    dynamic: tuple[str, ...] = ()


def inventory_state(
    paths: Sequence[Path], directory: Path, environment: Mapping[str, str], more: Iterable[Path] = ()
) -> InventoryState:
    """Return the state of inventories that Ansible reads in a directory; `more` are files that the answer needs too.

    Raise InputError for a file that is not a valid ansible.cfg.
    """
    settings = ansible_settings(directory)
    total, dynamic, named = hashlib.sha256(), set(_own_plugins(settings, environment)), set()
    whole = [directory / path for path in paths]
    beside = [parent / name for parent in {directory, *(path.parent for path in whole)} for name in _VARIABLES]
    for path in _below([*whole, *sorted(set(beside))]):
        content = _content(path)
        _add(total, str(path), os.path.realpath(path), "runs" if os.access(path, os.X_OK) else "", content)
        tables = _named_files(path, content)
        if tables is None:
            dynamic.add(str(path.relative_to(directory) if path.is_relative_to(directory) else path))
        else:
            named.update(tables)
    for path in sorted({*named, *more, *_passwords(settings, directory), *([settings.file] if settings.file else [])}):
        _add(total, str(path), os.path.realpath(path), _content(path))
    for root in (*fact_caches_of(directory), *_software(settings, environment)):
        _add(total, str(root), *(part for entry in _statuses(root) for part in entry))
    _add(total, sys.version, sys.prefix, str(os.geteuid()), _version("ansible-core"))
    _add(total, *(part for name in sorted(environment) if _counts(name) for part in (name, environment[name])))
    every = hashlib.sha256()
    _add(every, *(x for name in sorted(environment.keys() - _OF_THE_TERMINAL) for x in (name, environment[name])))
    return InventoryState(total.hexdigest(), every.hexdigest(), tuple(sorted(dynamic)))


def _add(total: hashlib._Hash, *parts: str | bytes) -> None:
    for part in (b"%d" % len(parts), *parts):
        data = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        total.update(b"%d:" % len(data))
        total.update(data)


def _counts(name: str) -> bool:
    return name.startswith(("ANSIBLE_", "RINGFENCE_", "LC_")) or name in _OF_ANSIBLE


def _below(roots: Iterable[Path]) -> Iterator[Path]:
    """Yield what lies below paths, hidden files and directories too, each directory once."""
    waiting, seen = list(roots), set()
    while waiting:
        path = waiting.pop(0)
        yield path
        if path.is_dir() and (real := os.path.realpath(path)) not in seen and os.access(path, os.R_OK | os.X_OK):
            seen.add(real)
            waiting += sorted(path.iterdir())


def _content(path: Path) -> bytes:
    """Return a regular file's bytes; of what is none, what it is instead."""
    try:
        status = path.stat()
        if kind := kind_of_file(status.st_mode):
            return f"{kind}".encode()
        if stat.S_ISDIR(status.st_mode):
            return b"directory"
        if status.st_size > MOST_BYTES:
            return f"{status.st_size} {status.st_mtime_ns}".encode()  # reading it is refused
        return path.read_bytes()
    except OSError as error:
        return f"{error.errno}".encode()


def _named_files(path: Path, content: bytes) -> list[Path] | None:
    """Return the files that a file of an inventory names, None where its answer depends on more than files."""
    if not path.is_file():
        return []
    if os.access(path, os.X_OK) or content.startswith(b"#!"):
        return None
    text = content.decode(errors="replace")
    configures = _PLUGIN.search(text) is not None
    if (configures or "{{" in text or "{%" in text) and _LOOKS_ELSEWHERE.search(text):
        return None
    if not configures or path.suffix not in {".yml", ".yaml", ".json"}:
        return []
    if len(content) > _CONFIGURATION_UP_TO:
        return None
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    if "plugin" not in data:
        return []
    said = [data.get("table", []), data.get("rules", [])]
    tables = [one for value in said for one in (value if isinstance(value, list) else [value])]
    if data["plugin"] not in _FROM_FILES or data.get("cache") or not all(isinstance(one, str) for one in tables):
        return None
    if any(set(one) & set("{*?[~$") for one in tables):
        return None
    return [path.parent / one for one in tables]


def _own_plugins(settings: AnsibleSettings, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield where plug-ins come from, or which are enabled, of which nothing is known here."""
    for name in sorted(environment):
        if name.startswith("ANSIBLE_") and name.endswith(("_PLUGINS", "_VARS_ENABLED")) and environment[name]:
            yield name
    for (_, key), value in sorted(settings.values.items()):
        if value and ((key.endswith("_plugins") and key != "enable_plugins") or key == "vars_plugins_enabled"):
            yield key
    enabled = settings.first(("ANSIBLE_INVENTORY_ENABLED",), ("inventory", "enable_plugins"))
    names = {one.strip().removeprefix("ansible.builtin.") for one in enabled.split(",") if one.strip()}
    yield from sorted(name for name in names - _KNOWN_READERS if name not in _FROM_FILES)
    for base in (Path(environment.get("ANSIBLE_HOME", "~/.ansible")).expanduser(), Path("/usr/share/ansible")):
        for kind in ("inventory", "vars"):
            if any((base / "plugins" / kind).glob("*.py")):
                yield str(base / "plugins" / kind)


def _passwords(settings: AnsibleSettings, directory: Path) -> Iterator[Path]:
    """Yield the files that vault passwords are in."""
    base = settings.file.parent if settings.file else directory
    one = settings.first(("ANSIBLE_VAULT_PASSWORD_FILE",), ("defaults", "vault_password_file"))
    several = settings.first(("ANSIBLE_VAULT_IDENTITY_LIST",), ("defaults", "vault_identity_list"))
    for text in (one, *(part.strip().rpartition("@")[2] for part in several.split(","))):
        if text and text != "prompt":
            yield base / Path(text).expanduser()


def _software(settings: AnsibleSettings, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories of the programs that answer: Ansible's command, our plug-ins, this package."""
    yield Path(sys.executable).parent / "ansible-inventory"
    yield Path(__file__).parents[1]
    said = settings.first(
        ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"),
        ("defaults", "collections_path"),
        ("defaults", "collections_paths"),
    )
    base = settings.file.parent if settings.file else Path()
    home = environment.get("ANSIBLE_HOME", "~/.ansible")
    known = [
        *(base / Path(one).expanduser() for one in said.split(":") if one),
        Path(home).expanduser() / "collections",
    ]
    for root in dict.fromkeys([*known, Path("/usr/share/ansible/collections"), *map(Path, sys.path)]):
        for below in ("ansible_collections/ringfence/core", "ringfence/core"):
            if (root / below).is_dir():
                yield root / below / "plugins"


def _statuses(root: Path) -> Iterator[tuple[str, str]]:
    """Yield what is below a path, each with what changes whenever it is written: programs and facts are many.

    Links are followed, each directory is entered once, and one look at a file is all it costs.
    """
    waiting, seen = [str(root)], set()
    while waiting:
        path = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - a Path for each of a thousand files takes longer than all the rest
            if not stat.S_ISDIR(status.st_mode):
                yield path, f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
            elif (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - as above
                waiting += [f"{path}/{one}" for one in names if one != "__pycache__" and not one.endswith(".pyc")]
        except OSError as error:
            yield path, f"{error.errno}"


def _version(name: str) -> str:
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return ""
