"""Hosts of one name that are not one machine: what a later file wrote over, and names that two machines have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_inventory import InventoryHost
from ringfence.sources.host_variables import ADDRESSES, GIVEN, LABELS, SOURCES, WISHED
from ringfence.wire.first_few import first_few

# Files of these say on purpose what else is to count of a host that an inventory has.
_OF_VARIABLES = ("group_vars", "host_vars")
_LARGEST = 4 << 20
_CONFIGURATION = re.compile(r"^plugin:", re.MULTILINE)
_FOREIGN = re.compile(r"^plugin:(?!\s*(?:ringfence\.core\.|(?:ansible\.builtin\.)?constructed\b))", re.MULTILINE)


def reunited(
    hosts: Sequence[InventoryHost], paths: Sequence[Path], directory: Path
) -> tuple[list[InventoryHost], list[Problem]]:
    """Return hosts with what a source gave them and a later file of the inventory wrote over, where it is one machine.

    A file that names the host with addresses of another machine is an error with both places: Ansible has mixed the
    two. What stands in `host_vars` and `group_vars` is meant for that host, and counts as it is written.
    """
    found = []
    problems = []
    for host in hosts:
        given = host.variables.get(GIVEN)
        if not isinstance(given, Mapping) or all(host.variables.get(key) == value for key, value in given.items()):
            found.append(host)
            continue
        place = written_at(host.name, paths, directory)
        others = [] if place else _asking(paths, directory)
        if place is None and (not others or _has_own_variables(host.name, paths, directory)):
            # Nothing but variables that are meant for this host, or composed for it, can have changed it.
            found.append(host)
            continue
        mine, theirs = _points(given), _changed_points(host.variables, given)
        if theirs and mine.isdisjoint(theirs):
            problems.append(_mixed(host, place, others))
        found.append(_united(host, given) if mine & theirs or not theirs else host)
    return found, problems


def namesake_problems(assets: Sequence[Asset], different: Sequence[Sequence[str]] = ()) -> list[Problem]:
    """Return a warning for assets of one name that nothing tells to be one machine, and no person to be two."""
    names = {asset.name: asset for asset in assets}
    told = []
    for asset in assets:
        wished = asset.attributes.get(WISHED)
        other = names.get(str(wished)) if wished is not None else None
        if other is None or other is asset or any({asset.name, other.name} <= set(group) for group in different):
            continue
        told.append(f"'{wished}' of {_sources(other)}, and of {_sources(asset)}, here '{asset.name}'")
    if not told:
        return []
    message = f"one name for two machines: {first_few(told, joint='; ')}"
    remedy = "rename one, or say in ringfence.yml what is so: identity: {same: [[…, …]]} or {different: [[…, …]]}"
    return [Problem(Severity.WARNING, message, None, remedy)]


def has_moved(old: Asset, new: Asset) -> bool:
    """Return whether a name is another machine's now: another source has it, with other addresses."""
    if not old.addresses or not new.addresses or not old.sources or not new.sources:
        return False
    return set(old.sources).isdisjoint(new.sources) and set(old.addresses).isdisjoint(new.addresses)


def moved_problem(old: Asset, new: Asset, silent: str) -> Problem:
    """Return the error of a name that another machine has while the source that had it is silent."""
    message = (
        f"'{old.name}' is a machine of {_sources(new)} now, and was one of {_sources(old)} while {silent} answered"
    )
    return Problem(Severity.ERROR, message, None, f"make {silent} answer, or rename one of the two machines")


def _united(host: InventoryHost, given: Mapping[str, object]) -> InventoryHost:
    variables = dict(host.variables)
    labels, before = variables.get(LABELS), given.get(LABELS)
    if isinstance(labels, Mapping) and isinstance(before, Mapping):
        variables[LABELS] = {**before, **labels}
    addresses, known = variables.get(ADDRESSES), given.get(ADDRESSES)
    if isinstance(known, list) and addresses != known:
        variables[ADDRESSES] = list(dict.fromkeys([*known, *_texts(addresses)]))
    return replace(host, variables=variables)


def _mixed(host: InventoryHost, place: Place | None, others: Sequence[str]) -> Problem:
    where = "here" if place else f"in {' or '.join(others)}"
    message = (
        f"'{host.name}' is {where}, and in "
        f"{', '.join(_texts(host.variables.get(SOURCES))[:1])} with other addresses: Ansible makes one host of the two"
    )
    remedy = "rename one; where they are one machine, give its address there as well, or use host_vars"
    return Problem(Severity.ERROR, message, place, remedy)


def _points(variables: Mapping[str, object]) -> set[int]:
    """Return the addresses that variables write out; a name is resolved by nobody here."""
    found = set()
    for text in (*_texts(variables.get(ADDRESSES)), *_texts(variables.get("ansible_host"))):
        try:
            found.add(point_of(text))
        except InputError:
            continue
    return found


def _changed_points(variables: Mapping[str, object], given: Mapping[str, object]) -> set[int]:
    return _points(
        {key: variables.get(key) for key in (ADDRESSES, "ansible_host") if variables.get(key) != given.get(key)}
    )


def written_at(name: str, paths: Sequence[Path], directory: Path) -> Place | None:
    """Return where a file that people write names a host, the last of those that Ansible reads."""
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    found = None
    for path in _written(paths, directory):
        for number, line in enumerate(_text(path).splitlines(), start=1):
            if word.search(line) and not line.lstrip().startswith(("#", ";")):
                found = Place(_shown(path, directory), number)
    return found


def _has_own_variables(name: str, paths: Sequence[Path], directory: Path) -> bool:
    """Return whether a file of `host_vars` speaks of a host: below an inventory, beside its file, or where we run."""
    roots = {whole if whole.is_dir() else whole.parent for path in paths if (whole := (directory / path).resolve())}
    below = (root / "host_vars" for root in {*roots, directory.resolve()})
    return any(path.name.partition(".")[0] == name or path.stem == name for one in below for path in one.glob("*"))


def _asking(paths: Sequence[Path], directory: Path) -> list[str]:
    """Return the scripts of inventories, and the configurations of plug-ins that are not ours and find hosts."""
    found = []
    for path, below in _files(paths, directory):
        if not below and (os.access(path, os.X_OK) or _FOREIGN.search(_text(path))):
            found.append(_shown(path, directory))
    return found


def _written(paths: Sequence[Path], directory: Path) -> Iterator[Path]:
    """Yield the files of inventories that people write hosts into."""
    for path, below in _files(paths, directory):
        if not below and not os.access(path, os.X_OK) and not _CONFIGURATION.search(_text(path)):
            yield path


def _files(paths: Sequence[Path], directory: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the files of inventories that can be read, each with whether it holds variables of groups or hosts."""
    for path in paths:
        whole = (directory / path).resolve()
        for file in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
            parts = file.relative_to(whole).parts[:-1] if whole.is_dir() else ()
            if file.is_file() and os.access(file, os.R_OK) and file.stat().st_size <= _LARGEST:
                yield file, bool(set(_OF_VARIABLES) & set(parts))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _shown(path: Path, directory: Path) -> str:
    base = directory.resolve()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _sources(asset: Asset) -> str:
    return ", ".join(asset.sources) or "a source without a name"


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [part for part in re.split(r"[\s,;]+", value) if part]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []
