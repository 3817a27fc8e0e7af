"""Watching real hosts: a denied packet is told with its rule, a flood is bounded, and nothing stays on a host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.operations.execution import Execution
from ringfence.operations.watch import WatchRequest, watch
from ringfence.watch.events import Kind, WatchEvent
from ringfence.watch.hearing import Hearing
from ringfence.watch.tally import Tally
from ringfence.watch.violations import Status

from tests.lab.rollouts import wait_until
from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = pytest.mark.lab
POLICY = """\
rules:
  - name: dev never reaches the database
    from: {role: dev}
    to: {role: db}
    deny: any
---
enforce:
  - where: {role: db}
    mode: selective
"""
# What a reader or what it calls would be called, and where files could be.
LEFT = "ps ax -o args | grep -c '[n]f_conntrack'; ls -A /tmp /var/lib/ringfence /run/ringfence"
SEND = "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
CONNECT = "import socket, sys; s = socket.socket(); s.settimeout(0.2); s.connect_ex((sys.argv[1], 7000))"
FLOOD = f"{SEND}for port in range(20000, 26000): s.sendto(b'x', (sys.argv[1], port))"


class Heard(Hearing):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[WatchEvent] = []
        self.watched: list[str] = []

    def event(self, event: WatchEvent, _status: Status | None) -> None:
        """Keep an event."""
        self.events.append(event)

    def host(self, host: str, why: str) -> None:
        """Keep a host that is watched."""
        if not why:
            self.watched.append(host)

    def of(self, kind: Kind) -> list[WatchEvent]:
        """Return the events of a kind."""
        return [event for event in self.events if event.kind is kind]


def workspace(directory: Path, lab: Lab) -> Path:
    """Make a workspace of a lab whose database enforces that dev never reaches it."""
    (directory / "policy").mkdir(parents=True)
    (directory / "inventory").mkdir()
    shutil.copy(lab.inventory_path, directory / "inventory/lab.yml")
    (directory / "ringfence.yml").write_text('control: {from: [10.0.0.0/8, "fd00::/8"]}\n')
    (directory / "policy/db.yml").write_text(POLICY)
    ringfence(directory, "plan")
    ringfence(directory, "apply", "latest", "--limit", "db")
    return directory


def ringfence(directory: Path, *words: str) -> None:
    """Run the command, which must succeed."""
    command: Sequence[str] = (str(Path(sys.executable).parent / "ringfence"), *words)
    done = subprocess.run(command, cwd=directory, env=dict(os.environ), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_denial_is_told_a_flood_is_bounded_and_nothing_stays(make_lab: MakeLab, tmp_path: Path) -> None:
    hosts = [HostSpec(role, labels={"role": role}, units=(echo_unit(),)) for role in ("db", "dev")]
    lab = make_lab(hosts, "namespaces")
    database = lab.hosts()[0].addresses[0]
    directory = workspace(tmp_path / "w", lab)
    before = lab.exec("db", ["sh", "-c", LEFT]).stdout
    heard, execution, ended = Heard(), Execution(), []

    def run() -> None:
        ended.append(watch(Estate(directory), WatchRequest(), heard, execution))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_until(lambda: sorted(heard.watched) == ["db", "dev"])
        wait_until(lambda: lab.exec("db", ["sh", "-c", LEFT]).stdout != before)

        lab.exec("dev", ["python3", "-c", CONNECT, database])
        wait_until(lambda: any(one.host == "db" for one in heard.of(Kind.DENIED)))
        denied = next(one for one in heard.of(Kind.DENIED) if one.host == "db")
        assert denied.rule == "dev never reaches the database"
        assert denied.place.startswith("policy/db.yml:2")
        assert (denied.client.labels, denied.server.labels) == ({"role": "dev"}, {"role": "db"})
        assert (denied.client.asset, denied.service) == ("dev", "tcp/7000")

        told = len(heard.events)
        lab.exec("dev", ["python3", "-c", FLOOD, database])
        wait_until(lambda: bool(heard.of(Kind.SCAN)))
    finally:
        execution.cancel.cancel()
        thread.join(120)

    assert ended, "the watch does not end"
    tally: Tally = ended[0]
    assert tally.silent == {}
    assert tally.missed > 0
    assert tally.wrong == tally.not_believed == 0
    # those until it was a scan, by both hosts
    assert len(heard.events) - told < 100
    assert tally.violations < 100
    wait_until(lambda: lab.exec("db", ["sh", "-c", LEFT]).stdout == before)
