"""Labels that the inventory gives and a host does not get: of several `ringfence_labels` Ansible takes one whole.

Its listing has only that one. The others are read where they are written: in the files of the inventory, and in
`group_vars` and `host_vars` beside them and in the workspace.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.language.documents import parse_documents
from ringfence.language.nodes import Node, Table
from ringfence.language.reports import Reports
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.host_variables import GIVEN, LABELS, SOURCES
from ringfence.wire.first_few import first_few

GROUPS, HOSTS = "group_vars", "host_vars"
_YAML = (".yml", ".yaml", ".json")
# Reading with places is slow; what is larger a program wrote, and those give labels to hosts.
_LARGEST = 1 << 18
_SECTION = re.compile(r"^\[(?P<name>[^\]:]+)(?::(?P<kind>\w+))?\]")
_OF_GROUP = re.compile(rf"^\s*{LABELS}\s*=\s*(?P<value>.+)$")
_OF_HOST = re.compile(rf"^(?P<name>[^\s\[#;=]+)\s.*?\b{LABELS}=(?P<value>'[^']*'|\"[^\"]*\"|\S+)")
_REMEDY = (
    "write all of them in the nearest one; or set a variable of your own there and read it with a rule: - env: env"
)


@dataclass(frozen=True, slots=True)
class _Given:
    """The keys of labels that are written for a group, or for one host."""

    name: str
    keys: frozenset[str]
    place: Place | None
    is_host: bool = False


def lost_labels(hosts: Sequence[InventoryHost], paths: Sequence[Path], base: Path) -> tuple[Problem, ...]:
    """Return a warning for every `ringfence_labels` that has keys which some of its hosts lack."""
    members: dict[str, list[InventoryHost]] = {"all": list(hosts)}
    named = {host.name: host for host in hosts}
    for host in hosts:
        for group in host.groups or ("ungrouped",):
            members.setdefault(group, []).append(host)
    found = []
    for given in (*_written(paths, base.resolve()), *_of_sources(hosts)):
        own = [named[given.name]] if given.is_host and given.name in named else []
        lacking = [
            (host.name, keys)
            for host in (own if given.is_host else members.get(given.name, ()))
            if (keys := given.keys - _keys(host))
        ]
        if lacking:
            found.append(_problem(given, lacking))
    return tuple(dict.fromkeys(found))


def _problem(given: _Given, lacking: Sequence[tuple[str, frozenset[str]]]) -> Problem:
    keys = sorted(frozenset().union(*(keys for _, keys in lacking)))
    lost = "lost" if given.is_host else "lost for "
    hosts = "" if given.is_host else first_few([f"'{name}'" for name, _ in lacking])
    message = (
        f"{LABELS} of {'host' if given.is_host else 'group'} '{given.name}' gives "
        f"{', '.join(map(repr, keys))}, {lost}{hosts}: "
        f"of several {LABELS} of a host Ansible takes the nearest one whole"
    )
    return Problem(Severity.WARNING, message, given.place, _REMEDY)


def _keys(host: InventoryHost) -> frozenset[str]:
    labels = host.variables.get(LABELS)
    return frozenset(str(key).strip() for key in labels) if isinstance(labels, Mapping) else frozenset()


def _of_sources(hosts: Iterable[InventoryHost]) -> Iterator[_Given]:
    """Yield what sources gave to hosts and what is meant for one host wrote over."""
    for host in hosts:
        given = host.variables.get(GIVEN)
        labels = given.get(LABELS) if isinstance(given, Mapping) else None
        if isinstance(labels, Mapping) and labels:
            sources = host.variables.get(SOURCES)
            first = sources[0] if isinstance(sources, list) and sources else None
            place = Place(first) if isinstance(first, str) else None
            yield _Given(host.name, frozenset(map(str, labels)), place, is_host=True)


def _written(paths: Sequence[Path], base: Path) -> Iterator[_Given]:
    inventories = [(base / path).resolve() for path in paths]
    for path in inventories:
        for file in _files(path):
            yield from _in_inventory(file, base)
    # Ansible reads the variables beside the inventory, and those where the command runs
    for root in dict.fromkeys((*(path if path.is_dir() else path.parent for path in inventories), base)):
        for kind in (GROUPS, HOSTS):
            yield from _in_folder(root / kind, base)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not {GROUPS, HOSTS} & set(file.relative_to(path).parts[:-1]):
            yield file


def _in_inventory(file: Path, base: Path) -> Iterator[_Given]:
    text = None if os.access(file, os.X_OK) else _text(file)
    if text is None:
        return
    if file.suffix not in _YAML:
        yield from _in_ini(text, _shown(file, base))
        return
    for document in _documents(text, _shown(file, base)):
        waiting = [(one.key, one.value) for one in document]
        while waiting:
            name, group = waiting.pop()
            if not isinstance(group, Table):
                continue
            yield from _labels(group.get("vars"), name)
            for host in _entries(group.get("hosts")):
                yield from _labels(host.value, host.key, is_host=True)
            waiting += [(one.key, one.value) for one in _entries(group.get("children"))]


def _in_ini(text: str, shown: str) -> Iterator[_Given]:
    name, kind = "ungrouped", None
    for number, line in enumerate(text.splitlines(), 1):
        if section := _SECTION.match(line):
            name, kind = section["name"], section["kind"]
        elif LABELS in line:
            written = (_OF_GROUP if kind == "vars" else _OF_HOST).match(line)
            keys = _literal_keys(written["value"]) if written else frozenset()
            if written and keys:
                is_host = kind != "vars"
                yield _Given(written["name"] if is_host else name, keys, Place(shown, number), is_host)


def _literal_keys(text: str) -> frozenset[str]:
    """Return the keys of a mapping as Ansible reads it in an INI file, as a literal of Python."""
    text = text.strip()
    for one in (text, text[1:-1] if text[:1] in "'\"" and text[:1] == text[-1:] else text):
        try:
            value = ast.literal_eval(one)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, dict):
            return frozenset(map(str, value))
    return frozenset()


def _in_folder(folder: Path, base: Path) -> Iterator[_Given]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        text = _text(file) if file.is_file() and file.suffix in ("", *_YAML) else None
        name = file.stem if file.parent == folder and file.suffix in _YAML else file.relative_to(folder).parts[0]
        for document in () if text is None else _documents(text, _shown(file, base)):
            yield from _labels(document, name, is_host=folder.name == HOSTS)


def _labels(variables: Node | None, name: str, *, is_host: bool = False) -> Iterator[_Given]:
    for entry in _entries(variables):
        if entry.key == LABELS and isinstance(entry.value, Table) and entry.value.entries:
            yield _Given(name, frozenset(map(str.strip, entry.value.keys())), entry.place, is_host)


def _entries(node: Node | None) -> Table | tuple[()]:
    return node if isinstance(node, Table) else ()


def _documents(text: str, shown: str) -> list[Table]:
    """Return the mappings of a file; what is wrong with it Ansible tells itself."""
    return [one for one in parse_documents(text, shown, Reports()) if isinstance(one, Table)]


def _text(file: Path) -> str | None:
    """Return the text of a file that speaks of labels, None for any other."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError:
        return None
    if len(data) > _LARGEST or LABELS.encode() not in data:
        return None
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _shown(file: Path, base: Path) -> str:
    return str(file.relative_to(base)) if file.is_relative_to(base) else str(file)
