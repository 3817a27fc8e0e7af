"""The process of ssh: its environment, where a program answers for its password, and its end with all its children."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from ringfence.rollout.private import private_directory
from ringfence.rollout.secret_pipe import secret_pipe

# An ssh below the one that we started is on the way to a jump host, which is not to learn this host's password. Whoever
# asks whether a key is to be trusted gets a no, and no password.
ASKPASS = """#!/bin/sh
case $1 in *yes/no* | *"'yes'"*) echo no; exit ;; esac
leader=$(ps -o pgid= -p $$ | tr -d ' ')
one=$PPID
while [ "$one" != "$leader" ]; do
    one=$(ps -o ppid= -p "$one" | tr -d ' ')
    if [ "${one:-1}" -le 1 ]; then exit 1; fi
    case $(ps -o comm= -p "$one") in ssh | */ssh) exit 1 ;; esac
done
exec cat "$RINGFENCE_ASKPASS"
"""


@contextmanager
def environment_of(password: str | None) -> Iterator[Mapping[str, str]]:
    """Give the environment of ssh; it asks for a password by a program that reads it from a pipe."""
    if password is None:
        yield dict(os.environ)
        return
    with private_directory() as directory, secret_pipe(password) as pipe:
        program = directory / "askpass"
        program.write_text(ASKPASS)
        program.chmod(0o700)
        yield {
            **os.environ,
            "SSH_ASKPASS": str(program),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY", ":0"),
            "RINGFENCE_ASKPASS": str(pipe),
        }


async def end(process: Process, seconds: float) -> None:
    """End a connection: its input ends, so the reader does; what is left of ssh and its proxies then is killed."""
    if process.stdin is not None:
        process.stdin.close()
    ending = asyncio.create_task(_ended(process))
    try:
        await asyncio.wait((ending,), timeout=seconds)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await ending


async def _ended(process: Process) -> None:
    """Return when a process has ended; asyncio learns that only when all that it printed was read."""
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass
    await process.wait()
