"""Emergencies that tests put on a lone target, and how its answer is read."""

from __future__ import annotations

import time

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    emergency_order,
    read_emergencies,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply
from ringfence.wire.emergency_lines import Emergency, format  # noqa: A004

from tests.emergency_sessions import PEER
from tests.lone_target import LoneTarget
from tests.rollout_plans import Wanted

BLOCK = 1 << 16
OPEN = Wanted(points=(17 * BLOCK + 7000, BLOCK + 8, 58 * BLOCK + 128))
CLOSED = Wanted(allow={None: (1,)})
NOW = int(time.time())
CUT = Emergency("q-0123abcd", "quarantine", NOW, 0, "ann", "it scans: 100%", remote=PEER)
ALONE = Emergency("q-00000001", "quarantine", NOW, isolates=True)
KEPT = Emergency("q-00000001", "quarantine", NOW, isolates=True, kept=(PEER[0],))
# the rules of emergencies are those of one tool, whatever enforces the policy
WITHOUT_NFT = 'have() { [ "$1" != nft ] && [ "$1" != systemd-run ] && command -v "$1" >/dev/null 2>&1; }\n'


def ask(target: LoneTarget, *put: Emergency, ends: tuple[str, ...] = (), **values: str) -> Reply:
    status, reply, errors = target.ask("emergency", values, emergency_order(format(put), list(ends)).encode())
    assert status in (0, 3), errors
    return reply


def holds(reply: Reply) -> dict[str, bool]:
    found = read_emergencies(reply)
    assert found.drift == ()
    return {entry.id: one for entry, one in zip(found.entries, found.held, strict=True)}
