"""The stage of the demonstration: its steps with their times, and the commands it gives, as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.cli.output import Output
from ringfence.model.errors import RingfenceError

STEPS = 13
# No command of the demonstration works longer; a lab of machines on a busy computer included.
COMMAND_SECONDS = 300


class Unexpected(RingfenceError):
    """The demonstration showed something else than it says."""

    exit_status = 1


@dataclass
class Step:
    """One step: what it shows, how long it took (seconds), what it found out as plain data."""

    title: str
    seconds: float = 0.0
    found: dict[str, object] = field(default_factory=dict)


@dataclass
class Stage:
    """Where the demonstration plays: a workspace's directory and the printer; it keeps the steps that were shown."""

    directory: Path
    output: Output
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Announce a step, and take its time."""
        step = Step(title)
        self.steps.append(step)
        self.output.line()
        self.output.line(f"━━ {len(self.steps)}/{STEPS} {title}", style="cyan", bold=True)
        begun = time.monotonic()
        yield step
        step.seconds = round(time.monotonic() - begun, 1)
        self.output.line(f"   {step.seconds} s", style="bright_black")

    def say(self, text: str, style: str | None = None) -> None:
        """Print a sentence about what is shown."""
        self.output.line(text, style=style)

    def ask(self, *arguments: str) -> Any:
        """Give a command with `--json` in the workspace and return what it prints; nobody sees it."""
        done = subprocess.run(
            [sys.executable, "-m", "ringfence.cli", *arguments, "--json"],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Unexpected(f"'ringfence {' '.join(arguments)} --json': {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)

    def run(self, *arguments: str, status: int = 0) -> None:
        """Give a command in the workspace and let its output be seen. Raise Unexpected for another exit status."""
        self.output.line(f"$ ringfence {' '.join(arguments)}", bold=True)
        sys.stdout.flush()
        stdout = sys.stderr if self.output.as_json else None
        with subprocess.Popen(
            [sys.executable, "-m", "ringfence.cli", *arguments], cwd=self.directory, stdout=stdout
        ) as process:
            try:
                process.wait(COMMAND_SECONDS)
            except subprocess.TimeoutExpired as error:
                process.terminate()
                raise Unexpected(f"'ringfence {' '.join(arguments)}' does not end") from error
            except BaseException:
                process.terminate()
                raise
        if process.returncode != status:
            raise Unexpected(
                f"'ringfence {' '.join(arguments)}' ended with status {process.returncode}, not {status}",
                remedy="what it printed says why; 'ringfence demo --keep' leaves the lab to look at",
            )
