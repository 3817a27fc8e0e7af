"""Lab hosts with an agent on each, asked all at once: a request goes to every host before the first answer is read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, Kind

from .strategies import UNITS

WORLD = "world"
OTHER_UNIT = "z.service"
AGENT = Path(__file__).with_name("agent.py").read_text()
UIDS: Mapping[str | None, int] = {None: 0, "daemon": 1, "games": 5, "backup": 34}  # base-passwd's, in every Debian
# Which hosts there are: enough for five workloads, those with units on the releases whose nft can match them.
NAMESPACES = tuple(HostSpec(name) for name in (WORLD, "n1", "n2", "n3", "n4", "n5"))
MACHINES = (
    HostSpec(WORLD, release="bookworm"),
    *(HostSpec(f"{release}-{number}", release=release) for release in ("bookworm", "trixie") for number in (1, 2)),
    HostSpec("bullseye-1", release="bullseye"),
    HostSpec("trixie-3", release="trixie"),
)

Request = Mapping[str, object]
Answer = dict[str, object]


class AgentError(Exception):
    """An agent could not do what it was asked: the harness is broken, not the policy."""


@dataclass(frozen=True)
class Host:
    """One lab host and the pipes to its agent.

    `has_units` says whether it can have control groups, `matches_units` whether its nft knows `socket cgroupv2` too.
    """

    name: str
    has_units: bool
    matches_units: bool
    agent: subprocess.Popen[str]

    def ask(self, request: Request) -> None:
        """Send a request; its answer is read by `answer`."""
        pipe = cast(IO[str], self.agent.stdin)
        pipe.write(json.dumps(request) + "\n")
        pipe.flush()

    def answer(self) -> Answer:
        """Return the answer to the oldest request; raises AgentError."""
        line = cast(IO[str], self.agent.stdout).readline()
        answer = cast(Answer, json.loads(line) if line else {"failed": "the agent has ended"})
        if "failed" in answer:
            raise AgentError(f"{self.name}: {answer['failed']}")
        return answer


def ask_all(requests: Mapping[Host, Request]) -> dict[Host, Answer]:
    """Return the answers of several hosts, which work at the same time."""
    for host, request in requests.items():
        host.ask(request)
    return {host: host.answer() for host in requests}


@contextmanager
def standing_hosts(directory: Path, kind: Kind, units: bool) -> Iterator[list[Host]]:
    """Bring up a lab for conformance, the world first among its hosts, and take it down in the end."""
    specs: Sequence[HostSpec] = MACHINES if kind == "machines" else NAMESPACES
    lab = Lab("conformance", directory)
    lab.up(specs, kind, stay=False)
    try:
        named = (*UNITS, OTHER_UNIT) if units else ()
        hosts = [
            Host(spec.name, units, units and spec.release != "bullseye", _start(lab, spec.name, named))
            for spec in specs
        ]
        yield hosts
        for host in hosts:
            cast(IO[str], host.agent.stdin).close()
            host.agent.wait(timeout=10)
    finally:
        lab.down()


def _start(lab: Lab, host: str, units: Sequence[str]) -> subprocess.Popen[str]:
    command = lab.exec_command(host, ["python3", "-u", "-c", AGENT, *units])
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
