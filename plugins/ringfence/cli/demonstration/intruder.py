"""Sessions and scans on hosts of a lab, while something else happens."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources

from ringfence.cli.demonstration.stage import Unexpected
from ringfence.lab.session import Lab


@dataclass(frozen=True, slots=True)
class Round:
    """What was found in one round: whether the session answers, and how many scanned ports do."""

    session: bool
    answered: int


class Intruder:
    """A process on a host that tells what it reaches, round by round."""

    def __init__(self, host: str, process: subprocess.Popen[str]) -> None:
        self._host = host
        self._process = process
        self._rounds: list[Round] = []
        self._told = threading.Condition()
        self._ended = False
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def now(self) -> Round:
        """Return what a round finds that begins from now on. Raise Unexpected where the process has ended."""
        with self._told:
            wanted = len(self._rounds) + 2  # one of them is under way
            self._told.wait_for(lambda: self._ended or len(self._rounds) >= wanted)
            if self._ended:
                raise Unexpected(f"what keeps a session up on {self._host} has ended")
            return self._rounds[-1]

    def end(self) -> None:
        """End it, and whoever listens to it."""
        assert self._process.stdin is not None
        self._process.stdin.close()  # killed, what entered the host would leave it behind there
        self._listening.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            with self._told:
                self._rounds.append(Round(told["session"], told["answered"]))
                self._told.notify_all()
        with self._told:
            self._ended = True
            self._told.notify_all()


@contextmanager
def intruder(
    lab: Lab, host: str, unit: str | None, session: tuple[str, int], scan: Sequence[tuple[str, int]] = ()
) -> Iterator[Intruder]:
    """Give an intruder on a host, in the control group of a unit; it ends with this."""
    program = resources.files("ringfence.cli.demonstration").joinpath("intruder_program.py").read_text()
    command = lab.exec_command(host, ["python3", "-I", "-S", "-c", program])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"unit": unit, "session": session, "scan": list(scan)}) + "\n")
            process.stdin.flush()
            one = Intruder(host, process)
            try:
                yield one
            finally:
                one.end()
        finally:
            process.kill()
