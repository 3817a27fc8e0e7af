"""A table that is loaded in stages is applied, confirmed and taken back as one that is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lone_target import LoneTarget
from tests.rollout_plans import Wanted
from tests.unit.enforcers.nft_kernel import open_kernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")


def peers(count: int) -> tuple[str, ...]:
    """Return so many single addresses that no two of them make a range."""
    return tuple(f"{20 + n // 16000}.{n // 125 % 128}.{n % 125 * 2}.7" for n in range(count))


def test_a_table_that_is_loaded_in_stages_waits_is_confirmed_and_comes_back(tmp_path: Path) -> None:
    kernel = open_kernel(nested=True)
    target = LoneTarget(tmp_path, kernel, ["dash", "-s"])
    old = target.plan(Wanted(peers=peers(6000)))
    reply = target.apply(old)
    assert (reply.last("state"), reply.last("staged") != "") == ("waiting", True), reply.values
    assert target.confirm(old).last("state") == "confirmed"
    new = target.plan(Wanted(allow={None: (1,)}, peers=peers(6000)))
    assert target.apply(new).last("state") == "waiting"
    assert target.in_kernel() == new.digest
    assert target.ask("status")[1].last("pending") == "armed"
    target.goes_back_to(old.digest)
    target.ask("remove")
    kernel.close()
