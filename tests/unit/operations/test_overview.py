"""A workspace at a glance, and discovery: the numbers are those of the operations that count them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.picture import PolicyState, Sign
from ringfence.operations.asset_activity import last_seen
from ringfence.operations.discover import discover
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.overview import assets_summary, policy_summary, rollout_summary, traffic_of
from ringfence.operations.picture import judged_picture

from tests.unit.cli_shop import NOW, ringfence, shop


def test_every_part_of_a_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(tmp_path)

    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    assert ringfence(tmp_path, "flows", "add", str(tmp_path / "flows.csv"), "--format", "csv").exit_code == 0
    assert ringfence(tmp_path, "plan").exit_code == 0
    estate = Estate(tmp_path)
    assets = assets_summary(estate)
    assert (assets.assets, assets.labelled, assets.lacking) == (4, 4, {})
    assert [(one.name, one.assets) for one in assets.sources] == [("inventory", 4)]
    policy = policy_summary(estate)
    assert (policy.modes, policy.covered, policy.rules) == ({"full": 2, "observe": 2}, 4, 2)
    with judged_picture(estate, FlowSelection(since="7d"), (PolicyState.FILES,)) as judged:
        traffic = traffic_of(estate, judged)
        assert sorted(last_seen(judged)) == ["api-1", "db-1", "web-1"]
    assert traffic.connections == 14
    assert {sign: count.flows for sign, count in traffic.signs.items() if count.flows} == {
        Sign.ALLOWED: 1,
        Sign.DENIED: 1,
    }
    assert traffic.unseen == ("web-2",)
    rollout = rollout_summary(estate)
    assert (rollout.plan_hosts, rollout.run, rollout.drifted) == (4, "", ())


def test_discovery_says_what_came_and_what_went(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))

    assert discover(estate).added == ("api-1", "db-1", "web-1", "web-2")
    assert not discover(estate).added
    hosts = tmp_path / "inventory/hosts.yml"
    hosts.write_text(hosts.read_text().replace("web-2:", "web-3:"))
    found = discover(estate)
    assert (found.added, found.removed, found.kept) == (("web-3",), ("web-2",), True)
    assert [(one.name, one.assets, one.before) for one in found.sources] == [("inventory", 4, 4)]
