"""Running `ansible-inventory` and hearing of its sources while it runs."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ringfence.model.safe_text import clean_line
from ringfence.model.source_steps import SourceStage, SourceStep

Hear = Callable[[SourceStep], None]
TELL_TO = "--tell-to"  # before the command, for `ansible_listing.py`: the descriptor that it tells to
_BYTES = 65536


@dataclass
class _Lines:
    """Steps out of what came through the pipe."""

    bases: tuple[Path, ...]
    hear: Hear
    rest: bytes = b""

    def take(self, piece: bytes) -> None:
        """Hear the steps of whole lines; a line that is none of ours says nothing."""
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
                step = SourceStep(
                    self._shown(Path(str(said["source"]))),
                    SourceStage(said["stage"]),
                    int(said["hosts"]),
                    float(said["seconds"]),
                    clean_line(str(said["why"])),
                )
            except (ValueError, KeyError, TypeError):
                continue
            self.hear(step)

    def _shown(self, path: Path) -> str:
        base = next((one for one in self.bases if path.is_relative_to(one)), None)
        return str(path if base is None else path.relative_to(base))


def heard_run(
    told: Callable[[int], Sequence[str]],
    directory: Path | None,
    environment: Mapping[str, str],
    seconds: float,
    hear: Hear,
    passed: Sequence[int] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that tells to a descriptor (`told` makes it), and return its status and standard error.

    `passed` are other descriptors that it gets. `hear` is called as steps come, in this thread; what it raises ends the
    command. Raise OSError where it cannot be run, TimeoutExpired where it takes longer.
    """
    reading, writing = os.pipe()
    deadline = time.monotonic() + seconds
    try:
        process = subprocess.Popen(
            told(writing),
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writing, *passed),
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    lines = _Lines(((directory or Path()).absolute(), (directory or Path()).resolve()), hear)
    stderr = bytearray()
    try:
        with process, selectors.DefaultSelector() as waiting:
            assert process.stderr is not None  # it was asked for
            waiting.register(reading, selectors.EVENT_READ, lines.take)
            waiting.register(process.stderr.fileno(), selectors.EVENT_READ, stderr.extend)
            try:
                while waiting.get_map():
                    if time.monotonic() >= deadline:
                        raise subprocess.TimeoutExpired(process.args, seconds)
                    for key, _ in waiting.select(deadline - time.monotonic()):
                        piece = os.read(key.fd, _BYTES)
                        if piece:
                            key.data(piece)
                        else:
                            waiting.unregister(key.fd)
                status = process.wait(max(0.0, deadline - time.monotonic()))
            except BaseException:
                process.kill()
                raise
    finally:
        os.close(reading)
    return subprocess.CompletedProcess(process.args, status, b"", bytes(stderr))
