"""The few system calls of Linux that Python 3.11 has no function for: namespaces and mounts."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC = 0x4000
MS_REC_PRIVATE = MS_REC | 0x40000
MS_BIND = 0x1000
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces of `flags` for new ones; raises OSError."""
    _checked(_libc.unshare(flags), "unshare")


def enter(namespace: Path) -> None:
    """Enter the namespace that this file stands for; raises OSError."""
    handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(handle, 0), str(namespace))
    finally:
        os.close(handle)


def mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Attach a file system to the tree. Raise OSError, with the target, if the kernel refuses."""
    result = _libc.mount(source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(result, str(target))


def bind(source: Path, target: Path) -> None:
    """Make `source` appear at `target`; raises OSError."""
    mount(str(source), target, flags=MS_BIND)


def unmount(target: Path) -> None:
    """Detach what is mounted at `target`; raises OSError."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), str(target))


def name_process(name: str) -> None:
    """Give this process the name that ps shows, 15 bytes of it (prctl(2), PR_SET_NAME)."""
    _checked(_libc.prctl(15, name.encode()), name)


def die_with_parent() -> None:
    """Have this process killed when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG)."""
    _checked(_libc.prctl(1, 9), "PR_SET_PDEATHSIG")


def watches_to_be_had(wanted: int) -> int:
    """Return how many inotify instances, `wanted` at most, this user may still open."""
    handles: list[int] = []
    while len(handles) < wanted and (handle := _libc.inotify_init1(os.O_CLOEXEC)) >= 0:
        handles.append(handle)
    for handle in handles:
        os.close(handle)
    return len(handles)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
