"""Everything that continuous integration checks, stage by stage, with one line of counts at its end.

`python -m tests.checks` runs all stages, `python -m tests.checks NAME…` the named ones. A stage of pytest counts its
tests, any other stage counts as one. A failed stage does not stop the later ones; the exit status tells.

All stages run in lanes beside each other (`PHASES`), since the lab waits more than it computes; what a stage prints is
shown when it has ended. Named stages run one after another.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import IO
from xml.etree import ElementTree

from ringfence.lab.probe import probe
from ringfence.lab.rootfs import cache_directory

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COLLECTION = ROOT / "collections/ansible_collections/ringfence/core"
STARTUP = ROOT / "tests/startup"
# The parts of the target's script are one program: what one sets another reads (SC2034, SC2154), and `a && b || refuse`
# means a refusal where either fails (SC2015).
MEANT = "SC2015,SC2034,SC2154"
# Tests of one file share servers or a lab, so one process has them all; files begin in their order, for those that
# take longest are among the first.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
# The same for those that share a lab (`tests/lab/conftest.py`).
BY_LAB = ("--dist", "loadgroup", "--no-loadscope-reorder")


# Where the commands of a lane write to, None for the terminal, and what they are called with.
OUTPUT: ContextVar[IO[bytes] | None] = ContextVar("OUTPUT", default=None)
POLITELY: ContextVar[tuple[str, ...]] = ContextVar("POLITELY", default=())
INTERRUPTED = Event()
TERMINAL = Lock()


@dataclass(frozen=True)
class Counts:
    """How many tests of a stage passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def command(*words: str | Path, cwd: Path = ROOT) -> Callable[[], Counts]:
    """Return a stage that runs one tool of the virtual environment and counts as one test."""

    def run() -> Counts:
        return Counts(failed=1) if status(BIN / words[0], *words[1:], cwd=cwd) else Counts(passed=1)

    return run


def pytest(*words: str, workers: int = 2, winrm: bool = False) -> Callable[[], Counts]:
    """Return a stage that runs pytest in several processes and counts its tests; one that collects nothing fails.

    Without `winrm` its Ansible has no pywinrm, which each start would import.
    """
    variables = {"PYTHONPATH": str(STARTUP)} if winrm else {}

    def run() -> Counts:
        with tempfile.TemporaryDirectory() as directory:
            report = Path(directory) / "report.xml"
            begins: tuple[str | Path, ...] = (BIN / "python", "-m", "pytest", "-q", "-n", str(workers))
            begins += (f"--junit-xml={report}", "--durations=20", "--durations-min=10")
            ended = status(*begins, *words, **variables)
            if not report.exists():
                return Counts(failed=1)
            suites = ElementTree.parse(report).getroot().iter("testsuite")
            counts = Counts()
            for suite in suites:
                number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
                failed = number["failures"] + number["errors"]
                counts += Counts(number["tests"] - failed - number["skipped"], failed, number["skipped"])
            return counts + Counts(failed=1) if ended and not counts.failed else counts

    return run


def build_collection() -> Counts:
    """Build the collection and install it where nothing else of the project is, as a user of Galaxy would."""
    with tempfile.TemporaryDirectory() as directory:
        galaxy = BIN / "ansible-galaxy"
        failed = status(galaxy, "collection", "build", COLLECTION, "--output-path", directory)
        archives = list(Path(directory).glob("ringfence-core-*.tar.gz"))
        if failed or len(archives) != 1:
            return Counts(failed=1)
        install = [galaxy, "collection", "install", archives[0], "--offline", "--force", "-p", directory]
        failed = status(*install, ANSIBLE_COLLECTIONS_PATH=directory)
        return Counts(failed=1) if failed else Counts(passed=1)


def collection_docs() -> Counts:
    """Check that the documentation of every plug-in of the collection is complete and renders."""
    failed = status(BIN / "antsibull-docs", "lint-collection-docs", "--plugin-docs", COLLECTION)
    return Counts(failed=1) if failed else Counts(passed=1)


def shellcheck() -> Counts:
    """Check what runs in a POSIX shell on targets, and what prepares this machine."""
    parts = sorted(COLLECTION.glob("plugins/plugin_utils/**/script/*.sh"))
    target = [BIN / "shellcheck", "--shell=sh", f"--exclude={MEANT}", *parts]
    own = [BIN / "shellcheck", *(ROOT / ".ci" / name for name in ("run", "system-packages"))]
    failed = [words for words in (target, own) if status(*words)]
    return Counts(failed=1) if failed else Counts(passed=1)


def molecule() -> Counts:
    """Run the collection's scenario on two hosts of the lab, where this machine can hold them."""
    lacks = probe().lacks("namespaces")
    if lacks:
        print("skipped: no lab of namespaces:", "; ".join(map(str, lacks)))
        return Counts(skipped=1)
    try:
        counts = command("molecule", "test", cwd=COLLECTION)()
    except KeyboardInterrupt:
        status(BIN / "molecule", "destroy", cwd=COLLECTION)
        raise
    if INTERRUPTED.is_set():
        status(BIN / "molecule", "destroy", cwd=COLLECTION)
    return counts


