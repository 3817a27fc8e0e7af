"""A secret that is told through a named pipe: it is on no disk, in no argument and in no environment."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringfence.rollout.private import private_directory

# Seconds between two looks whether somebody reads.
LOOK = 0.05


@contextmanager
def secret_pipe(secret: str) -> Iterator[Path]:
    """Give the path of a pipe that tells a secret to everyone who opens it, until the end."""
    over = threading.Event()
    with private_directory() as directory:
        path = directory / "password"
        os.mkfifo(path, 0o600)
        teller = threading.Thread(target=_tell, args=(path, secret.encode() + b"\n", over), daemon=True)
        teller.start()
        try:
            yield path
        finally:
            over.set()
            teller.join()


def _tell(path: Path, secret: bytes, over: threading.Event) -> None:
    while not over.is_set():
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # nobody reads
            over.wait(LOOK)
            continue
        # The next reader gets a pipe of its own: this one could get the secret twice before it sees the end.
        following = path.with_suffix(".next")
        os.mkfifo(following, 0o600)
        following.replace(path)
        with suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as pipe:  # a reader may have been killed
            pipe.write(secret)
