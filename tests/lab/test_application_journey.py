"""A new user's journey by keys alone: from an empty directory to a denied flow; the application is left midway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.cli.demonstration.probing import Probe, tried
from ringfence.lab.estate import WRONG
from ringfence.lab.probe import probe
from ringfence.lab.session import Lab, open_lab
from ringfence.operations.lab import NAME
from ringfence.rollout.runs import run_directories

from tests.lab.journey import (
    PAIR,
    RULE,
    attach,
    deny_it,
    go_to_the_wrong_traffic,
    new_home,
    opened,
    raise_the_lab,
    roll_it_out_and_leave,
    see_it_confirmed,
    see_it_explained,
)
from tests.lab.rollouts import wait_until
from tests.lab_fixtures import abilities, require

pytestmark = pytest.mark.lab


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield an empty directory, with a state of its own."""
    require(abilities().choose())
    with new_home() as directory:
        monkeypatch.setenv("XDG_STATE_HOME", str(directory.parent / "state"))
        yield directory


def habits(lab: Lab) -> list[Probe]:
    """Return every habit of the estate, each from the unit that has it; only that of the new rule is to be denied."""
    hosts = lab.hosts()
    named = lab.status()[0].kind == "machines" or not probe().processes
    addresses = {host.name: host.addresses for host in hosts}
    return [
        Probe(
            host.name,
            unit.name if named else None,
            talk.host,
            address,
            talk.port,
            (host.name, talk.host, talk.port) != PAIR,
        )
        for host in hosts
        for unit in host.units
        for talk in unit.talks
        for address in addresses[talk.host][:1]
    ]


def test_a_new_user_finds_the_wrong_traffic_denies_it_and_leaves_in_the_middle_of_the_rollout(home: Path) -> None:
    assert PAIR in {(one.source, one.target, one.port) for one in WRONG}
    workspace = home / "ringfence-demo"
    with opened(home) as terminal:
        raise_the_lab(terminal)
        lab = open_lab(NAME)
        assert all(one.seen for one in tried(lab, habits(lab))), "without a policy everything passes"
        go_to_the_wrong_traffic(terminal)
        deny_it(terminal)
        assert RULE in (workspace / "policy/guardrails.yml").read_text()
        roll_it_out_and_leave(terminal)
    (run,) = run_directories(workspace / ".ringfence")
    assert run.lives(), "it was left in the middle"

    with opened(home) as terminal:
        attach(terminal)
        see_it_confirmed(terminal)
        wait_until(lambda: not run.lives())
        assert [one for one in tried(lab, habits(lab)) if not one.right] == [], "denied, and the shop whole"
        go_to_the_wrong_traffic(terminal)
        see_it_explained(terminal)
        terminal.press("q")
        assert terminal.wait_end() == 0
