"""How the lab's tests are shared out between processes (tests/lab/conftest.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from xdist.remote import Producer

from tests.lab.conftest import ByLab

ROOT = Path(__file__).parents[2]
TESTS = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(4))
def test_it(number):
    with pathlib.Path(__file__).with_suffix(".processes").open("a") as file:
        file.write(f"{os.getpid()}\\n")
"""


def test_pytest_xdist_gives_all_tests_of_a_file_to_one_process(tmp_path: Path) -> None:
    files = [tmp_path / f"test_{name}.py" for name in ("one", "two", "three")]
    for file in files:
        file.write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "tests.lab.conftest", "-p", "no:cacheprovider"]
    # what a stage in a process of pytest-xdist is told is not for the pytest that it starts
    told = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, *map(str, files)],
        cwd=tmp_path,
        env={**told, "PYTHONPATH": f"{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    processes = [set(file.with_suffix(".processes").read_text().split()) for file in files]
    assert [len(one) for one in processes] == [1, 1, 1]


class Process:
    """A process of pytest-xdist that runs nothing: `given` are the tests it was told to run."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.given += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


def test_the_first_labs_begin_first_and_none_waits_behind_two_tests() -> None:
    sizes = {"test_fault_matrix.py": 3, "test_demo.py": 3, "test_watch.py": 2, "test_doctor.py": 1}
    labs = [[f"{file}::test_{number}" for number in range(size)] for file, size in sizes.items()]
    tests = [test for lab in labs for test in lab]
    get: Callable[[str], object] = {"tx": ["popen", "popen"]}.get
    config = SimpleNamespace(getvalue=get, option=SimpleNamespace(loadscopereorder=False))
    scheduler = ByLab(config, Producer("", enabled=False))  # type: ignore[arg-type]
    first, second = Process("first"), Process("second")
    for process in (first, second):
        scheduler.add_node(process)  # type: ignore[arg-type]
        scheduler.add_node_collection(process, tests)  # type: ignore[arg-type]
    scheduler.schedule()

    def given(process: Process) -> list[str]:
        return [tests[index] for index in process.given]

    assert (given(first), given(second)) == (labs[0], labs[1])
    scheduler.mark_test_complete(first, 0)  # type: ignore[arg-type]
    assert given(first) == labs[0], "two of its tests are left"
    scheduler.mark_test_complete(first, 1)  # type: ignore[arg-type]
    # a process of pytest-xdist begins a test where it knows the one after it
    assert given(first) == labs[0] + labs[2]
    scheduler.mark_test_complete(second, 3)  # type: ignore[arg-type]
    scheduler.mark_test_complete(second, 4)  # type: ignore[arg-type]
    assert given(second) == labs[1] + labs[3]
    scheduler.mark_test_complete(first, 2)  # type: ignore[arg-type]
    assert first.shutting_down
