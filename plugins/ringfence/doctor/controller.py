"""What this machine has: Python, Ansible, the collection, libraries of sources, ssh and git."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ringfence.doctor.check import Check, fail, ok, version_of, warn

PYTHON = (3, 11)
TRIED_PYTHON = (3, 13)
ANSIBLE = (2, 18)
# ansible-core's support matrix: the least Python of a controller by the release that raised it.
ANSIBLE_PYTHON = {(2, 18): (3, 11), (2, 20): (3, 12)}
COLLECTION = "ringfence.core"
ANY_MODULE = f"{COLLECTION}.policy_info"
SECONDS = 60
APT_LIBVIRT = (
    "apt install libvirt-dev pkg-config gcc python3-dev, then pip install 'ringfence[libvirt]'; where the engine runs"
    " on the system's Python, apt install python3-libvirt is enough"
)
# The sources whose library is an extra of its own: the module to import and the extra.
LIBRARIES = {
    "aws": ("boto3", "aws"),
    "vsphere": ("pyVmomi", "vsphere"),
    "ldap": ("ldap3", "ldap"),
    "libvirt": ("libvirt", "libvirt"),
    "proxmox": ("proxmoxer", "proxmox"),
    "hyperv": ("winrm", "windows"),
}
_PLUGIN = re.compile(rf"^\s*plugin:\s*['\"]?{re.escape(COLLECTION)}\.(\w+)", re.MULTILINE)


def controller_checks(directory: Path | None) -> Iterator[Check]:
    """Yield the checks of this machine; `directory` is the workspace, where there is one: its `ansible.cfg` counts."""
    yield _python()
    yield from _ansible()
    yield _collection(directory)
    yield from _libraries(directory)
    yield _program("ssh", "openssh-client", needed=True)
    yield _program("git", "git", needed=False)


def tools_path() -> str:
    """Return PATH with the directory of this Python first, as playbooks are run with."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    where = "in a virtual environment" if sys.prefix != sys.base_prefix else "of the system"
    detail = f"{found}, {where}"
    if sys.version_info[:2] < PYTHON:
        return fail("python", detail, "install Python 3.11 or newer")
    if sys.version_info[:2] > TRIED_PYTHON:
        return warn("python", f"{detail}, newer than what was tried", "use Python 3.11 to 3.13")
    return ok("python", detail)


def _ansible() -> Iterator[Check]:
    try:
        beside = version("ansible-core")
    except PackageNotFoundError:
        beside = ""
    program = shutil.which("ansible-playbook", path=tools_path())
    if program is None:
        yield fail("ansible", "there is no ansible-playbook on this machine", "pip install ansible-core")
        return
    if Path(program).parent == Path(sys.executable).parent and beside:
        found, python = beside, ".".join(map(str, sys.version_info[:2]))
    else:
        said = _run([program, "--version"])
        found = _first(r"\[core ([0-9.]+)", said)
        python = _first(r"python version = (\d+\.\d+)", said)
        if not found:
            yield fail("ansible", f"{program} does not say its version", "install ansible-core beside the engine")
            return
    detail = f"ansible-core {found} with Python {python} ({program})"
    least = max(
        python_ for release, python_ in ANSIBLE_PYTHON.items() if release <= max(version_of(found)[:2], ANSIBLE)
    )
    if version_of(found)[:2] < ANSIBLE:
        yield fail("ansible", f"{detail} is too old", "pip install 'ansible-core>=2.18'")
    elif version_of(python)[:2] < least:
        needed = ".".join(map(str, least))
        yield fail("ansible", f"{detail} needs Python {needed}", f"use Python {needed}, or an older ansible-core")
    elif beside and beside != found:
        yield warn("ansible", f"{detail}; beside the engine is {beside}", "use one of the two: look at PATH")
    else:
        yield ok("ansible", detail)


def _collection(directory: Path | None) -> Check:
    """Look for the collection as Ansible resolves it in the workspace, and compare its version with the engine's."""
    remedy = f"pip install ringfence brings it; else ansible-galaxy collection install {COLLECTION}"
    program = shutil.which("ansible-doc", path=tools_path())
    if program is None:
        return fail("collection", "there is no ansible-doc to ask", "pip install ansible-core")
    said = _run([program, "-t", "module", "-j", ANY_MODULE], directory)
    try:
        root = Path(json.loads(said)[ANY_MODULE]["doc"]["filename"]).parents[2]
    except (ValueError, KeyError, TypeError, IndexError):
        return fail("collection", f"Ansible does not find {COLLECTION}", remedy)
    found = _first(
        r'^\s*"?version"?:\s*"?([0-9][0-9a-z.+-]*)', _text(root / "MANIFEST.json") or _text(root / "galaxy.yml")
    )
    engine = version("ringfence")
    if found != engine:
        return fail("collection", f"{COLLECTION} {found or 'of no version'} ({root}), the engine is {engine}", remedy)
    return ok("collection", f"{COLLECTION} {found} ({root})")


def _libraries(directory: Path | None) -> Iterator[Check]:
    """Look for the libraries of the sources that the inventory names."""
    needed = sources_named(directory) if directory else frozenset()
    there = sorted(name for name, (module, _) in LIBRARIES.items() if find_spec(module) is not None)
    for name in sorted(needed & LIBRARIES.keys() - set(there)):
        module, extra = LIBRARIES[name]
        remedy = APT_LIBVIRT if name == "libvirt" else f"pip install 'ringfence[{extra}]'"
        yield fail("library", f"the source {name} needs {module}, which is not installed", remedy)
    yield ok("libraries", f"of {', '.join(there)}" if there else "none beside the engine's own; no source needs one")


def sources_named(directory: Path) -> frozenset[str]:
    """Return the sources of the collection that the files of a workspace's inventory name."""
    found: set[str] = set()
    for path in sorted((directory / "inventory").glob("*.y*ml")):
        found.update(_PLUGIN.findall(_text(path)))
    return frozenset(found)


def _program(name: str, package: str, *, needed: bool) -> Check:
    path = shutil.which(name, path=tools_path())
    if path is not None:
        return ok(name, path)
    remedy = f"install the package {package}"
    if needed:
        return fail(name, f"there is no {name} on this machine", remedy)
    return warn(name, f"there is no {name}: nothing keeps the history of the workspace", remedy)


def _run(command: list[str], directory: Path | None = None) -> str:
    """Return what a command prints, empty where it cannot be run."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=SECONDS, cwd=directory
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
