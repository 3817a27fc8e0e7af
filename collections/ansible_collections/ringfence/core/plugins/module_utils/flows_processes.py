# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes of this host: which of them holds a socket, in which unit it runs and as which user."""

from __future__ import annotations

import os
import pwd
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

UNIT_KINDS = (".service", ".scope", ".socket", ".mount", ".swap")
SOCKET_PREFIX = "socket:["


class Process(NamedTuple):
    """One process.

    `unit` is the system manager's unit that it runs in, `path` that unit's control group on cgroup2 as nft names it
    (no leading slash), None where it has none there.
    """

    pid: int
    name: str
    unit: Optional[str]
    path: Optional[str]
    uid: int


def processes(proc: str = "/proc") -> Dict[int, Process]:
    """Return the readable processes of this network namespace, by pid.

    Those of a container with a network of its own belong to another host, and may run units of the same names.
    """
    found = {}
    own = _network(os.path.join(proc, "self"))
    for pid in _pids(proc):
        directory = os.path.join(proc, str(pid))
        try:
            if own is not None and _network(directory) not in (own, None):
                continue
            # Not the owner of the directory: that is root for a process that changed its user and may not be dumped.
            rows = _read(os.path.join(directory, "status")).split("\n")[:12]
            status = dict(line.split(":", 1) for line in rows if ":" in line)
            unit, path = unit_of(_read(os.path.join(directory, "cgroup")))
            found[pid] = Process(pid, name_of(status["Name"]), unit, path, int(status["Uid"].split()[1]))
        except (OSError, KeyError, ValueError):  # it ended while we looked
            continue
    return found


def name_of(told: str) -> str:
    """Return the name of a process as `Name:` of /proc/PID/status tells it."""
    return clean(told.strip(" \t"))


def holders(inodes: Set[int], proc: str = "/proc") -> Dict[int, int]:
    """Return the pid that holds each socket: the smallest, but pid 1 only where no other process holds it.

    Pid 1 keeps the sockets of `.socket` units open beside their service.
    """
    return first_holders(_held(inodes, proc) if inodes else ())


def first_holders(held: Iterable[Tuple[int, int]]) -> Dict[int, int]:
    """Return one pid for each socket, of pairs of pid and socket."""
    found: Dict[int, int] = {}
    for pid, inode in sorted(held):
        if found.get(inode, 1) == 1:
            found[inode] = pid
    return found


def _held(inodes: Set[int], proc: str) -> Iterator[Tuple[int, int]]:
    for pid in _pids(proc):
        directory = os.path.join(proc, str(pid), "fd")
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(os.path.join(directory, name))
            except OSError:
                continue
            if target.startswith(SOCKET_PREFIX):
                inode = int(target[len(SOCKET_PREFIX) : -1])
                if inode in inodes:
                    yield pid, inode


def unit_of(cgroups: str) -> Tuple[Optional[str], Optional[str]]:
    """Return unit and cgroup2 path from the text of /proc/PID/cgroup (cgroups(7)).

    The unit is the outermost one: what runs inside a delegated unit, a container or a user's manager, belongs to it.
    On hosts that still have systemd's own v1 hierarchy the unit may be named there alone; the path then is None.
    """
    unified = legacy = None
    for line in cgroups.split("\n"):
        number, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if number == "0" and not controllers:
            unified = path
        elif controllers == "name=systemd":
            legacy = path
    for group, is_unified in ((unified, True), (legacy, False)):
        parts = [part for part in (group or "").split("/") if part]
        for index, part in enumerate(parts):
            if part.endswith(UNIT_KINDS):
                # A leading underscore is systemd's own escape for names that a controller's file could have.
                name = clean(part[1:] if part.startswith("_") else part)
                return name, clean("/".join(parts[: index + 1])) if is_unified else None
    return None, None


def units(found: Iterable[Process], names: Dict[int, str]) -> Dict[str, Dict[str, object]]:
    """Return every unit that runs something: its cgroup2 path and the users (by number, `names`) of its processes."""
    running: Dict[str, Dict[str, object]] = {}
    users: Dict[str, Set[str]] = {}
    for process in found:
        if process.unit is not None:
            entry = running.setdefault(process.unit, {"path": process.path})
            if entry["path"] is None:
                entry["path"] = process.path
            users.setdefault(process.unit, set()).add(names.get(process.uid, str(process.uid)))
    for name, entry in running.items():
        entry["users"] = sorted(users[name])
    return running


_names: Dict[int, str] = {}


def user_name(uid: int) -> str:
    """Return the name of a user, or the number in text form where it has none."""
    if uid not in _names:
        try:
            _names[uid] = clean(pwd.getpwuid(uid).pw_name)
        except KeyError:
            _names[uid] = str(uid)
    return _names[uid]


def clean(text: str) -> str:
    """Return text without what a terminal would act on: anything unprintable is written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text
    )


def _network(directory: str) -> Optional[str]:
    try:
        return os.readlink(os.path.join(directory, "ns", "net"))
    except OSError:  # not root: the other users' processes do not say
        return None


def _pids(proc: str) -> List[int]:
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def _read(path: str) -> str:
    # The kernel ends lines with a newline alone; what else a name has of line ends belongs to it.
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return file.read()
