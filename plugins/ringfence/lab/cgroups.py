"""The lab's control groups: found, made, entered and taken away, on cgroup2 alone or beside cgroup v1."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from ringfence.model.errors import OutsideError

PREFIX = "ringfence-lab-"


def mount_point() -> Path | None:
    """Return where cgroup2 is mounted, None where it is not."""
    return next(iter(mount_points("cgroup2")), None)


def own() -> Path | None:
    """Return the directory of this process's own cgroup2 group, None where that cannot be seen."""
    top = mount_point()
    if top is None:
        return None
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            path = top / line[3:].lstrip("/")
            return path if path.is_dir() else None
    return None


def may_divide(group: Path) -> bool:
    """Return whether this process may make groups below `group` and move processes between them."""
    return os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK)


def make(name: str) -> Path | None:
    """Make the group of a lab below our own; return None where this process may not."""
    group = own()
    if group is None or not may_divide(group):
        return None
    path = group / f"{PREFIX}{name}"
    _sweep(group)
    try:
        path.mkdir(exist_ok=True)
    except OSError:
        return None  # a read-only mount, as in containers: the probe names it
    return path


def join(group: Path) -> None:
    """Move this process into the group, making it. Raise OSError."""
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text(str(os.getpid()))


def kill(group: Path) -> None:
    """Kill every process in the group and below (kernel 5.14 has cgroup.kill; before it, one by one)."""
    switch = group / "cgroup.kill"
    if switch.exists():
        switch.write_text("1")
        return
    for member in group.glob("**/cgroup.procs"):
        for pid in member.read_text().split():
            _kill_one(int(pid))


def remove(group: Path, patience: float = 5.0) -> None:
    """Kill what is in the group and remove it with all below it, in every hierarchy. Raise OutsideError."""
    top = mount_point()
    if top is None:
        return
    inside = group.relative_to(top)
    if group.is_dir():
        kill(group)
    for hierarchy in (top, *mount_points("cgroup")):
        _remove_tree(hierarchy / inside, time.monotonic() + patience)


def _sweep(group: Path) -> None:
    """Remove the empty groups of labs whose process was killed; one that is just being made is made again by `join`."""
    top = mount_point()
    for path in group.glob(f"{PREFIX}*"):
        if top is not None and "populated 0" in _text(path / "cgroup.events"):
            for hierarchy in (top, *mount_points("cgroup")):
                with suppress(OSError):  # somebody just moved in, or another lab sweeps too
                    _remove_once(hierarchy / path.relative_to(top))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _remove_tree(group: Path, deadline: float) -> None:
    while group.is_dir():
        try:
            _remove_once(group)
        except FileNotFoundError:
            continue
        except OSError as error:
            if time.monotonic() > deadline:
                raise OutsideError(
                    f"the lab's control group {group} cannot be removed: {error.strerror}",
                    remedy=f"see which processes are in it: cat {group}/cgroup.procs",
                ) from error
            time.sleep(0.02)


def _remove_once(group: Path) -> None:
    for path in sorted((path for path in group.glob("**/") if path.is_dir()), reverse=True):
        path.rmdir()


def mount_points(kind: str) -> list[Path]:
    """Return where file systems of this kind are mounted (proc(5), mountinfo)."""
    found: list[Path] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.split(" ", 1)[0] == kind:
            found.append(Path(left.split(" ")[4].encode().decode("unicode_escape")))
    return found


def _kill_one(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return
