"""A throw-away network namespace with nft in it: what only a kernel can say about a ruleset."""

from __future__ import annotations

import os
import subprocess

import pytest


class Kernel:
    """Runs nft in a network namespace of its own, which ends with its process.

    `nested`: in a user namespace too, whose root cannot make the buffer of a socket larger.
    """

    def __init__(self, nested: bool = False) -> None:
        mapped = [] if os.geteuid() == 0 and not nested else ["--map-root-user"]
        self._holder = subprocess.Popen(
            ["unshare", "--net", *mapped, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        entered = ["--user", "--preserve-credentials"] if mapped else []
        self.entered = ["nsenter", "--target", str(self._holder.pid), *entered, "--net"]
        assert self._holder.stdin
        assert self._holder.stdout
        self._holder.stdin.write(b"ready\n")
        self._holder.stdin.flush()
        self._holder.stdout.readline()

    @property
    def pid(self) -> int:
        """Return a process of the namespace."""
        return self._holder.pid

    def nft(self, *arguments: str, text: str | None = None) -> str:
        """Return what nft prints. Raises AssertionError with its message where it fails."""
        return self.run("nft", *arguments, text=text)

    def run(self, *command: str, text: str | None = None) -> str:
        """Return what a command prints. Raises AssertionError with its message where it fails."""
        done = subprocess.run([*self.entered, *command], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[:2000]}"
        return done.stdout

    def load(self, ruleset: str) -> str:
        """Load a ruleset and return its listing."""
        self.nft("-f", "-", text=ruleset)
        return self.listing()

    def listing(self) -> str:
        """Return the listing that verify reads."""
        return self.nft("-nn", "-y", "list", "table", "inet", "ringfence")

    def close(self) -> None:
        """End the namespace."""
        self._holder.communicate()


def open_kernel(nested: bool = False) -> Kernel:
    """Return a kernel, or skip the test with the name of what is missing."""
    try:
        kernel = Kernel(nested)
        kernel.nft("list", "ruleset")
    except (OSError, AssertionError) as error:
        pytest.skip(f"needs nft and a network namespace: {error}")
    return kernel
