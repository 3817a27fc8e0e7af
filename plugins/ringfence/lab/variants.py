"""Machines that lack what most have: one whose only shell and tools are busybox, one without a Python to be found."""

from __future__ import annotations

from pathlib import Path

from ringfence.lab.spec import Variant

PYTHON = "/usr/bin/python3"
HIDDEN_PYTHON = "/usr/lib/ringfence-lab/interpreter"
BINARIES = ("usr/bin", "usr/sbin")
# What systemd itself calls and busybox does otherwise, and what is no tool of a shell.
KEPT = frozenset(
    (
        *("busybox", "dpkg", "dpkg-deb", "rpm", "ip", "sysctl"),
        *("init", "halt", "poweroff", "reboot", "getty", "login", "passwd", "sulogin"),
        *("mount", "umount", "losetup", "swapon", "swapoff"),
        *("modprobe", "insmod", "lsmod", "rmmod", "depmod", "modinfo"),
    )
)
REMOVED_PACKAGES = ("bash", "coreutils", "dash", "diffutils", "findutils", "grep", "gzip", "mawk", "sed", "tar")


def apply(root: Path, variant: Variant) -> str:
    """Turn the machine at `root` into the variant; return where the lab's own services find a Python on it."""
    if variant == "busybox":
        _only_busybox(root)
    elif variant == "no-python":
        return _hide_python(root)
    return PYTHON


def _only_busybox(root: Path) -> None:
    applets = (root / "usr/share/ringfence-lab/applets").read_text().split()
    for package in REMOVED_PACKAGES:
        listing = root / f"var/lib/dpkg/info/{package}.list"
        for name in listing.read_text().splitlines():
            path = _merged(root, name)
            if path is not None and path.name not in KEPT and (path.is_symlink() or path.is_file()):
                path.unlink()
    for applet in applets:
        if applet in KEPT or "/" in applet:
            continue
        for directory in BINARIES:
            (root / directory / applet).unlink(missing_ok=True)
        (root / "usr/bin" / applet).symlink_to("/usr/bin/busybox")
    accounts = root / "etc/passwd"
    accounts.write_text(accounts.read_text().replace(":/bin/bash\n", ":/bin/sh\n"))


def _merged(root: Path, name: str) -> Path | None:
    """Return where a packaged binary lies on a machine whose /bin is /usr/bin, None for other files."""
    for directory in BINARIES:
        short = directory.removeprefix("usr")
        if name.startswith((f"/{directory}/", f"{short}/")):
            return root / directory / name.rsplit("/", 1)[1]
    return None


def _hide_python(root: Path) -> str:
    """Move the interpreter out of every path that discovery looks at; the lab's own listeners still need one."""
    binaries = root / "usr/bin"
    real = (binaries / "python3").resolve()
    hidden = root / HIDDEN_PYTHON.lstrip("/")
    hidden.parent.mkdir(parents=True, exist_ok=True)
    (binaries / real.name).rename(hidden)
    for path in binaries.glob("py*"):
        path.unlink()
    return HIDDEN_PYTHON
