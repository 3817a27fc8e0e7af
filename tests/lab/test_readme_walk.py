"""The five-minute walk of the README, pasted into a shell by somebody who has just seen the demonstration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.lab.leftovers import seen_from_outside
from tests.lab_fixtures import abilities, require

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[2]


def walk() -> str:
    """Return the commands of the walk; where the reader opens an editor, the file that the page shows is written."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.partition("## The five-minute walk")[2].partition("\n## ")[0]
    commands = re.findall(r"^\$ (.*?)(?: {2,}#.*)?$", section, re.MULTILINE)
    (policy,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    written = {"$EDITOR policy/shop.yml": f"cat > policy/shop.yml <<'END'\n{policy}END"}
    # The reader's shell is in a checkout with a virtual environment of its own; this one has one already.
    return "\n".join(written.get(command, command) for command in commands if not command.startswith(". .venv"))


def test_the_walk_of_the_readme_ends_in_a_proof(request: pytest.FixtureRequest) -> None:
    require(abilities().choose())
    before = seen_from_outside()
    # As short as a real one: the sockets of ssh masters lie below it, and their names are at most 107 bytes long.
    reader = Path(tempfile.mkdtemp(prefix="reader-"))
    request.addfinalizer(lambda: shutil.rmtree(reader))
    home = {name: value for name, value in os.environ.items() if name != "XDG_STATE_HOME"}
    environment = {**home, "HOME": str(reader), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = f"trap 'ringfence lab down' EXIT\n{walk()}\n"
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=reader,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # what hangs ends all the same
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 of 12 assets" in done.stdout
    assert re.search(r"plan \w+: 12/12 hosts hold it, 12 changed", done.stdout)
    assert re.search(r"plan \w+: 12/12 hosts proven", done.stdout)
    assert "no rule allows it, which mode full would deny" in done.stdout
    assert seen_from_outside() == before
