"""Names on real hosts: what the host itself resolves is let out, and a look-up later so is what it resolves then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.lab.session import Lab
from ringfence.model.rules import Mode

from tests.lab.rollouts import ECHO, Rollouts, Wanted

pytestmark = [pytest.mark.lab, pytest.mark.machines]
# The oldest nft of all releases (0.9.8), and one of today.
HOSTS = ("bullseye", "bookworm")
NAME = "pay.example"
PAYING = Wanted(outbound=Mode.FULL, names={NAME: ECHO})
CONTROLLER = "10.203.0.1"
HOSTILE = ("127.0.0.9", "169.254.1.1", "224.0.0.5", "0.0.0.0", "::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1")


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    one = Rollouts(machines, tmp_path)
    for host in HOSTS:
        one.sh(host, "cp /etc/hosts /etc/hosts.before")
    yield one
    one.clear()
    for host in HOSTS:
        one.sh(host, "mv /etc/hosts.before /etc/hosts")
        assert one.remains(host) == ""


def resolve(rollouts: Rollouts, host: str, *addresses: str) -> None:
    """Let a host's own resolver answer the name with these addresses."""
    lines = "".join(f"{address} {NAME}\n" for address in addresses)
    rollouts.lab.exec(host, ["sh", "-c", "cat /etc/hosts.before - >/etc/hosts"], input=lines)


def opens(rollouts: Rollouts, host: str, address: str, port: int = ECHO) -> bool:
    """Return whether a host gets a connection out, to a port where somebody answers or refuses."""
    code = f"import socket; s = socket.socket(); s.settimeout(2); print(s.connect_ex(('{address}', {port})))"
    return rollouts.sh(host, f'python3 -c "{code}"').strip() in ("0", "111")


def peer_of(rollouts: Rollouts, host: str) -> str:
    """Return the address of another host."""
    return next(spec.addresses[0] for spec in rollouts.lab.hosts() if spec.name not in (host,))


def held(rollouts: Rollouts, host: str, plan: Path) -> set[str]:
    result = rollouts.play("verify", plan, limit=[host]).hosts[host].result
    return {one["address"] for one in result["answers"][NAME]}


def test_what_the_host_resolves_is_let_out_and_follows_its_answers(rollouts: Rollouts) -> None:
    for host in HOSTS:
        resolve(rollouts, host, CONTROLLER, *HOSTILE)
    plan = rollouts.apply(dict.fromkeys(HOSTS, PAYING))
    assert rollouts.drift(plan) == {}
    for host in HOSTS:
        other = peer_of(rollouts, host)
        assert held(rollouts, host, plan) == {CONTROLLER}
        assert opens(rollouts, host, CONTROLLER)
        assert not opens(rollouts, host, CONTROLLER, 23)
        assert not opens(rollouts, host, other)
        resolve(rollouts, host, other)
        rollouts.sh(host, "systemctl start ringfence-answers.service")
        assert opens(rollouts, host, other)
        assert held(rollouts, host, plan) == {CONTROLLER, other}
    assert rollouts.drift(plan) == {}


def test_last_answers_stand_while_nobody_answers_and_nothing_looks_up_names_that_are_named_no_more(
    rollouts: Rollouts,
) -> None:
    host = HOSTS[0]
    resolve(rollouts, host, CONTROLLER)
    plan = rollouts.hold({host: PAYING})
    resolve(rollouts, host)
    rollouts.sh(host, "systemctl start ringfence-answers.service")
    assert held(rollouts, host, plan) == {CONTROLLER}
    rollouts.sh(host, "nft flush ruleset; systemctl restart ringfence.service")
    assert held(rollouts, host, plan) == {CONTROLLER}
    assert opens(rollouts, host, CONTROLLER)
    assert rollouts.sh(host, "systemctl is-active ringfence-answers.timer").strip() == "active"
    rollouts.sh(host, "systemctl stop ringfence-answers.timer")
    assert rollouts.playbook_drift(plan) == {host: ["the timer that looks names up again does not run"]}
    plan = rollouts.hold({host: Wanted(outbound=Mode.FULL)})
    assert rollouts.drift(plan) == {}
    assert "ringfence-answers" not in rollouts.remains(host)
