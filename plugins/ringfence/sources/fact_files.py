"""Files of facts, read as what they are: data that a host chose, of bounded size, depth and number of entries.

Ringfence's own files are `<host>.json`, `{"format": 1, "host": …, "gathered": …, "facts": {…}}`: the collection's
`linux_facts_info` writes them. Those of Ansible's `jsonfile` cache are read too; ansible-core 2.19 puts `s1_` before
the name.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.attributes import plain_value

Facts = Mapping[str, object]

FORMAT = 1
# Facts of a host with hundreds of interfaces and all its packages stay below a third of these.
MOST_BYTES = 4 * 1024 * 1024
MOST_ENTRIES = 200_000
DEEPEST = 32
_REMEDY = "delete the file and gather anew: ringfence flows collect --facts"


class _Unfit(Exception):
    """Why a file holds no facts."""


def cached_facts(caches: Sequence[Path], hosts: Iterable[str]) -> tuple[dict[str, Facts], list[Problem]]:
    """Return the facts of hosts, from the first directory that has them, and a warning for every file that holds none.

    Hosts that were never asked have no file. Nothing is deleted, and nothing but a plain file is opened.
    """
    found: dict[str, Facts] = {}
    problems: list[Problem] = []
    known = [cache for cache in caches if cache.is_dir()]
    for host in hosts if known else ():
        for path in _files(known, host):
            try:
                facts = _facts_in(_data(path), host)
            except _Unfit as fault:
                message = f"the cached facts of '{host}' count as none: {fault}"
                problems.append(Problem(Severity.WARNING, message, Place(str(path)), _REMEDY))
                break
            if facts is not None:
                found[host] = facts
                break
    return found, problems


def _files(caches: Iterable[Path], host: str) -> Iterable[Path]:
    if "/" in host or host in ("", ".", ".."):
        return
    for cache in caches:
        for name in (f"{host}.json", f"s1_{host}", host):
            if os.path.lexists(cache / name):
                yield cache / name


def _data(path: Path) -> object:
    """Return what a file says. Raise _Unfit for what is not a plain file, too large, or no JSON."""
    try:
        # Neither waiting for a writer nor following: what lies there may be a pipe, a device, or point elsewhere.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _Unfit("it is a link" if path.is_symlink() else f"it cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _Unfit("it is not a plain file")
    with os.fdopen(handle, "rb") as file:
        try:
            content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise _Unfit(f"it cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise _Unfit(f"it has more than {MOST_BYTES // 1024 // 1024} MiB")
    if not content.strip():
        raise _Unfit("it is empty")
    return _json(content.decode(errors="replace"))


def _json(text: str) -> object:
    try:
        return json.loads(text, object_hook=_untagged, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"it is not valid JSON: {error}") from error


def _facts_in(data: object, host: str) -> Facts | None:
    """Return the facts in a file's data, unwrapped; None where the file is another host's. Raise _Unfit for others."""
    if not isinstance(data, dict):
        raise _Unfit("it holds no facts")
    payload = data.get("__payload__")
    if isinstance(payload, str):
        data = _json(payload)
    elif isinstance(data.get("facts"), dict) and "format" in data:
        if data.get("host") != host:
            return None
        if data["format"] != FORMAT:
            raise _Unfit(f"it has format {data['format']!r}, not {FORMAT}")
        data = data["facts"]
    _measure(data)
    plain = plain_value(data)
    if not isinstance(plain, dict):
        raise _Unfit("it holds no facts")
    return plain


def _measure(data: object) -> None:
    """Raise _Unfit where data nests deeper or has more entries than facts have."""
    entries = 0
    waiting: list[tuple[object, int]] = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if not isinstance(value, dict | list):
            continue
        entries += len(value)
        if depth >= DEEPEST:
            raise _Unfit(f"it nests deeper than {DEEPEST}")
        if entries > MOST_ENTRIES:
            raise _Unfit(f"it has more than {MOST_ENTRIES:,} entries")
        waiting.extend((one, depth + 1) for one in (value.values() if isinstance(value, dict) else value))


def _untagged(mapping: dict[str, object]) -> object:
    """Return what ansible-core 2.19 wrapped to keep its origin (`_AnsibleTaggedStr`, …); None for types of its own."""
    kind = mapping.get("__ansible_type")
    if kind is None:
        return mapping
    return mapping.get("value") if str(kind).startswith("_AnsibleTagged") else None
