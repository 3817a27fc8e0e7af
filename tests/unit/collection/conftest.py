"""A lone target whose emergencies are held by either tool, and the sessions of its peer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emergency_sessions import Sessions, linked
from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import WITHOUT_NFT


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with linked() as one:
        yield one


@pytest.fixture(params=["nft", "iptables"])
def target(sessions: Sessions, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LoneTarget]:
    """A target of an enforcer, its emergencies held by the tool of the same name."""
    one = LoneTarget(tmp_path, sessions.target, ["dash", "-s"], seconds="30")
    if request.param == "iptables":
        one.enforcer, one.stand_ins = "iptables", WITHOUT_NFT
    yield one
    one.ask("remove", {"force": "1"})
