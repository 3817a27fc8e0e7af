"""Parts of an inventory that Ansible silently ignores: hosts would be missing without a word.

In a folder Ansible reads no file whose name ends as `inventory_ignore_extensions` says: `hosts.cfg`, `hosts.bak`. In a
file of YAML it ignores a host that is right below its group, where `hosts:` should be between the two.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity

TIMEOUT_SECONDS = 60.0
# Endings that some release of Ansible passes over. Such as `.md` and `.pyc` are left out here: they are no inventory's.
_KEPT_COPIES = (".bak", ".orig", "~", ".retry")
_MAY_HOLD_HOSTS = (".cfg", ".ini", ".txt", *_KEPT_COPIES)
_READ_UP_TO = 1 << 20
_VARIABLES = {"group_vars", "host_vars"}
_LOOKS_LIKE_HOSTS = re.compile(
    r"^(\[[\w.:-]+\]|(all|ungrouped)[ \t]*:|plugin[ \t]*:|[ \t]+(hosts|children)[ \t]*:)", re.M
)
_KEY = re.compile(
    r"""^(?P<indent> *)(?P<key>"[^"]*"|'[^']*'|[^\s#"'\[\]{}&*!|>%@`-][^\s#]*?)\s*:(?:\s+(?P<value>.*))?$"""
)


def passed_over(
    paths: Sequence[Path], base: Path, config_command: Sequence[str], environment: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return a warning for each file of inventories that Ansible does not read, and each host that it does not see."""
    files = [file for path in paths for file in _below(base / path)]
    doubtful = [file for file in files if file.name.endswith(_MAY_HOLD_HOSTS)]
    endings = _endings(config_command, base, environment) if doubtful else ()
    # A file that is named by itself is read, however it is called.
    named = {(base / path).absolute() for path in paths}
    unread = {file for file in doubtful if file.name.endswith(endings) and file.absolute() not in named}
    found = [problem for file in files if file in unread for problem in _of_file(file, base)]
    found += [
        problem
        for file in files
        if file not in unread and file.suffix in {".yml", ".yaml"}
        for problem in _of_hosts(file, base)
    ]
    return tuple(found)


def _below(root: Path) -> Iterator[Path]:
    """Yield the files of an inventory, but variables and what is hidden."""
    waiting, seen = [root], set()
    while waiting:
        path = waiting.pop(0)
        if path.is_file():
            yield path
        elif path.is_dir() and os.access(path, os.R_OK | os.X_OK) and (whole := os.path.realpath(path)) not in seen:
            seen.add(whole)
            waiting += sorted(
                one for one in path.iterdir() if not one.name.startswith(".") and one.name not in _VARIABLES
            )


def _endings(command: Sequence[str], base: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the names end with that this Ansible, with the settings here, passes over in a folder."""
    try:
        done = subprocess.run(
            [*command, "dump", "--format", "json"],
            cwd=base,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        settings = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ()
    for setting in settings if isinstance(settings, list) else ():
        if isinstance(setting, dict) and setting.get("name") == "INVENTORY_IGNORE_EXTS":
            value = setting.get("value")
            return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
    return ()


def _of_file(file: Path, base: Path) -> Iterator[Problem]:
    text = _text(file)
    # The settings of a script have its name: `ec2.ini` beside `ec2.py`.
    of_a_script = any(
        other != file and other.stem == file.stem and os.access(other, os.X_OK) for other in file.parent.glob("*.*")
    )
    if text is None or of_a_script or not _LOOKS_LIKE_HOSTS.search(text):
        return
    ending = next((one for one in _MAY_HOLD_HOSTS if file.name.endswith(one)), file.suffix)
    copy = ending in _KEPT_COPIES
    yield _warning(
        f"is not read: Ansible passes over files of an inventory whose names end with '{ending}'",
        Place(_shown(file, base)),
        "move the copy out of the inventory" if copy else "rename it, to .yml or without an ending, or move it away",
    )


def _of_hosts(file: Path, base: Path) -> Iterator[Problem]:
    """Yield what stands where Ansible expects the words of a group, in a file of YAML in block style.

    What has a mapping there Ansible tells itself; what has no value it passes over.
    """
    text = None if os.access(file, os.X_OK) else _text(file)
    if text is None:
        return
    lines = [
        (number, line.rstrip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#") and line.strip() not in {"---", "..."}
    ]
    # The indentation of a mapping of groups, or of one group's words, with which of both it is, the innermost last.
    open_: list[tuple[int, str]] = [(0, "groups")]
    skip_below: int | None = None
    for at, (number, line) in enumerate(lines):
        indent = len(line) - len(line.lstrip(" "))
        if skip_below is not None and indent > skip_below:
            continue
        skip_below = None
        while len(open_) > 1 and indent < open_[-1][0]:
            open_.pop()
        match = _KEY.match(line)
        if match is None or indent != open_[-1][0]:
            return  # not the block style that this reads
        key, value = match["key"].strip("\"'"), (match["value"] or "").partition(" #")[0].strip()
        if value.startswith("#"):
            value = ""
        inner = len(lines[at + 1][1]) - len(lines[at + 1][1].lstrip(" ")) if at + 1 < len(lines) else 0
        deeper = inner > indent
        if open_[-1][1] == "groups":
            if indent == 0 and key == "plugin":
                return
            if deeper and not value:
                open_.append((inner, "words"))
        elif key == "children" and deeper and not value:
            open_.append((inner, "groups"))
        elif key in {"hosts", "vars", "children"} or deeper:
            skip_below = indent
        else:
            yield _warning(
                f"'{key}' stands right below a group, where Ansible passes over it: it is no host so",
                Place(_shown(file, base), number, indent + 1),
                "write 'hosts:' below the group, and the hosts below that; variables below 'vars:'",
            )


def _text(file: Path) -> str | None:
    try:
        with file.open("rb") as opened:
            data = opened.read(_READ_UP_TO + 1)
    except OSError:
        return None
    return None if len(data) > _READ_UP_TO else data.decode("utf-8", "replace").removeprefix("\ufeff")


def _warning(message: str, place: Place, remedy: str) -> Problem:
    return Problem(Severity.WARNING, message, place, remedy)


def _shown(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