def status(*words: str | Path, cwd: Path = ROOT, **variables: str) -> int:
    """Run a command to its end and return its status; an interrupt is passed on when the command has cleaned up."""
    output = OUTPUT.get()
    with subprocess.Popen(
        [*POLITELY.get(), *map(str, words)],
        cwd=cwd,
        env={**environment(), **variables},
        stdout=output,
        stderr=output and subprocess.STDOUT,
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal has interrupted the command too: hosts of a lab are being taken down.
            process.wait()
            raise


def environment() -> dict[str, str]:
    """Return the environment of every stage: the tools of this virtual environment first, the tree's own collection.

    Python keeps what it compiles, whatever this shell wants: stages start it hundreds of times. What mypy knows of a
    module stays beside the lab's cache, for the next clone too: it goes by contents.
    """
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_NOCOWS": "1",
        "MYPY_CACHE_DIR": str(cache_directory().with_name("mypy")),
        "PYTHONPATH": os.pathsep.join((str(STARTUP), str(ROOT / "tests/without_winrm"))),
    }


STAGES: dict[str, Callable[[], Counts]] = {
    "ruff-format": command("ruff", "format", "--check", "."),
    "ruff": command("ruff", "check", "."),
    "mypy": command("mypy"),
    "imports": command("lint-imports"),
    "shellcheck": shellcheck,
    "images": command("python", "-m", "tests.lab_images"),
    "unit": pytest("tests/unit", workers=4),  # a third of it waits for timers and for Ansible
    "sources": pytest("tests/sources", *BY_FILE, workers=4, winrm=True),  # 240 CPU s of 570: it waits for servers
    "conformance": pytest("tests/conformance", *BY_FILE),
    "lab": pytest("tests/lab", *BY_LAB, workers=3),  # more, and hosts miss their times: half of it computes
    "molecule": molecule,
    "tui": pytest("tests/tui", workers=4),  # 250 CPU s of 850: it waits for its own pauses
    # each playbook is a start of Ansible here, and those of `playbooks` are lines of the collection's, which
    # tests/unit/collection/test_playbooks.py holds
    "ansible-lint": command("ansible-lint", "--offline", "--profile", "production", "collections"),
    "collection": build_collection,
    "collection-docs": collection_docs,
}


# A phase begins when the one before has ended; its lanes run beside each other, the first with the right of way. What
# the lab's machines stand on is made while unit tests wait. Beside the lab, whose hosts keep times, runs little that
# computes, and nothing that mounts anything outside a lab: its tests of what a lab leaves behind would see it.
Lane = tuple[str, ...]
PHASES: tuple[tuple[Lane, ...], ...] = (
    (("ruff-format", "ruff", "imports", "shellcheck", "unit"), ("images",)),
    (("lab",), ("molecule", "mypy", "ansible-lint", "collection", "collection-docs")),
    (("sources", "tui"), ("conformance",)),
)


@dataclass(frozen=True)
class Ended:
    """What became of a stage, and how many seconds it took."""

    name: str
    counts: Counts
    seconds: float

    def __str__(self) -> str:
        return f"{'ok  ' if not self.counts.failed else 'FAIL'} {self.name:16} {self.seconds:7.1f} s  {self.counts}"


def stage(name: str) -> Ended:
    """Run a stage; what it prints goes to the terminal as it comes."""
    print(f"\n── {name}", flush=True)
    start = time.monotonic()
    return Ended(name, STAGES[name](), time.monotonic() - start)


def lane(names: Lane, politely: tuple[str, ...]) -> list[Ended]:
    """Run the stages of a lane one after another; what each prints is shown when it has ended."""
    POLITELY.set(politely)
    ended = []
    for name in names:
        if INTERRUPTED.is_set():
            break
        with tempfile.TemporaryFile() as output:
            OUTPUT.set(output)
            start = time.monotonic()
            counts = STAGES[name]()
            ended.append(Ended(name, counts, time.monotonic() - start))
            output.seek(0)
            with TERMINAL:
                print(f"\n── {name}", flush=True)
                shutil.copyfileobj(output, sys.stdout.buffer)
                print(ended[-1], flush=True)
    return ended


def phase(lanes: Sequence[Lane]) -> list[Ended]:
    """Run lanes beside each other; an interrupt is passed on when what runs has cleaned up."""
    print(f"\nbeside each other: {'; '.join(', '.join(names) for names in lanes)}", flush=True)
    with ThreadPoolExecutor(len(lanes)) as threads:
        running = [threads.submit(lane, names, ("nice", "-n", "5") if n else ()) for n, names in enumerate(lanes)]
        try:
            return [ended for one in running for ended in one.result()]
        except KeyboardInterrupt:
            # the terminal has interrupted what runs too
            INTERRUPTED.set()
            raise


def main(names: list[str]) -> int:
    """Run stages and print their times, then one line of counts; return 0 if none failed."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(f"no stage '{unknown[0]}'; there are: {', '.join(STAGES)}", file=sys.stderr)
        return 2
    start = time.monotonic()
    ended = [stage(name) for name in names] or [ended for lanes in PHASES for ended in phase(lanes)]
    total = sum((one.counts for one in ended), Counts())
    width = shutil.get_terminal_size().columns
    print("\n" + "─" * min(width, 80))
    print("\n".join(map(str, ended)))
    print(f"     all together     {time.monotonic() - start:7.1f} s")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
