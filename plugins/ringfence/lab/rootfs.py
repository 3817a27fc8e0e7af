"""The Debian root file systems under the lab's machines: made once by debootstrap into a cache, resumable."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ringfence.lab import kernel
from ringfence.model.errors import OutsideError
from ringfence.user_directories import user_directory

PACKAGES = (
    "busybox-static",
    "conntrack",
    "dbus",
    "iproute2",
    "ipset",
    "iptables",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "systemd",
    "systemd-sysv",
)
# A furnished machine has what others install too: other firewalls, containers, a way for users to become root. For
# polkitd, which firewalld needs, debootstrap does not find libpam-systemd behind its virtual name.
FURNITURE = ("docker.io", "firewalld", "libpam-systemd", "sudo", "ufw")
# Of these, what would start at boot by itself.
DISABLED = ("containerd.service", "docker.service", "docker.socket", "firewalld.service")
# What a lab has no use for. The paths and logind cost an inotify instance each, of which there are few.
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-logind.service",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)
SSHD_OPTIONS = "UseDNS no\nPermitRootLogin prohibit-password\nPrintMotd no\nMaxStartups 100\nMaxSessions 100\n"
JOURNAL_OPTIONS = "[Journal]\nStorage=persistent\nSystemMaxUse=16M\n"
EXPECTED_STEPS = 710  # retrieved, validated, unpacked and configured packages of one release, about
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DEBIAN_PACKAGES = ("Created-By: Packages", "Origin: Debian", "Label: Debian")

Report = Callable[[str, float], None]


def cache_directory() -> Path:
    """Return where root file systems are kept: RINGFENCE_LAB_CACHE, else the user's or the system's cache."""
    chosen = os.environ.get("RINGFENCE_LAB_CACHE")
    if chosen:
        return Path(chosen).absolute()
    if os.geteuid() == 0 and not Path(os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path("/var/cache/ringfence/lab")
    return user_directory("XDG_CACHE_HOME") / "ringfence/lab"


def mirror() -> str | None:
    """Return the Debian mirror to use: RINGFENCE_LAB_MIRROR, else the machine's own, else None for debootstrap's."""
    chosen = os.environ.get("RINGFENCE_LAB_MIRROR")
    if chosen:
        return chosen
    if not shutil.which("apt-get"):
        return None
    query = ["apt-get", "indextargets", "--format", "$(SITE)", *DEBIAN_PACKAGES]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)
    return listed.stdout.split()[0] if listed.stdout.strip() else None


def packages_of(image: str) -> tuple[str, ...]:
    """Return the packages of an image: a release's name, or that with `-furnished`."""
    return (*PACKAGES, *FURNITURE) if _furnished(image) else PACKAGES


def path_of(image: str) -> Path:
    """Return where the root file system of this image and recipe is, or will be."""
    recipe = repr((packages_of(image), MASKED, SSHD_OPTIONS, JOURNAL_OPTIONS))
    return cache_directory() / f"{image}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def ensure(image: str, report: Report) -> Path:
    """Return the image's root file system, made now if it is not there.

    Packages that were fetched before an interruption are not fetched again. `report` gets a line and the share done,
    from 0 to 1. Raise OutsideError when debootstrap fails.
    """
    ready = path_of(image)
    if ready.is_dir():
        return ready
    packages = cache_directory() / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    with _locked(cache_directory() / f"{image}.lock", lambda: report(f"{image}: another process makes it", 0.0)):
        if ready.is_dir():
            return ready
        partial = ready.with_suffix(".partial")
        if partial.exists():
            shutil.rmtree(partial)
        _debootstrap(image, partial, packages, report)
        _finish(partial, DISABLED if _furnished(image) else ())
        partial.rename(ready)
    return ready


def _debootstrap(image: str, target: Path, packages: Path, report: Report) -> None:
    """Run it in mount and process namespaces of its own: what it mounts and starts ends with it."""
    report(f"{image}: looking for a mirror", 0.0)
    source = mirror()
    release = image.partition("-")[0]
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "debootstrap"]
    command += ["--force-check-gpg", f"--keyring={KEYRING}"]
    command += ["--variant=minbase", f"--cache-dir={packages}", f"--include={','.join(packages_of(image))}"]
    command += [release, str(target)]
    command += [source] if source else []
    log = packages.parent / f"{image}.log"
    steps = 0
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
            preexec_fn=kernel.die_with_parent,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                kept.write(line)
                if line.startswith("I: "):
                    steps += 1
                    report(f"{image}: {line[3:].strip()}", min(1.0, steps / EXPECTED_STEPS))
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise OutsideError(
            f"debootstrap of Debian {release} failed with status {process.returncode}",
            remedy=f"see {log}; RINGFENCE_LAB_MIRROR names another Debian mirror",
        )


def _furnished(image: str) -> bool:
    return image.endswith("-furnished")


def _finish(root: Path, disabled: Sequence[str]) -> None:
    """Quiet what a lab has no use for, and keep what each machine must have for itself out of the image."""
    for path in [*(root / "etc/ssh").glob("ssh_host_*"), *(root / "var/cache/apt/archives").glob("*.deb")]:
        path.unlink()
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists").mkdir()
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    if disabled:
        subprocess.run(["chroot", root, "systemctl", "--quiet", "disable", *disabled], check=True)
    for name, text in (
        ("etc/ssh/sshd_config.d/ringfence-lab.conf", SSHD_OPTIONS),
        ("etc/systemd/journald.conf.d/ringfence-lab.conf", JOURNAL_OPTIONS),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    listed = subprocess.run(["chroot", root, "busybox", "--list"], capture_output=True, text=True, check=True)
    applets = root / "usr/share/ringfence-lab/applets"
    applets.parent.mkdir(parents=True)
    applets.write_text(listed.stdout)


@contextmanager
def _locked(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock; `wait` is called once where another process holds it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
