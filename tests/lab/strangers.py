"""A user of this machine without any privilege, for labs and rollouts of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import ringfence
import ruamel
from ringfence.lab import cgroups

from tests.lab.ansible_core import copy_packages

PYTHON = "/usr/bin/python3"
REPOSITORY = Path(__file__).parents[2]
PRELUDE = """
import json, os, sys
from pathlib import Path
from ringfence.lab.probe import probe
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec
from ringfence.model.errors import RingfenceError
ECHO = UnitSpec("echo.service", ("tcp/7000",), user="echo")
HOSTS = [HostSpec("a", units=(ECHO,)), HostSpec("b"), HostSpec("c")]
lab = Lab("test", Path.home() / "lab")
"""

# A function for scripts of Stranger.run_with_ansible: a playbook of the collection, and what it said where it failed.
PLAY = """
import subprocess
def play(name, plan, *words):
    command = [sys.executable, "-S", "-c", "from ansible.cli.playbook import main; main()"]
    command += ["-i", str(lab.inventory_path), "-e", f"ringfence_plan={plan}", *words, f"ringfence.core.{name}"]
    done = subprocess.run(
        command, env={**os.environ, **ANSIBLE, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout[-3000:] + done.stderr[-3000:]
"""


@dataclass(frozen=True)
class Stranger:
    """A user of this machine who may do nothing special."""

    name: str
    home: Path
    sources: Path

    def run(
        self, script: str, *argv: str, group: Path | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run Python as the user, in a control group if one is given."""
        environment = [f"HOME={self.home}", f"PYTHONPATH={self.sources}", "PATH=/usr/local/bin:/usr/bin:/bin"]
        command = ["runuser", "-u", self.name, "--", "env", "-i", *environment, PYTHON, "-c", PRELUDE + script, *argv]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd="/",
            preexec_fn=None if group is None else lambda: cgroups.join(group),
        )

    def await_end(self) -> None:
        """Return when the user has no process; the dead are collected a moment after they die."""
        deadline = time.monotonic() + 60
        while left := subprocess.run(["pgrep", "-a", "-u", self.name], capture_output=True, text=True).stdout:
            assert time.monotonic() < deadline, f"processes that did not end: {left}"
            time.sleep(0.05)

    def run_with_ansible(self, script: str, *argv: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run Python that can `play`, with ansible-core and the collection alone."""
        packages, collections = self.sources.parent / "ansible", self.sources.parent / "collections"
        if not packages.exists():
            copy_packages(packages)
            ours = Path("ansible_collections/ringfence/core")
            shutil.copytree(REPOSITORY / "collections" / ours, collections / ours)
        places = {"PYTHONPATH": str(packages), "ANSIBLE_COLLECTIONS_PATH": str(collections)}
        return self.run(f"{PLAY}\nANSIBLE = {places!r}\n{script}", *argv, timeout=timeout)

    def owns(self, *paths: Path) -> None:
        """Give directories to the user."""
        for path in paths:
            shutil.chown(path, self.name)


@contextmanager
def made_stranger() -> Iterator[Stranger]:
    """Make a user who can read the sources, and none where root is missing to make it: the test is skipped."""
    if os.geteuid() != 0:
        pytest.skip("needs root to make an unprivileged user")
    for tool in ("useradd", "newuidmap", "runuser", PYTHON):
        if not shutil.which(tool):
            pytest.skip(f"no command '{tool}'")
    asked = subprocess.run([PYTHON, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
    if asked.stdout.strip() != b"True":
        pytest.skip(f"{PYTHON} is older than 3.11")
    place = Path(tempfile.mkdtemp(prefix="ringfence-stranger-"))
    place.chmod(0o755)
    for package in (ringfence, ruamel):
        for source in package.__path__:
            shutil.copytree(source, place / "sources" / package.__name__, dirs_exist_ok=True)
    name = f"ringfence-{os.getpid() % 100000}"
    subprocess.run(["useradd", "--create-home", "--home-dir", place / "home", name], check=True)
    yield Stranger(name, place / "home", place / "sources")
    subprocess.run(["userdel", "--force", "--remove", name], check=True, capture_output=True)
    shutil.rmtree(place)
