"""A host under a test's control: its shell and its Python answer Ansible with what the test says.

No lab is needed: Ansible reaches it by the local connection, and what it reads back is what a hostile host would send.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RESULT = re.compile(r"^(?:ok|changed|fatal): \[([^\]]+)\](?:: FAILED!|: UNREACHABLE!)? => (?=\{)", re.MULTILINE)
# Ansible asks a shell for a directory before it sends a module, and takes the last line for its path; nothing but that
# is run, since all of it would be on the machine of the test.
SHELL = """#!/bin/sh
case $2 in
*"/bin/sh -s"*) exec /bin/sh {answer} ;;
*"echo ~"* | *"umask 77"* | *"chmod u+"* | "rm -f -r /"*) exec /bin/sh "$@" ;;
*) exec /bin/sh {answer} ;;
esac
"""


def hostile_hosts(directory: Path, cases: Sequence[str]) -> list[HostileHost]:
    """Return a host for each of these cases, `host-0` and so on: one start of Ansible plays them all."""
    return [HostileHost(directory / f"host-{number}", f"host-{number}") for number in range(len(cases))]


@dataclass
class HostileHost:
    """A host named in an inventory of its own beside honest ones; `answers` says what it prints."""

    directory: Path
    name: str = "web-1"
    others: Sequence[str] = ()
    variables: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the inventory and the programs."""
        self.directory.mkdir(parents=True, exist_ok=True)
        shell = self.directory / "shell"
        shell.write_text(SHELL.format(answer=self.directory / "answer"))
        shell.chmod(0o755)
        self.prints("")
        own = {
            "ansible_connection": "local",
            "ansible_shell_executable": str(shell),
            "ansible_python_interpreter": "/ringfence_hostile_python",
            **self.variables,
        }
        honest = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {self.name: own, **dict.fromkeys(self.others, honest)}
        (self.directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    @property
    def inventory(self) -> Path:
        """Return the inventory's file."""
        return self.directory / "hosts.json"

    def prints(self, text: str) -> None:
        """Answer everything with this text."""
        (self.directory / "text").write_text(text, encoding="utf-8", errors="surrogateescape")
        self.runs(f"cat >/dev/null; exec cat {self.directory / 'text'}")

    def runs(self, script: str) -> None:
        """Answer everything with what this script of a shell prints."""
        (self.directory / "answer").write_text(script + "\n")

    def play(
        self,
        tasks: Sequence[object],
        *arguments: str,
        settings: Mapping[str, str] | None = None,
        timeout: int = 600,
        beside: Sequence[HostileHost] = (),
    ) -> tuple[dict[str, list[dict[str, object]]], str]:
        """Run tasks on all hosts, and on those of others `beside` it, which have names and directories of their own.

        Return each host's results in their order, and everything that Ansible printed.
        """
        play = [{"hosts": "all", "gather_facts": False, "ignore_errors": True, "tasks": list(tasks)}]
        path = self.directory / "play.json"
        path.write_text(json.dumps(play))
        environment = {
            **os.environ,
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            **(settings or {}),
        }
        inventories = [word for one in (self, *beside) for word in ("-i", str(one.inventory))]
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-v", "--forks=10", *inventories]
        done = subprocess.run(
            [*command, *arguments, str(path)],
            env=environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        results: dict[str, list[dict[str, object]]] = {}
        for found in RESULT.finditer(done.stdout):
            told, _ = json.JSONDecoder().raw_decode(done.stdout, found.end())
            results.setdefault(found[1], []).append(told)
        # warnings are broken into lines by some releases
        return results, done.stdout + " ".join(done.stderr.split())
