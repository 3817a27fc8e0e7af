"""Where a variable of a host is written: the file and the line, as near as the files tell it without Ansible."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath

from ringfence.model.errors import Place
from ringfence.sources.inventory_texts import line_of, texts_of

_EVERYBODY = "all"
# Lines behind that of the variable in which a key of its value is looked for.
_NEAR = 40


def place_of_variable(
    variable: str, key: str, host: str, groups: Collection[str], paths: Sequence[Path], base: Path
) -> Place | None:
    """Return where a host's variable is written, at a key of its value where that is found; None where nothing tells.

    Variables of the host count before those of its groups, and both before the inventory's own files: what Ansible
    takes. Several files of the same rank that have it tell nothing.
    """
    called = re.compile(rb"(?<![\w.-])" + re.escape(variable.encode()) + rb"(?![\w-])")
    met = [(shown, data) for shown, data in texts_of(paths, base) if called.search(_plain(data))]
    ranks = (
        [one for one in met if _is_of(one[0], "host_vars", (host,))],
        [one for one in met if _is_of(one[0], "group_vars", {*groups} - {_EVERYBODY})],
        [one for one in met if _is_of(one[0], "group_vars", (_EVERYBODY,))],
        [one for one in met if not {"host_vars", "group_vars"} & {*PurePath(one[0]).parts}],
    )
    found = next((rank for rank in ranks if rank), [])
    if len(found) != 1:
        return None
    shown, data = found[0]
    places = [one.start() for one in called.finditer(_plain(data))]
    at = _of_host(data, places, host)
    return Place(shown, line_of(data, _key(data, at, key)) if at is not None else 0)


def _is_of(shown: str, folder: str, names: Collection[str]) -> bool:
    """Return whether a file of variables is that of a name: `host_vars/web-1.yml`, `host_vars/web-1/any.yml`."""
    parts = PurePath(shown).parts
    if folder not in parts[:-1]:
        return False
    first = parts[parts.index(folder) + 1]
    return first in names or re.sub(r"\.(ya?ml|json)$", "", first) in names


def _of_host(data: bytes, places: Sequence[int], host: str) -> int | None:
    """Return the only place, or the first one behind the only line that names the host."""
    if len(places) == 1:
        return places[0]
    name = re.compile(rb"(?<![\w.-])" + re.escape(host.encode()) + rb"(?![\w.-])")
    named = [one.start() for one in name.finditer(_plain(data))]
    return next((at for at in places if at > named[0]), None) if len(named) == 1 else None


def _key(data: bytes, at: int, key: str) -> int:
    """Return where a key stands in the value that begins at a place, or that place."""
    if not key:
        return at
    word = re.compile(rb"(?<![\w-])" + re.escape(key.encode()) + rb"(?![\w-])")
    end = at
    for line in _lines(data, at):
        end += len(line)
        if met := word.search(data, end - len(line), end):
            return met.start()
    return at


def _lines(data: bytes, at: int) -> Iterator[bytes]:
    yield from data[at:].splitlines(keepends=True)[:_NEAR]


def _plain(data: bytes) -> bytes:
    """Return a text with blanks in the place of lines that are comments alone, of the same length."""
    return re.sub(rb"^[ \t]*[#;][^\n]*", lambda met: b" " * len(met.group()), data, flags=re.MULTILINE)
