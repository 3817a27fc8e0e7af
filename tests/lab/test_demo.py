"""The demonstration on hosts of the lab: it shows everything it says, and leaves nothing, also when interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.leftovers import seen_from_outside
from tests.lab_fixtures import abilities, require

pytestmark = pytest.mark.lab
# More than a slow machine takes with other tests beside it; a demonstration that hangs ends all the same.
MOST_SECONDS = 900
DEMO = [sys.executable, "-m", "ringfence.cli", "demo", "--name", "test-demo"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path)}


def test_every_step_of_the_demo_holds_and_nothing_is_left(environment: dict[str, str], tmp_path: Path) -> None:
    require(abilities().choose())
    before = seen_from_outside()

    done = subprocess.run(
        [*DEMO, "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    steps = {step["title"]: step for step in told["steps"]}
    assert len(steps) == 13
    proof = next(step for step in told["steps"] if "probes" in step)
    assert proof["probes"] > 2000
    assert proof["wrong"] == []
    seen = [value for step in told["steps"] for key, value in step.items() if "→" in key]
    assert seen == [True, True, False, False], "wrong traffic flows before the policy, and not after"
    found = {key: value for step in told["steps"] for key, value in step.items()}
    assert (found["rejected"], found["suggested_again"], found["broken"]) == (1, 0, [])
    assert (found["session"], found["scan_answered"][1], found["permission"]) == ([True, False], 0, [True, False])
    assert seen_from_outside() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_takes_its_lab_down(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    require("namespaces")
    before = seen_from_outside()

    with subprocess.Popen(
        [*DEMO, "--kind", "namespaces"],
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "3/13" in line:
                break
        # A terminal sends its interrupt to the whole group; an end is asked of the one process.
        os.killpg(demo.pid, number) if number is signal.SIGINT else demo.send_signal(number)
        rest = demo.stdout.read()

    assert demo.returncode == 130, rest
    assert "Traceback" not in rest
    assert not (tmp_path / "state/ringfence/lab/test-demo").exists()
    assert not list(tmp_path.glob("ringfence-demo-*"))
    assert seen_from_outside() == before
