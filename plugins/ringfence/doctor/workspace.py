"""What a workspace has: files that can be read, what is kept closed to others, the control path, room on the disk."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ringfence.doctor.check import Check, fail, ok, warn
from ringfence.model.addresses import address_text, addresses_of, family_of, point_of
from ringfence.model.assets import Asset, Control
from ringfence.model.errors import InputError, RingfenceError
from ringfence.sources.reaching import way_to
from ringfence.user_directories import whose

WRITTEN = ("ringfence.yml", "labels.yml", "inventory", "policy")
KEPT = (".ringfence", ".ringfence/facts", ".ringfence/flows", ".ringfence/snapshots")
ROOM_WARNS, ROOM_FAILS = 500 << 20, 20 << 20
HOSTS_TRIED = 200
OWN_CONFIGURATION = re.compile(r"(?:^|\s)-F")


def workspace_checks(
    directory: Path, errors: Sequence[RingfenceError], control: Control | None, assets: Iterable[Asset]
) -> Iterator[Check]:
    """Yield the checks of a workspace; `errors` are those of its files, `assets` are the workloads it knows."""
    yield _readable(directory)
    if errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        yield fail("workspace", f"{errors[0].place or directory}: {errors[0].message}{more}", "ringfence check")
    else:
        yield ok("workspace", str(directory))
    yield _closed(directory)
    yield _control(control, list(assets))
    yield _room(directory)


def _readable(directory: Path) -> Check:
    unread = sorted(
        path.relative_to(directory)
        for name in WRITTEN
        for path in _files(directory / name)
        if not os.access(path, os.R_OK)
    )
    if unread:
        return fail(
            "files", f"{unread[0]} cannot be read ({len(unread)} in all)", "chmod u+r, or chown them to yourself"
        )
    return ok("files", "all can be read")


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            yield from (Path(folder) / name for name in (*folders, *names))
    elif os.path.lexists(path):
        yield path


def _closed(directory: Path) -> Check:
    """Look whether what hosts told, and what they hold, is closed to other users of this machine."""
    if owner := whose(directory):
        detail = f"you are root, and the workspace is {owner}'s: what is written here becomes root's"
        return warn("state", detail, f"work as {owner}; afterwards: chown -R {owner}: {directory}")
    wide: list[str] = []
    read: list[str] = []
    closed = False
    for name in KEPT:
        path = directory / name
        if not path.is_dir():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if closed:
            pass  # nobody else comes this far
        elif mode & 0o022:
            wide.append(name)
        elif mode & 0o055 and not any(name.startswith(one) for one in read):
            read.append(name)
        closed = closed or (name == KEPT[0] and not mode & 0o011)
        if not os.access(path, os.W_OK | os.X_OK):
            return fail("state", f"{name} cannot be written", f"chown it to yourself: {path}")
    if wide:
        return fail("state", f"other users can write {', '.join(wide)}", f"chmod -R go-rwx {directory / KEPT[0]}")
    if read:
        detail = f"other users can read what hosts told: {', '.join(read)}"
        return warn("state", detail, f"chmod -R go-rwx {directory / KEPT[0]}")
    return ok("state", "closed to other users")


def _control(control: Control | None, assets: list[Asset]) -> Check:
    """Look whether the addresses that this machine reaches hosts from lie in the control path."""
    if control is None:
        if assets and all(asset.control for asset in assets):
            return ok("control", "said for each host")
        remedy = "write 'control: {from: [the networks Ansible comes from]}' in ringfence.yml"
        return fail("control", "no control path is set, so no plan can be made", remedy)
    outside: dict[str, list[str]] = {}
    reached: dict[int, int | None] = {}
    for asset in assets[:HOSTS_TRIED]:
        target = _target(asset)
        if target is None or asset.attributes.get("ansible_connection") == "local":
            continue
        if target not in reached:
            reached[target] = _source(target)
        source = reached[target]
        if source is not None and source not in addresses_of((asset.control or control).networks):
            outside.setdefault(address_text(source), []).append(asset.name)
    networks = ", ".join(control.networks)
    if outside:
        seen, names = next(iter(sorted(outside.items())))
        detail = f"this machine reaches {names[0]} from {seen}, which lies outside control.from ({networks})"
        return warn("control", detail, "add the network, unless hosts see another address (NAT, a bastion): see below")
    return ok("control", f"from {networks} to port {control.port}")


def _target(asset: Asset) -> int | None:
    """Return the address that Ansible connects to.

    None where it is a name, or a proxy or an ssh configuration of the host's own, which may name another, comes first.
    """
    arguments = " ".join(str(value) for key, value in asset.attributes.items() if key.startswith("ansible_ssh_"))
    if way_to(asset).jump or OWN_CONFIGURATION.search(arguments):
        return None
    host = asset.attributes.get("ansible_host")
    try:
        return point_of(host) if isinstance(host, str) else None
    except InputError:
        return None


def _source(target: int) -> int | None:
    """Return the address that this machine sends from to a target; nothing is sent."""
    family = socket.AF_INET6 if family_of(target) == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address_text(target), 9))
            return point_of(str(probe.getsockname()[0]))
    except (OSError, InputError):
        return None


def _room(directory: Path) -> Check:
    free = shutil.disk_usage(directory).free
    detail = f"{free >> 20} MiB are free below {directory}"
    if free < ROOM_FAILS:
        return fail("disk", detail, "make room")
    return (
        warn("disk", detail, "make room; ringfence flows forget --before 90d")
        if free < ROOM_WARNS
        else ok("disk", detail)
    )
