"""Connections that stand when a table first enforces: they survive it, whoever speaks first, unless they are cut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ringfence.lab.session import Lab
from ringfence.model.rules import Mode

from tests.lab.rollouts import ECHO, PATIENCE, SILENCE, Rollouts, Wanted

pytestmark = [pytest.mark.lab, pytest.mark.machines]
RELEASES = ("bullseye", "bookworm", "trixie")
SPEAKING = 7100
# Answers what it is sent; says "server" on every connection as soon as /tmp/speak is there.
SPEAKER = f"""
import os, select, socket
listener = socket.create_server(("", {SPEAKING}))
held = []
said = False
while True:
    for ready in select.select([listener, *held], [], [], 0.05)[0]:
        if ready is listener:
            held.append(listener.accept()[0])
        elif data := ready.recv(4096):
            ready.sendall(data)
        else:
            held.remove(ready)
    if not said and os.path.exists("/tmp/speak"):
        said = True
        for one in held:
            one.sendall(b"server")
"""


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    """The machines with a server that can speak first."""
    one = Rollouts(machines, tmp_path)
    for host in RELEASES:
        machines.exec(host, ["sh", "-c", "cat >/tmp/speaker.py"], input=SPEAKER)
        one.sh(host, "rm -f /tmp/speak; systemd-run --quiet --unit=speaker python3 /tmp/speaker.py")
        one.answers(host, SPEAKING)
    yield one
    one.clear()
    for host in RELEASES:
        one.sh(host, "systemctl stop speaker; systemctl reset-failed; rm -f /tmp/speak /tmp/speaker.py")


@pytest.mark.parametrize("outbound", [Mode.OBSERVE, Mode.FULL])
def test_standing_connections_survive_the_first_enforcement(rollouts: Rollouts, outbound: Mode) -> None:
    wanted = Wanted(allow={None: (SPEAKING, ECHO)}, outbound=outbound)
    with ExitStack() as stack:
        held = {
            (host, who): stack.enter_context(rollouts.connection(host, SPEAKING))
            for host in RELEASES
            for who in ("client first", "server first", "idle")
        }
        assert all(talk(b"before") == b"before" for talk in held.values())
        rollouts.apply(dict.fromkeys(RELEASES, wanted))
        for host in RELEASES:
            assert held[host, "client first"](b"client") == b"client"
        time.sleep(1)
        for host in RELEASES:
            rollouts.sh(host, "touch /tmp/speak")
        for host in RELEASES:
            for who in ("server first", "client first", "idle"):
                assert held[host, who](b"") == b"server", (host, who)
        # a second table, while some have not said a word since the first
        rollouts.hold(dict.fromkeys(RELEASES, Wanted(allow={None: (SPEAKING,)}, outbound=outbound)))
        assert all(talk(b"after") == b"after" for talk in held.values())


def test_standing_connections_that_are_denied_are_listed_and_survive_without_cut(rollouts: Rollouts) -> None:
    with ExitStack() as stack:
        held = {host: stack.enter_context(rollouts.connection(host, SPEAKING)) for host in RELEASES}
        assert all(talk(b"before") == b"before" for talk in held.values())
        outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(RELEASES, Wanted(allow={None: (1,)}))))
        assert outcome.ok
        for host in RELEASES:
            (listed,) = outcome.hosts[host].result["standing_denied"]  # type: ignore[misc]
            assert (listed["local_port"], listed["direction"], listed["rule"]) == (SPEAKING, "in", "default")
            assert held[host](b"after") == b"after"
            assert not rollouts.reaches(host, SPEAKING)


def test_cut_ends_denied_connections_also_while_the_server_keeps_sending(rollouts: Rollouts) -> None:
    with ExitStack() as stack:
        denied = {host: stack.enter_context(rollouts.connection(host, SPEAKING)) for host in RELEASES}
        allowed = {host: stack.enter_context(rollouts.connection(host, ECHO)) for host in RELEASES}
        assert all(talk(b"before") for talk in (*denied.values(), *allowed.values()))
        wanted = Wanted(allow={None: (ECHO,)})
        assert rollouts.roll_out(rollouts.plan(dict.fromkeys(RELEASES, wanted), cut=True)).ok
        for host in RELEASES:
            rollouts.sh(host, "touch /tmp/speak")
            assert denied[host](b"after", SILENCE) == b"", host
            assert allowed[host](b"after"), host
            # no socket of the cut connection may go on: destroyed where the kernel can, else its packets are dropped
            left = rollouts.sh(host, f"ss -Htn state established '( sport = :{SPEAKING} )'").strip()
            assert left == "" or "elements" in rollouts.sh(host, "nft list set inet ringfence cut4"), host


@pytest.mark.parametrize("known", [True, False], ids=["with ss", "without ss"])
def test_cut_ends_what_is_denied_to_the_unit_that_holds_it_and_keeps_what_another_unit_may(
    rollouts: Rollouts, known: bool
) -> None:
    """The table allows both ports to `speaker`; on the second one `echo` listens."""
    hosts = ("bookworm", "trixie")  # nft of bullseye cannot match units
    hidden = "" if known else "$(command -v ss).hidden"
    with ExitStack() as stack:
        for host in hosts if hidden else ():
            rollouts.sh(host, f"mv $(command -v ss) {hidden}")
            stack.callback(rollouts.sh, host, "for one in /usr/bin/ss /bin/ss; do mv $one.hidden $one; done")
        kept = {host: stack.enter_context(rollouts.connection(host, SPEAKING)) for host in hosts}
        other = {host: stack.enter_context(rollouts.connection(host, ECHO)) for host in hosts}
        assert all(talk(b"before") for talk in (*kept.values(), *other.values()))
        wanted = Wanted(allow={"speaker.service": (SPEAKING, ECHO)})
        outcome = rollouts.roll_out(rollouts.plan(dict.fromkeys(hosts, wanted), cut=True))
        assert outcome.ok
        for host in hosts:
            listed = outcome.hosts[host].result["standing_denied"]
            ports = [(one["local_port"], one["certain"]) for one in listed]  # type: ignore[attr-defined]
            assert ports == ([(ECHO, True)] if known else [(ECHO, False), (SPEAKING, False)])
            assert kept[host](b"after"), host
            assert (other[host](b"after", SILENCE if known else PATIENCE) == b"") is known, host
            assert not rollouts.reaches(host, ECHO)
