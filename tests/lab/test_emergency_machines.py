"""Emergencies on machines of three Debian releases, by the playbooks: told by the kernel, and kept over a reboot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.lab.session import Lab
from ringfence.rollout import PlaybookResult
from ringfence.wire.emergency_lines import Emergency, Grant, format, parse  # noqa: A004

from tests.lab.rollouts import Rollouts, Wanted

pytestmark = [pytest.mark.lab, pytest.mark.machines]
CUT, OLD, PEER = "trixie", "bullseye", "bookworm"
RELEASES = (OLD, PEER, CUT)
CONTROLLER = ("10.203.0.1", "fd52:6600:0:1::1")
QUARANTINE = "q-0123abcd"
ASKS = "exec 3<>/dev/tcp/%s/7000 && echo hello >&3 && timeout 1 head -c 1 <&3 | wc -c"


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    one = Rollouts(machines, tmp_path)
    yield one
    for host in RELEASES:
        one.ask(host, "remove", "nftables", force="1")
        assert one.remains(host) == ""


def held(result: PlaybookResult) -> dict[str, list[str]]:
    """Return the ids that the kernel of every host was read to hold."""
    assert result.ok, (result.data(), result.complaint)
    return {name: [one.id for one in parse(str(host.result["emergencies"]))] for name, host in result.hosts.items()}


def talks(rollouts: Rollouts, host: str, far: str) -> bool:
    """Return whether a host gets an answer of another, by any family."""
    addresses = next(spec.addresses for spec in rollouts.lab.hosts() if spec.name == far)
    return any(
        rollouts.sh(host, f"timeout 2 bash -c '{ASKS % address}' 2>/dev/null").strip() == "1" for address in addresses
    )


def test_a_machine_is_isolated_everywhere_until_it_is_released(rollouts: Rollouts) -> None:
    plan = rollouts.apply({OLD: Wanted(), PEER: Wanted(allow={None: (1,)}), CUT: Wanted()})
    assert talks(rollouts, OLD, CUT)
    addresses = next(spec.addresses for spec in rollouts.lab.hosts() if spec.name == CUT)
    now = int(time.time())
    alone = format([Emergency(QUARANTINE, "quarantine", now, 0, "ann", "it scans: ä", isolates=True)])
    cut = format([Emergency(QUARANTINE, "quarantine", now, 0, "ann", "it scans: ä", remote=tuple(addresses))])
    given = {CUT: alone, OLD: cut, PEER: cut}
    assert held(rollouts.play("quarantine", emergency=given)) == {name: [QUARANTINE] for name in RELEASES}
    assert not talks(rollouts, OLD, CUT)
    assert not talks(rollouts, CUT, OLD)
    assert not rollouts.reaches(CUT, timeout=0.5)
    # who looks finds it, and no drift; the next rollout leaves it as it is
    told = rollouts.play("info", plan).hosts[CUT].result["emergency"]
    assert [(one["id"], one["who"], one["why"], one["held"]) for one in told] == [  # type: ignore[attr-defined]
        (QUARANTINE, "ann", "it scans: ä", True)
    ]
    plan = rollouts.apply({OLD: Wanted(), PEER: Wanted(allow={None: (1, 2)}), CUT: Wanted(allow={None: (7000, 9)})})
    rollouts.sh(OLD, "systemctl restart nftables.service")
    permission = Emergency("p-0123abcd", "permission", now, now + 3600, grants=(Grant("in", 6, CONTROLLER),))
    both = held(rollouts.play("quarantine", emergency={PEER: format([permission])}))
    assert both == {OLD: [], PEER: [QUARANTINE, permission.id], CUT: []}
    rollouts.answers(PEER)
    rollouts.reboot([CUT, PEER])
    assert rollouts.drift(plan) == {}
    assert not talks(rollouts, OLD, CUT)
    assert not talks(rollouts, CUT, OLD)
    rollouts.answers(PEER)
    assert rollouts.play("remove", limit=[OLD]).hosts[OLD].result["rule"] == "emergency"
    for changed in (True, False):
        result = rollouts.play(
            "release", emergency={**dict.fromkeys(RELEASES, QUARANTINE), PEER: f"{QUARANTINE} p-0123abcd"}
        )
        assert held(result) == {name: [] for name in RELEASES}
        assert {bool(host.result["changed"]) for host in result.hosts.values()} == {changed}
    assert talks(rollouts, OLD, CUT)
    assert not rollouts.reaches(PEER, timeout=0.5)
    assert rollouts.drift(plan) == {}
